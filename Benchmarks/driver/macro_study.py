"""Whether inherited weights rank networks as training does: NAS-Bench-Macro, beside PyTorch."""
import json
import os
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .search_race import parsed
from .study import begun, call, once, subset

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "macro-study"
SPACE = Path(__file__).with_name("macro.yaml")

# Of all searches and of PyTorch. The loss is the cross-entropy alone, as a cost of no weight shows
# in no digit. Few images are kept from the weights, which learn from few.
RECIPE = {
    "search.batch": 64, "search.theta_share": 0.02, "search.validation_share": 0.05,
    "search.recalibration_images": 256, "search.ranked_networks": 0,
    "search.paths": "drawn", "search.drawn_paths": 2,
    "weights.learning_rate": 0.05, "weights.momentum": 0.9, "weights.weight_decay": 1e-4,
    "temperature.start": 5,
    "loss.form": "additive", "loss.alpha": 1e-9, "data.shift": 4, "data.flip": True,
}
# Weights alone, from even draws; and θ as well.
KINDS = {
    "even": {"search.algorithm": "random", "search.random_networks": 1},
    "dnas": {"search.theta_share": 0.2},
}


def add_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--table", required=True, metavar="FILE",
                        help="the table of NAS-Bench-Macro: arch, acc0, …, madds")
    parser.add_argument("--images", type=int, default=1000, help="training images of a class")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--networks", default="100",
                        help="of the table, evaluated; or all")
    parser.add_argument("--refine", type=int, default=16, help="neighbours evaluated at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--torch-seeds", type=int, default=3, help="0 leaves PyTorch out")
    parser.add_argument("--threads", type=int, default=1,
                        help="of a search, as many of which run at a time as there are cores")
    parser.add_argument("--set", action="append", default=[], dest="settings",
                        help="of all searches")


def run(options):
    supertop = tools.product()
    tools.title("Inherited against true accuracy, NAS-Bench-Macro")
    study = Study(supertop, options)
    seeds = range(1, options.seeds + 1)
    keys = [(kind, seed) for kind in options.kinds for seed in seeds]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        proofs = dict(zip(keys, workers.map(lambda key: study.proof(*key), keys)))
        torch = list(workers.map(study.torch, range(1, options.torch_seeds + 1)))

    rows = []
    sides = [(kind, [proofs[kind, seed] for seed in seeds]) for kind in options.kinds]
    for name, found in sides + ([("PyTorch, even", torch)] if torch else []):
        for order in ("accuracy", "loss"):
            rows.append(row(name, order, [ranking(each, order) for each in found]))
    # The floor: the same networks, whatever the seed.
    rows.append(row("madds alone", "cost", [ranking(proofs[options.kinds[0], 1], "cost")]))
    tools.table(["weights", "ranked by", "tau", "inside tenths", "by seed", "best 1 %",
                 "best 5 %"], rows)

    tools.say()
    rows = []
    for kind, found in sides:
        for rule in [each["rule"] for each in found[0]["choices"]]:
            own = [next(each for each in proof["choices"] if each["rule"] == rule)
                   for proof in found]
            regrets, luck = [[each[key] for each in own] for key in ("regret", "random_regret")]
            # The best of all that were evaluated is what random search with as many finds.
            is_luck = rule == "inherited"
            rows.append([
                kind, rule, spread(regrets, 2), "" if is_luck else spread(luck, 2),
                "" if is_luck else f"{sum(a <= b for a, b in zip(regrets, luck))} of {len(own)}",
                " ".join(each["architecture"] for each in own),
                f"{statistics.fmean(each['evaluations'] for each in own):.0f}"])
        blind = [proof["blind_regret"] for proof in found]
        rows.append([kind, "none: picked blindly", spread(blind, 2), "", "", "", "0"])
    tools.table(["weights", "chosen by", "regret", "random search", "no worse", "networks",
                 "evaluations"], rows)
    tools.note(
        f"{10 * options.images} training images, {options.epochs} epochs, {options.seeds} seeds; "
        f"{len(proofs[options.kinds[0], 1]['networks'])} networks of the table, evenly over the "
        "tenths by madds. Regret in points of accuracy below the best of the table.")


def ranking(proof, order):
    return next(each for each in proof["rankings"] if each["by"] == order)


def row(name, order, found):
    def of(key):
        return [each[key] for each in found]

    return [name, order, spread(of("tau")), spread(of("tenths_tau")),
            " ".join(f"{each:.2f}" for each in of("tenths_tau")),
            spread(of("precision_1")), spread(of("precision_5"))]


def spread(values, digits=2):
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


class Study:
    """Searches on one set of images, and what their weights say of the table."""

    def __init__(self, supertop, options):
        self.supertop, self.options = supertop, options
        # The test images decide nothing here.
        self.data = subset(Path(options.data).resolve(), options.images, 100)
        self.place = WORK / "-".join(map(str, [options.images, options.epochs, *options.settings]))
        self.place.mkdir(parents=True, exist_ok=True)

    def settings(self, kind):
        # What is given on the command line goes before the recipe.
        given = {key: parsed(value) for key, value in (
            each.split("=", 1) for each in self.options.settings)}
        epochs = self.options.epochs
        # From nearly even mixtures to nearly a single candidate, however many epochs there are.
        return {"search.epochs": epochs, "temperature.rate": 4 / epochs, **RECIPE, **KINDS[kind],
                **given}

    def proof(self, kind, seed):
        """What `prove --run` says of the search of a seed."""
        options = self.options
        folder = self.place / f"{kind}-{seed}"
        once(self.place / f"{folder.name}.json", f"searched {folder.name}",
             begun(self.supertop, folder, [
                 self.supertop, "search", SPACE, "--data", self.data, "--run", folder, "--json",
                 "--seed", seed, "--threads", options.threads,
                 *(word for key, value in self.settings(kind).items()
                   for word in ("--set", f"{key}={text(value)}"))]))
        name = f"{folder.name}-proof-{options.networks}-{options.refine}"
        return once(self.place / f"{name}.json", f"proved {folder.name}", [
            self.supertop, "prove", "--table", options.table, "--run", folder, "--metric", "madds",
            "--networks", options.networks, "--refine", options.refine, "--json",
            "--threads", options.threads])

    def torch(self, seed):
        """The same of PyTorch's weights, for the networks that were evaluated with ours."""
        proof = self.proof("even", seed)
        python = tools.peers()
        arrays = self.place / f"{self.data.name}.npz"
        if not arrays.exists():
            call([python, tools.PEERS / "images.py", self.data, arrays])
        networks = self.place / f"networks-{self.options.networks}.json"
        networks.write_text(json.dumps([each["architecture"] for each in proof["networks"]]))
        settings = {**self.settings("even"), "seed": seed}
        found = once(
            self.place / f"torch-{seed}-{self.options.networks}.json", f"PyTorch, seed {seed}", [
                python, tools.PEERS / "macro.py", "--data", arrays, "--settings",
                json.dumps(settings), "--networks", networks, "--threads",
                self.options.threads])
        own = {each["architecture"]: each for each in found["networks"]}
        joined = [{**each, **own[each["architecture"]]} for each in proof["networks"]]
        return {"rankings": [agreement(joined, order) for order in ("accuracy", "loss")]}


def text(value):
    """As the command line has it."""
    return value if isinstance(value, str) else json.dumps(value)


def agreement(networks, order):
    """As supertop's object of that name."""
    def worth(each):
        first = each["inherited_accuracy"] if order == "accuracy" else 0
        return first, -each["inherited_loss"]

    def value(each):
        return worth(each)[0] if order == "accuracy" else worth(each)[1]

    def tau(part):
        return kendall([value(each) for each in part], [each["accuracy"] for each in part])

    def precision(percent):
        count = max(1, -(-len(networks) * percent // 100))
        least = sorted((each["accuracy"] for each in networks), reverse=True)[count - 1]
        best = sorted(networks, key=worth, reverse=True)[:count]
        return sum(each["accuracy"] >= least for each in best) / count

    inside = [tau(part) for part in (
        [each for each in networks if each["tenth"] == tenth] for tenth in range(1, 11))
        if len(part) > 1]
    return {"by": order, "tau": tau(networks), "tenths_tau": statistics.fmean(inside),
            "precision_1": precision(1), "precision_5": precision(5)}


def kendall(a, b):
    """Kendall's τ-b; 0 where one list has one value only."""
    def sign(value):
        return (value > 0) - (value < 0)

    pairs = [(sign(a[i] - a[j]), sign(b[i] - b[j])) for i in range(len(a)) for j in range(i)]
    first, second = (sum(pair[side] ** 2 for pair in pairs) for side in (0, 1))
    agree = sum(x * y for x, y in pairs)
    return agree / (first * second) ** 0.5 if first and second else 0
