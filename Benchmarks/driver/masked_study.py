"""What a search of widths gains: its networks against uniform scaling and random ones."""
import copy
import json
import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .study import RECIPE, begun, call, once, subset, training

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "masked-study"

# A space of FBNetV2 for images of 32×32: 12 widths and 5 expansions a stage, kernels,
# squeeze-and-excite, activations and depth.
SPACE = """\
preset: fbnet-v2-cifar
threads: 1
space:
  stem: {width: 8, stride: 1}
  head: 256
  masked:
    resolutions: []
    divisor: 2
    stages:
    - {widths: [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24], depth: 2, stride: 2, SHARED}
    - {widths: [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48], depth: 3, stride: 2, SHARED}
    - {widths: [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96], depth: 3, stride: 2, SHARED}
search: {batch: 32}
""".replace("SHARED", "skip: true, expansions: [1, 1.5, 2, 2.5, 3],\n"
            "       kernels: [3, 5], squeeze: [none, se], activations: [relu, hswish]")

STEM, WIDEST, DEPTHS, EXPANSION, HEAD = 8, [24, 48, 96], [2, 3, 3], 3, 256

# The backbone without a choice: 3×3, ReLU, all blocks.
PLAIN = [
    {"convolution": True, "kernel": 3, "width": STEM},
    *({"kernel": 3, **({"stride": 2} if place == 0 else {})}
      for depth in DEPTHS for place in range(depth)),
    {"convolution": True, "kernel": 1, "width": HEAD}]

# What each search gives.
KINDS = ["searched", "plain", "operators"]

# Another recipe, so that the order is seen not to hang on the first.
SECOND = ["--set", "shift=4", "--set", "flip=true", "--set", "optimiser=rmsprop",
          "--set", "learning_rate=0.005", "--set", "label_smoothing=0.1"]


def add_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--images", type=int, default=1000, help="training images of a class")
    parser.add_argument("--epochs", type=int, default=12, help="of a search")
    parser.add_argument("--samples", type=int, default=16,
                        help="networks sampled from a search besides the most probable one")
    parser.add_argument("--retrain-epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random", type=int, default=4, help="random networks of each budget")
    parser.add_argument("--budgets", type=int, nargs="+", default=[1_200_000, 2_400_000, 4_000_000],
                        help="FLOPs; the second is the one of both recipes")


def run(options):
    supertop = tools.product()
    tools.title("Searched widths against uniform scaling and random networks")
    data = subset(Path(options.data).resolve(), options.images)
    place = WORK / f"{options.images}-{options.epochs}-{options.retrain_epochs}"
    place.mkdir(parents=True, exist_ok=True)
    space = place / "space.yaml"
    space.write_text(SPACE)
    study = Study(supertop, data, place, space, options)
    middle = options.budgets[min(1, len(options.budgets) - 1)]
    seeds = range(1, options.seeds + 1)

    # Small networks gain little from a second thread: one each, as many at a time as there are
    # cores. The middle budget first, for it says most.
    order = [middle] + [budget for budget in options.budgets if budget != middle]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        searched = {(budget, seed): workers.submit(study.searched, budget, seed)
                    for budget in order for seed in seeds}
        luck = {budget: workers.submit(study.random, budget) for budget in order}
        again = {}
        networks = [(kind, seed, searched[middle, seed].result()[kind])
                    for kind in KINDS for seed in seeds]
        networks += [("random", number, network)
                     for number, network in enumerate(luck[middle].result(), 1)]
        for kind, seed, network in networks:
            again[kind, seed] = workers.submit(
                study.train, network["file"], "second", f"{kind}-{seed}", seed, SECOND)
        searched = {key: future.result() for key, future in searched.items()}
        luck = {budget: future.result() for budget, future in luck.items()}
        again = {key: future.result() for key, future in again.items()}

    rows = []
    for budget in options.budgets:
        networks = [[searched[budget, seed][kind] for seed in seeds] for kind in KINDS]
        off = [100 * (network["flops"] / budget - 1) for network in networks[0]]
        rows.append(row(f"{budget / 1e6:.1f} M", networks, luck[budget], off))

    def second(kind):
        return [{"top1": top1} for (each, _), top1 in sorted(again.items()) if each == kind]
    rows.append(row(f"{middle / 1e6:.1f} M, second recipe", [second(kind) for kind in KINDS],
                    second("random"), []))
    tools.say()
    tools.table(["budget, FLOPs", "off", "searched", "uniform scaling", "its operators", "random",
                 "over uniform", "over random", "ahead of both"], rows)
    tools.note(
        f"{10 * options.images} training images, all test images; searches of {options.epochs} "
        f"epochs, all networks trained from scratch for {options.retrain_epochs} by one recipe; "
        f"top-1 as mean ± deviation of {options.seeds} seeds, or of {options.random} random "
        "networks. Uniform scaling is that of the backbone with 3×3 kernels and ReLU in all "
        "blocks; its operators: the same with the operators and blocks that the search chose.")


def row(name, networks, luck, off):
    top1 = [[100 * network["top1"] for network in each] for each in (*networks, luck)]
    mean = [statistics.fmean(each) for each in top1]
    ahead = sum(a > b and a > mean[3] for a, b in zip(top1[0], top1[1]))
    return [name, f"{min(off):+.1f}..{max(off):+.1f} %" if off else "",
            *(f"{m:.1f} ± {statistics.stdev(each):.1f} %" for m, each in zip(mean, top1)),
            f"{mean[0] - mean[1]:+.1f}", f"{mean[0] - mean[3]:+.1f}",
            f"{ahead} of {len(networks[0])}"]


class Study:
    """The searches and trainings, each kept in a file."""

    def __init__(self, supertop, data, place, space, options):
        self.supertop, self.data, self.place, self.space = supertop, data, place, space
        self.options = options

    def search(self, budget, seed, epochs, warmup, *words):
        folder = self.place / f"search-{budget}-{seed}"
        once(self.place / f"{folder.name}.json", f"searched {folder.name}",
             begun(self.supertop, folder, [
                 self.supertop, "search", self.space, "--data", self.data, "--run", folder,
                 "--json", "--epochs", epochs, "--seed", seed,
                 "--set", f"budget.flops={budget}",
                 "--set", f"temperature.rate={2.5 / epochs}",
                 "--set", f"search.warmup_epochs={warmup}", *words]))
        return folder

    def searched(self, budget, seed):
        """The best network of a search, its uniform scaling, and the plain one's, all trained."""
        epochs = self.options.epochs
        folder = self.search(budget, seed, epochs, epochs // 4)
        derived = self.derive(folder, "--samples", self.options.samples, "--top", 1)
        best = next(each for each in derived if "top1" in each)
        frame = json.loads(best["file"].read_text())
        trained = {"searched": best}
        for kind, network in (("operators", frame), ("plain", {**frame, "layers": PLAIN})):
            file = self.uniform(network, budget, folder / f"{kind}.json")
            top1 = self.train(file, kind, f"{budget}-{seed}", seed, RECIPE)
            trained[kind] = {"file": file, "top1": top1}
        return trained

    def uniform(self, backbone, budget, file):
        """The file of a network with all widths by one factor, the largest that fits the budget.

        Everything else stays as it is, but the expansions, which are the greatest.
        """
        for thousandths in range(1000, 0, -4):
            network = copy.deepcopy(backbone)
            stage, width = -1, STEM
            for layer in network["layers"][1:-1]:
                stage += layer.get("stride", 1) > 1
                layer["middle"] = EXPANSION * width
                width = max(2, 2 * round(thousandths * WIDEST[stage] / 2000))
                layer["width"] = width
            network["name"] = file.stem
            file.write_text(json.dumps(network))
            if self.flops(file) <= budget:
                return file
        tools.fail(f"no uniform scaling within {budget} FLOPs")

    def flops(self, network):
        """Multiply–adds of a network's file."""
        line = call([self.supertop, "bench", "inference", "--network", network, "--batch", 1,
                     "--threads", 1, "--seconds", 0.001, "--json"])[-1]
        return json.loads(line)["floating_point_operations"] // 2

    def random(self, budget):
        """Networks sampled evenly from those within the budget: θ hardly moves."""
        count = self.options.random
        folder = self.search(budget, 100, 2, 1, "--set", "theta.learning_rate=1e-4")
        derived = self.derive(folder, "--samples", count, "--refine", 0, "--top", count + 1)
        return [each for each in derived if "top1" in each and each["source"] == "sample"]

    def derive(self, folder, *words):
        done = once(self.place / f"{folder.name}-derived.json", f"derived from {folder.name}", [
            self.supertop, "derive", folder, *words, "--json",
            "--retrain-epochs", self.options.retrain_epochs, "--threads", 1, *RECIPE])
        return [{**each, "file": folder / each["run"] / "network.json"} if "run" in each else each
                for each in done["networks"]]

    def train(self, network, kind, name, seed, recipe):
        """Top-1 of a network on the test images, trained from scratch."""
        folder = self.place / f"{kind}-{name}"
        return once(self.place / f"{folder.name}.json", f"trained {folder.name}", training(
            self.supertop, network, self.data, folder, self.options.retrain_epochs, seed,
            recipe))["top1"]
