"""What a search by latency gains: its networks against random ones that are as fast."""
import copy
import json
import os
import random
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "study"
PRESET = "cifar-small"


def add_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--images", type=int, default=1000, help="training images of a class")
    parser.add_argument("--epochs", type=int, default=16, help="of a search")
    parser.add_argument("--samples", type=int, default=30,
                        help="networks sampled from a search besides the most probable one")
    parser.add_argument("--retrain-epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random", type=int, default=6, help="random networks")
    parser.add_argument("--budgets", type=float, nargs="+", default=[0.2, 0.35, 0.55],
                        help="as shares of the way from the fastest network to the slowest; the "
                             "second is the one of all seeds")


def run(options):
    supertop = tools.product()
    tools.title(f"Searched against random networks, {PRESET}")
    data = subset(Path(options.data).resolve(), options.images)
    place = WORK / f"{options.images}-{options.epochs}-{options.retrain_epochs}"
    place.mkdir(parents=True, exist_ok=True)
    table = WORK / f"{PRESET}.json"
    if not table.exists():
        call([supertop, "latency", "measure", "--preset", PRESET, "--threads", 1, "--out", table])
    space = Space(supertop, table)
    low, high = space.range
    tools.say(f"Networks of the space take {low:.3f} to {high:.3f} ms on one thread.")
    budgets = [round(low + share * (high - low), 3) for share in options.budgets]
    middle = budgets[min(1, len(budgets) - 1)]

    # Small networks gain little from a second thread: one each, as many at a time as there are
    # cores.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        def start(budget, seed):
            return workers.submit(search, supertop, data, place, table, budget, seed, options)

        found = {(middle, seed): start(middle, seed) for seed in range(1, options.seeds + 1)}
        frame = found[middle, 1].result()["network"]
        luck = [
            workers.submit(train, supertop, data, place, network, seed, options)
            for seed, network in enumerate(
                space.sample(middle, options.random, json.loads(frame.read_text()), place), 1)]
        found |= {(budget, 1): start(budget, 1) for budget in budgets if budget != middle}
        found = {key: future.result() for key, future in found.items()}
        luck = [future.result() for future in luck]

    tools.say()
    rows = []
    for (budget, seed), each in sorted(found.items()):
        timed = time_of(supertop, each["network"])
        rows.append([
            f"{budget:.3f}", seed, f"{each['expected_cost']:.3f}",
            f"{100 * (each['expected_cost'] / budget - 1):+.1f} %", f"{each['latency_ms']:.3f}",
            f"{timed:.3f}", f"{100 * (timed / budget - 1):+.1f} %",
            f"{each['derived']['latency_ms']:.3f}", f"{100 * each['derived']['top1']:.1f} %"])
    tools.table(
        ["budget, ms", "seed", "expected", "off", "most probable, table", "timed", "off",
         "derived, table", "top-1"],
        rows)

    tools.say()
    mean, deviation = statistics.fmean(luck), statistics.stdev(luck)
    rows = [["random", len(luck), f"{100 * mean:.1f} %", f"{100 * deviation:.1f}",
             f"{100 * min(luck):.1f}..{100 * max(luck):.1f} %", ""]]
    wins = 0
    for seed in range(1, options.seeds + 1):
        top1 = found[middle, seed]["derived"]["top1"]
        wins += top1 > mean
        rows.append([f"searched, seed {seed}", 1, f"{100 * top1:.1f} %", "", "",
                     f"{100 * (top1 - mean):+.1f}"])
    tools.table(["networks", "how many", "top-1", "deviation", "range", "over the random mean"],
                rows)
    tools.note(
        f"{10 * options.images} training images; searches of {options.epochs} epochs, all networks "
        f"trained from scratch for {options.retrain_epochs} by one recipe; random ones take "
        f"{middle:.3f} ms +-5 % by the same table. Better than the random mean: {wins} of "
        f"{options.seeds} seeds.")


def call(command):
    done = subprocess.run([str(word) for word in command], cwd=tools.ROOT, capture_output=True,
                          text=True)
    if done.returncode:
        tools.fail(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr}")
    return [line for line in done.stdout.splitlines() if line.startswith("{")]


def subset(folder, images, tests=None):
    """The first training images of each class and the first or all test images, as links."""
    place = WORK / (f"images-{images}" + (f"-{tests}" if tests else ""))
    if not place.exists():
        making = place.with_suffix(".making")
        for part, count in (("train", images), ("test", tests)):
            for group in sorted((folder / part).iterdir()):
                (making / part / group.name).mkdir(parents=True, exist_ok=True)
                for image in sorted(group.iterdir())[:count]:
                    link = making / part / group.name / image.name
                    if not link.exists():
                        link.symlink_to(image)
        making.rename(place)
    return place


# All networks are trained by this recipe; the rest of it is the default one.
RECIPE = ["--set", "shift=4", "--set", "flip=true", "--set", "learning_rate=0.05"]


def search(supertop, data, place, table, budget, seed, options):
    """The `done` object of a search for networks of `budget` ms.

    With `network`, its most probable one, and the best `derived`.
    """
    folder = place / f"search-{budget:.3f}-{seed}"
    # Small batches make many steps of few images, and a sample for each image makes each step's
    # gradient of θ that of many networks. So θ can move faster than over the paper's 90 epochs; the
    # temperature falls in proportion to them, but not so low that nothing is learned any more.
    done = once(place / f"{folder.name}.json", f"searched {folder.name}", begun(supertop, folder, [
        supertop, "search", "--preset", PRESET, "--data", data, "--run", folder, "--json",
        "--epochs", options.epochs, "--seed", seed, "--threads", 1,
        "--set", f"budget.latency={budget}", "--set", f"latency.table={table}",
        "--set", "search.batch=32", "--set", "search.sampling=sample",
        "--set", "theta.learning_rate=0.04",
        "--set", f"temperature.rate={2.5 / options.epochs}",
        "--set", f"search.warmup_epochs={options.epochs // 4}"]))
    # The best of the most probable network and the sampled ones, by images that training did not
    # see.
    derived = once(place / f"{folder.name}-derived.json", f"derived from {folder.name}", [
        supertop, "derive", folder, "--samples", options.samples, "--top", 1,
        "--retrain-epochs", options.retrain_epochs, "--threads", 1, "--json", *RECIPE])
    best = next(each for each in derived["networks"] if "top1" in each)
    return {**done, "network": folder / "exports" / "network.json", "derived": best}


def train(supertop, data, place, network, seed, options):
    """Top-1 of a network on the test images, trained from scratch."""
    folder = place / f"trained-{network.stem}"
    return once(place / f"{folder.name}.json", f"trained {network.stem}", training(
        supertop, network, data, folder, options.retrain_epochs, seed, RECIPE))["top1"]


def training(supertop, network, data, folder, epochs, seed, settings, side=32):
    """The command that trains a network on one thread, as the run in `folder`, or continues it."""
    return begun(supertop, folder, [
        supertop, "train", network, "--data", data, "--resolution", side, "--run", folder, "--json",
        "--epochs", epochs, "--seed", seed, "--threads", 1, *settings])


def begun(supertop, folder, command):
    """`command`, or the one that continues the run that it has begun in `folder`."""
    if (folder / "run.sqlite").exists():
        return [supertop, "resume", folder, "--headless", "--json"]
    return command


def once(result, what, command):
    """The last JSON object of `command`, kept in the file `result` and read from there if it is."""
    if not result.exists():
        clock = time.monotonic()
        result.write_text(call(command)[-1])
        tools.say(f"{what} in {time.monotonic() - clock:.0f} s")
    return json.loads(result.read_text())


class Space:
    """The prices of a space, and random networks of it."""

    def __init__(self, supertop, table):
        shown = json.loads(call(
            [supertop, "latency", "show", table, "--preset", PRESET, "--json"])[-1])
        self.names = shown["candidates"]
        self.prices = [row["ms"] for row in shown["rows"]]
        self.fixed = shown["fixed_ms"]
        self.range = shown["least_ms"], shown["most_ms"]

    def sample(self, budget, count, frame, place):
        """Files of `count` networks, sampled uniformly from those within 5 % of the budget."""
        source = random.Random(1)
        folder = place / "random"
        folder.mkdir(exist_ok=True)
        files = []
        while len(files) < count:
            choice = [source.randrange(len(prices)) for prices in self.prices]
            cost = self.fixed + sum(prices[i] for prices, i in zip(self.prices, choice))
            if abs(cost / budget - 1) > 0.05:
                continue
            file = folder / ("".join(map(str, choice)) + ".json")
            if file in files:
                continue
            file.write_text(json.dumps(self.network(choice, frame)))
            files.append(file)
        return files

    def network(self, choice, frame):
        """The frame of a found network with other blocks."""
        return with_blocks(frame, [self.names[index] for index in choice],
                           "random-" + "".join(map(str, choice)))


def with_blocks(frame, blocks, name):
    """The network `frame` as `name`, with other blocks in its searched layers."""
    network = {**copy.deepcopy(frame), "name": name}
    # The stem stands before the searched layers, the head behind them.
    searched = [layer for layer in network["layers"] if "convolution" not in layer]
    for layer, candidate in zip(searched, blocks, strict=True):
        kept = {key: layer[key] for key in ("width", "stride") if key in layer}
        layer.clear()
        layer.update(kept, **block(candidate))
    return network


def block(name):
    """What a network's file says of a candidate block, such as k3_e1_g2 or skip."""
    if name == "skip":
        return {"skip": True}
    kernel, expansion, *groups = name.split("_")
    keys = {"kernel": int(kernel[1:]), "expansion": int(expansion[1:])}
    return {**keys, "groups": int(groups[0][1:])} if groups else keys


def time_of(supertop, network):
    """Milliseconds of an image through a network, one thread: the least of five runs' medians."""
    # Neighbours on a shared host slow whole seconds by a tenth; the table leaves such out too.
    return min(
        tools.measure([supertop, "bench", "inference", "--network", network, "--batch", 1,
                       "--threads", 1, "--seconds", 1, "--json"])["median_ms"]
        for _ in range(5))
