"""Which initial weights train better: both rules, on little and more data, at three rates."""
import json
import os
import random
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .study import begun, block, once, subset, training

# Everything is kept here, and what is there is not done again: the comparison may be interrupted.
WORK = tools.WORK / "first-values"
RULES = ["group-fan-out", "layer-fan-out"]
CANDIDATES = ["k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip"]
# Side of the images, colours, stages (width, layers, stride) and head, as the presets of a search
# have them.
SPACES = {
    "digits": (8, 1, [(16, 1, 1), (24, 2, 1), (32, 2, 2), (48, 1, 1)], 128),
    "cifar-small": (
        32, 3, [(16, 1, 1), (24, 2, 2), (32, 2, 2), (64, 2, 2), (112, 1, 1)], 256),
}
# The recipe's own rate is the middle one.
RATE = 0.02


def add_options(parser):
    parser.add_argument("--data", metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/; "
                             "none: digits alone")
    parser.add_argument("--images", type=int, nargs="+", default=[100, 500],
                        help="training images of a class of CIFAR-10")
    parser.add_argument("--tests", type=int, help="test images of a class (default: all)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3, help="each has a random network of its own")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.5, 1, 2],
                        help=f"learning rates, as multiples of {RATE}")
    parser.add_argument("--searches", action="store_true",
                        help="compare searches of the digits too, about a minute each")
    parser.add_argument("--workers", type=int, default=os.cpu_count(),
                        help="trainings at a time, of one thread each")


def run(options):
    supertop = tools.product()
    tools.title("First values of the weights")
    sets = {"digits, 1,437 images": ("digits", "digits", [])}
    if options.data:
        for images in options.images:
            folder = subset(Path(options.data).resolve(), images, options.tests)
            sets[f"CIFAR-10, {10 * images:,} images"] = (
                "cifar-small", folder, ["--set", "shift=4", "--set", "flip=true"])
    with ThreadPoolExecutor(options.workers) as workers:
        trained = {
            (title, rule, rate): [
                workers.submit(train, supertop, *sets[title], rule, rate, seed, options)
                for seed in range(1, options.seeds + 1)]
            for title in sets for rule in RULES for rate in options.rates}
        searched = {
            rule: [workers.submit(search, supertop, rule, seed)
                   for seed in range(1, options.seeds + 1)]
            for rule in (RULES if options.searches else [])}
    tools.say()
    tools.table(
        ["trained on", "initial weights",
         *(f"top-1 at rate {RATE * rate:g}" for rate in options.rates)],
        [[title, rule, *(spread([each.result() for each in trained[title, rule, rate]])
                         for rate in options.rates)]
         for title in sets for rule in RULES])
    if searched:
        results = {rule: [each.result() for each in searched[rule]] for rule in RULES}
        tools.say()
        tools.table(
            ["searches of the digits", "supernet", "most probable network, with its weights"],
            [[rule, *(spread([each[key] for each in results[rule]])
                      for key in ("val_accuracy", "argmax_accuracy"))] for rule in RULES])
    tools.note(
        f"Mean (least..greatest) of {options.seeds} seeds, each with a random network of its own, "
        f"after {options.epochs} epochs of the default recipe; accuracy on the test images.")


def network(space, seed):
    """A random network of a space, the file's text."""
    side, channels, stages, head = SPACES[space]
    source = random.Random(seed)
    layers = [
        {"width": width, "stride": stride if index == 0 else 1, **block(source.choice(CANDIDATES))}
        for width, depth, stride in stages for index in range(depth)]
    return json.dumps({
        "name": f"{space}-{seed}", "resolution": side, "channels": channels, "classes": 10,
        "stem": {"width": 16, "stride": 1}, "layers": layers, "head": head})


def train(supertop, space, data, settings, rule, rate, seed, options):
    """Top-1 of a random network on the test images."""
    name = f"{space}-{Path(data).name}-{options.epochs}-{rule}-{rate:g}-{seed}"
    WORK.mkdir(parents=True, exist_ok=True)
    file = WORK / f"{space}-{seed}.json"
    file.write_text(network(space, seed))
    folder = WORK / name
    return once(folder.with_name(name + ".done"), f"trained {name}", training(
        supertop, file, data, folder, options.epochs, seed,
        [*settings, "--set", f"first_values={rule}", "--set", f"learning_rate={RATE * rate:g}"],
        SPACES[space][0]))["top1"]


def search(supertop, rule, seed):
    """The `done` object of a search of the digits."""
    name = f"search-{rule}-{seed}"
    folder = WORK / name
    return once(folder.with_name(name + ".done"), f"searched {name}", begun(supertop, folder, [
        supertop, "search", "--preset", "digits", "--run", folder, "--json", "--seed", seed,
        "--threads", 1, "--set", f"weights.first_values={rule}"]))


def spread(values):
    low, middle, high = (100 * f(values) for f in (min, statistics.fmean, max))
    return f"{middle:.1f} % ({low:.1f}..{high:.1f})"
