"""What a search by latency gains over luck: searched networks against random ones that are as fast."""
import json
import random
import statistics
import subprocess
import time
from pathlib import Path

from . import tools

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "study"
PRESET = "cifar-small"


def add_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--images", type=int, default=500, help="training images of a class")
    parser.add_argument("--epochs", type=int, default=12, help="of a search")
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
    budgets = [low + share * (high - low) for share in options.budgets]
    middle = budgets[min(1, len(budgets) - 1)]
    train = Trainer(supertop, data, place, options)

    found = {}
    for seed in range(1, options.seeds + 1):
        for budget in budgets if seed == 1 else [middle]:
            found[budget, seed] = search(supertop, data, place, table, budget, seed, options)
    rivals = space.draw(middle, options.random, found[middle, 1]["network"], place)
    for network in rivals + [each["network"] for each in found.values()]:
        train(network)

    tools.say()
    rows = []
    for (budget, seed), each in sorted(found.items()):
        timed = time_of(supertop, each["network"])
        rows.append([
            f"{budget:.3f}", seed, f"{each['expected_cost']:.3f}",
            f"{100 * (each['expected_cost'] / budget - 1):+.1f} %", f"{each['latency_ms']:.3f}",
            f"{timed:.3f}", f"{100 * (timed / budget - 1):+.1f} %",
            "yes" if each["repaired"] else "no", f"{100 * train(each['network']):.1f} %"])
    tools.table(
        ["budget, ms", "seed", "expected", "off", "table", "timed", "off", "repaired", "top-1"],
        rows)

    tools.say()
    luck = [train(network) for network in rivals]
    mean, deviation = statistics.fmean(luck), statistics.stdev(luck)
    rows = [["random", len(luck), f"{100 * mean:.1f} %", f"{100 * deviation:.1f}",
             f"{100 * min(luck):.1f}..{100 * max(luck):.1f} %", ""]]
    wins = 0
    for seed in range(1, options.seeds + 1):
        top1 = train(found[middle, seed]["network"])
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


def subset(folder, images):
    """The first training images of each class and all test images, as links."""
    place = WORK / f"images-{images}"
    if not place.exists():
        making = place.with_suffix(".making")
        for part, count in (("train", images), ("test", None)):
            for group in sorted((folder / part).iterdir()):
                (making / part / group.name).mkdir(parents=True, exist_ok=True)
                for image in sorted(group.iterdir())[:count]:
                    link = making / part / group.name / image.name
                    if not link.exists():
                        link.symlink_to(image)
        making.rename(place)
    return place


def search(supertop, data, place, table, budget, seed, options):
    """The `done` object of a search for networks of `budget` ms."""
    folder = place / f"search-{budget:.3f}-{seed}"
    result = place / f"{folder.name}.json"
    if not result.exists():
        if (folder / "run.sqlite").exists():
            command = [supertop, "resume", folder, "--json"]
        else:
            # Few epochs of few images: small batches make steps of them, θ has to move faster, and the
            # temperature to fall in time, but not so low that nothing is learned any more.
            command = [
                supertop, "search", "--preset", PRESET, "--data", data, "--run", folder, "--json",
                "--epochs", options.epochs, "--seed", seed, "--set", f"budget.latency={budget}",
                "--set", f"latency.table={table}", "--set", "search.batch=32",
                "--set", "theta.learning_rate=0.15",
                "--set", f"temperature.rate={2.5 / options.epochs:.4f}",
                "--set", "search.warmup_epochs=" + str(max(1, options.epochs // 4))]
        clock = time.monotonic()
        result.write_text(call(command)[-1])
        tools.say(f"searched {folder.name} in {time.monotonic() - clock:.0f} s")
    return {**json.loads(result.read_text()), "network": folder / "exports" / "network.json"}


class Space:
    """The prices of a space, and random networks of it."""

    def __init__(self, supertop, table):
        shown = json.loads(call(
            [supertop, "latency", "show", table, "--preset", PRESET, "--json"])[-1])
        self.names = shown["candidates"]
        self.prices = [row["ms"] for row in shown["rows"]]
        self.fixed = shown["fixed_ms"]
        self.range = shown["least_ms"], shown["most_ms"]

    def draw(self, budget, count, template, place):
        """Files of `count` networks, each as likely as any other that takes the budget within 5 %."""
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
            file.write_text(json.dumps(self.network(choice, json.loads(template.read_text()))))
            files.append(file)
        return files

    def network(self, choice, network):
        """The template's frame with other blocks."""
        # The stem stands before the searched layers, the head behind them.
        searched = [layer for layer in network["layers"] if "convolution" not in layer]
        for layer, index in zip(searched, choice, strict=True):
            name = self.names[index]
            kept = {key: layer[key] for key in ("width", "stride") if key in layer}
            layer.clear()
            layer.update(kept)
            if name == "skip":
                layer["skip"] = True
                continue
            kernel, expansion, *groups = name.split("_")
            layer.update(kernel=int(kernel[1:]), expansion=int(expansion[1:]))
            if groups:
                layer["groups"] = int(groups[0][1:])
        network["name"] = "random-" + "".join(map(str, choice))
        return network


class Trainer:
    """Trains networks from scratch, each once, all by one recipe."""

    def __init__(self, supertop, data, place, options):
        self.supertop, self.data, self.place, self.options = supertop, data, place, options

    def __call__(self, network):
        name = network.stem if network.parent.name == "random" else network.parents[1].name
        folder = self.place / f"trained-{name}"
        result = self.place / f"{folder.name}.json"
        if not result.exists():
            if (folder / "run.sqlite").exists():
                command = [self.supertop, "resume", folder, "--json"]
            else:
                command = [
                    self.supertop, "train", network, "--data", self.data, "--resolution", 32,
                    "--run", folder, "--json", "--epochs", self.options.retrain_epochs,
                    "--set", "shift=4", "--set", "flip=true", "--set", "learning_rate=0.05"]
            clock = time.monotonic()
            result.write_text(call(command)[-1])
            tools.say(f"trained {name} in {time.monotonic() - clock:.0f} s")
        return json.loads(result.read_text())["top1"]


def time_of(supertop, network):
    """Median milliseconds of an image through a network, one thread."""
    return tools.measure([supertop, "bench", "inference", "--network", network, "--batch", 1,
                          "--threads", 1, "--seconds", 1, "--json"])["median_ms"]
