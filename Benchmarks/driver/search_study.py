"""Whole searches: all candidates in every step, drawn ones, and improbable ones pruned."""
import json
import os
import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .study import begun, call, once, subset

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "search-study"

DRAWN = ["search.paths=drawn"]
PRUNED = ["search.prune_below=0.05", "search.prune_after=2"]
WAYS = {"all": [], "drawn": DRAWN, "pruned": PRUNED, "drawn and pruned": DRAWN + PRUNED,
        "fastest": [*DRAWN, *PRUNED, "search.theta_paths=two", "weights.candidate_values=aligned"]}

# Of a search, and of the trainings of what it found.
RECIPES = {
    "plain": ([], []),
    "smoothed": (["weights.learning_rate=0.05", "weights.label_smoothing=0.1"],
                 ["learning_rate=0.05", "label_smoothing=0.1"]),
}


def add_options(parser):
    parser.add_argument("--preset", default="digits")
    parser.add_argument("--data", metavar="FOLDER",
                        help="images: train/<class>/ and test/<class>/; without, the preset's own")
    parser.add_argument("--images", type=int, default=1000, help="training images of a class")
    parser.add_argument("--flops", type=float, default=600_000, help="the budget of a search")
    parser.add_argument("--epochs", type=int, default=30, help="of a search")
    parser.add_argument("--retrain-epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--set", action="append", default=[], dest="settings",
                        help="of all searches")


def run(options):
    supertop = tools.product()
    tools.title(f"Whole searches, {options.preset}, {options.flops / 1e6:g} M FLOPs")
    data = ["--data", subset(Path(options.data).resolve(), options.images)] if options.data else []
    place = WORK / "-".join(map(str, [
        options.preset, options.images, f"{options.flops:g}", options.epochs,
        options.retrain_epochs, *options.settings]))
    place.mkdir(parents=True, exist_ok=True)
    keys = [(recipe, seed, way) for recipe in options.recipes
            for seed in range(1, options.seeds + 1) for way in options.ways]
    searches = {key: search(supertop, data, place, key, options) for key in keys}
    # Small networks gain little from a second thread: one each, as many at a time as there are
    # cores.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        trained = dict(zip(keys, workers.map(
            lambda key: train(supertop, data, place, key, options), keys)))

    rows = []
    for recipe in options.recipes:
        for way in options.ways:
            own = [(recipe, seed, way) for seed in range(1, options.seeds + 1)]
            seconds = [searches[key]["wall_s"] for key in own]
            over = sorted(searches[key]["wall_s"] / searches[recipe, key[1], "all"]["wall_s"]
                          for key in own) if "all" in options.ways else [float("nan")]
            top1 = [100 * trained[key]["top1"] for key in own]
            flops = [trained[key]["flops"] for key in own]
            rows.append([
                recipe, way, f"{statistics.fmean(seconds):.0f}",
                f"{statistics.median(over):.2f} ({over[0]:.2f} to {over[-1]:.2f})",
                f"{statistics.fmean(flops) / 1e6:.2f}",
                f"{statistics.fmean(top1):.1f} ± {statistics.stdev(top1):.1f} %"
                if len(top1) > 1 else f"{top1[0]:.1f} %",
                " ".join(f"{each:.1f}" for each in top1)])
    tools.table(["recipe", "candidates", "s", "over all", "M FLOPs", "top-1, retrained", "by seed"],
                rows)
    tools.note(
        f"Searches of {options.epochs} epochs, one at a time on all cores; their networks trained "
        f"from scratch for {options.retrain_epochs}, all by the same recipe; top-1 on the test "
        "images.")


def name(key):
    return "-".join(map(str, key)).replace(" ", "-")


def search(supertop, data, place, key, options):
    """The `done` object of a search that was not resumed, with its seconds as `wall_s`."""
    recipe, seed, way = key
    result = place / f"{name(key)}.json"
    if not result.exists():
        folder = place / name(key)
        shutil.rmtree(folder, ignore_errors=True)
        settings = [f"budget.flops={options.flops:.0f}", *RECIPES[recipe][0], *WAYS[way],
                    *options.settings]
        tools.Watch.calm()
        start = time.monotonic()
        lines = call([
            supertop, "search", "--preset", options.preset, *data, "--run", folder, "--json",
            "--epochs", options.epochs, "--seed", seed,
            *(word for setting in settings for word in ("--set", setting))])
        seconds = time.monotonic() - start
        result.write_text(json.dumps({**json.loads(lines[-1]), "wall_s": seconds}))
        tools.say(f"searched {name(key)} in {seconds:.0f} s")
    return json.loads(result.read_text())


def train(supertop, data, place, key, options):
    recipe, seed, way = key
    folder = place / f"{name(key)}-trained"
    return once(place / f"{folder.name}.json", f"trained {folder.name}", begun(supertop, folder, [
        supertop, "train", place / name(key), *data, "--run", folder, "--json", "--epochs",
        options.retrain_epochs, "--seed", seed, "--threads", 1,
        *(word for setting in RECIPES[recipe][1] for word in ("--set", setting))]))
