"""What searching architecture and recipe together gains at equal numbers of trainings."""
import json
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .study import begun, once, subset

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "joint-study"
ALGORITHMS = ["joint", "architecture", "recipe", "random"]


def add_options(parser):
    parser.add_argument("--preset", default="fbnet-v3-digits")
    parser.add_argument("--data", metavar="FOLDER",
                        help="CIFAR-10 as images, for fbnet-v3-cifar; the digits are built in")
    parser.add_argument("--images", type=int, default=500, help="training images of a class")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--retrainings", type=int, default=3, help="of each result, to the end")
    parser.add_argument("--algorithms", nargs="+", default=ALGORITHMS, choices=ALGORITHMS)
    parser.add_argument("--at-once", type=int, default=1, metavar="N",
                        help="searches side by side; give each its part of the cores with "
                             "--set search.parallel=N")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
                        help="of all searches, such as budget.flops=3e6")


def run(options):
    supertop = tools.product()
    tools.title("Architecture and recipe together against one of them, and against chance")
    data = ["--data", subset(Path(options.data).resolve(), options.images)] if options.data else []
    words = [word.replace("/", "_") for word in options.settings]
    place = WORK / "-".join([options.preset, *words])
    place.mkdir(parents=True, exist_ok=True)

    def searched(algorithm, seed):
        folder = place / f"{algorithm}-{seed}"
        sets = [word for text in options.settings for word in ("--set", text)]
        done = once(place / f"{folder.name}.json", f"searched {folder.name}",
                    begun(supertop, folder, [
                        supertop, "search", "--preset", options.preset, *data, "--run", folder,
                        "--headless", "--json", "--algorithm", algorithm, "--seed", seed, *sets]))
        # Validation images have decided; so the winner is trained again from other seeds.
        tests = []
        for again in range(1, options.retrainings + 1):
            own = place / f"{folder.name}-again-{again}"
            trained = once(place / f"{own.name}.json", f"trained {own.name}",
                           begun(supertop, own, [
                               supertop, "train", folder / "exports/network.json", "--recipe",
                               folder / "exports/recipe.yaml", *data, "--run", own, "--headless",
                               "--json", "--threads", 1, "--seed", 100 + again, "--resolution",
                               side(folder)]))
            tests.append(100 * trained["test_accuracy"])
        return done, statistics.fmean(tests)

    # Alone a search trains as many candidates side by side as there are cores.
    with ThreadPoolExecutor(options.at_once) as workers:
        found = {(algorithm, seed): workers.submit(searched, algorithm, seed)
                 for seed in range(1, options.seeds + 1) for algorithm in options.algorithms}
        found = {key: future.result() for key, future in found.items()}
    rows = []
    for algorithm in options.algorithms:
        results = [found[algorithm, seed] for seed in range(1, options.seeds + 1)]
        again = [mean for _, mean in results]
        rival = [found["random", seed] for seed in range(1, options.seeds + 1)] \
            if "random" in options.algorithms and algorithm != "random" else None
        rows.append([
            algorithm, spread([100 * done["val_accuracy"] for done, _ in results]),
            spread([100 * done["test_accuracy"] for done, _ in results]), spread(again),
            wins(again, [mean for _, mean in rival]) if rival else "",
            spread([done["predictor_rank_correlation"] for done, _ in results], 2)
            if "predictor_rank_correlation" in results[0][0] else "",
            spread([done["trained_candidates"] for done, _ in results], 0),
            spread([done["epochs"] for done, _ in results], 0)])
    tools.table(["search of", "validation", "test", "trained again, test", "above random",
                 "rank correlation", "trainings", "epochs"], rows)
    ranks = [[held(place / f"joint-{seed}") for seed in range(1, options.seeds + 1)]] \
        if "joint" in options.algorithms else []
    for seeds in ranks:
        for index, first in enumerate(min(seeds, key=len)):
            values = [each[index]["spearman"] for each in seeds]
            taus = [each[index]["kendall"] for each in seeds]
            tools.say(f"predictor after {first['candidates']} candidates: Spearman "
                      f"{spread(values, 2)}, Kendall {spread(taus, 2)} on unseen candidates")
    tools.note(f"{options.seeds} seeds of {options.preset}; mean ± deviation. Each result is "
               f"trained again {options.retrainings} times by its recipe from other seeds.")


def side(folder):
    return json.loads((folder / "exports/network.json").read_text())["resolution"]


def held(folder):
    report = subprocess.run([tools.product(), "report", folder, "--json"], check=True,
                            capture_output=True, text=True).stdout
    return json.loads(report)["progress"]["held"]


def spread(values, digits=1):
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    return f"{statistics.fmean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def wins(own, rival):
    return f"{sum(a > b for a, b in zip(own, rival))} of {len(own)}"
