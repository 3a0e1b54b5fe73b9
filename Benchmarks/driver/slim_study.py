"""What slimming a trained network gains: searched widths against uniform scaling."""
import json
import os
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .study import RECIPE, begun, once, subset

# Everything is kept here, and what is there is not done again: the study may be interrupted.
WORK = tools.WORK / "slim-study"


def network(expansion, width):
    """A plain network whose widths are `width` times 16, 24, 48, 96 and 256."""
    blocks = [{"kernel": 3, "expansion": expansion, "width": round(width * each), "stride": stride}
              for each in (24, 48, 96) for stride in (2, 1)]
    return {"name": "plain", "resolution": 32, "channels": 3, "classes": 10, "layers": [
        {"convolution": True, "kernel": 3, "width": round(width * 16)}, *blocks,
        {"convolution": True, "kernel": 1, "width": round(width * 256)}]}


def add_options(parser):
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--expansion", type=int, default=6,
                        help="of the network's blocks; 6 is MobileNetV2's and FBNet's")
    parser.add_argument("--width", type=float, default=1, help="of the network, as a factor")
    parser.add_argument("--images", type=int, default=500, help="training images of a class")
    parser.add_argument("--train-epochs", type=int, default=20, help="of the whole network")
    parser.add_argument("--epochs", type=int, default=8, help="of a search")
    parser.add_argument("--retrain-epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.7],
                        help="of the network's FLOPs to keep")


def run(options):
    supertop = tools.product()
    tools.title("Slimming a trained network against uniform scaling")
    data = subset(Path(options.data).resolve(), options.images)
    place = WORK / (f"{options.images}-{options.train_epochs}-{options.epochs}-"
                    f"{options.retrain_epochs}-{options.expansion}"
                    + (f"-{options.width:g}" if options.width != 1 else ""))
    place.mkdir(parents=True, exist_ok=True)
    described = place / "network.json"
    described.write_text(json.dumps(network(options.expansion, options.width)))
    folder = place / "whole"
    whole = once(place / "whole.json", "trained the whole network", begun(supertop, folder, [
        supertop, "train", described, "--data", data, "--run", folder, "--json",
        "--epochs", options.train_epochs, "--seed", 1, *RECIPE]))
    tools.say(f"The whole network: {whole['flops'] / 1e6:.2f} M FLOPs, "
              f"{100 * whole['top1']:.1f} % top-1.")

    def slimmed(share, seed):
        folder = place / f"slim-{share}-{seed}"
        done = once(place / f"{folder.name}.json", f"searched {folder.name}",
                    begun(supertop, folder, [
                        supertop, "search", "--space-from", place / "whole", "--keep", share,
                        "--data", data, "--run", folder, "--json", "--epochs", options.epochs,
                        "--seed", seed, "--threads", 1, "--set", "search.batch=32",
                        "--set", f"temperature.rate={2.5 / options.epochs}",
                        "--set", f"search.warmup_epochs={options.epochs // 4}"]))
        derived = once(place / f"{folder.name}-derived.json", f"derived from {folder.name}", [
            supertop, "derive", folder, "--samples", 4, "--refine", 20, "--top", 1, "--inherit",
            "--uniform", "--retrain-epochs", options.retrain_epochs, "--threads", 1, "--json",
            "--set", "shift=4", "--set", "flip=true"])
        trained = [each for each in derived["networks"] if "top1" in each]
        return (done["budget"],
                next(each for each in trained if each["source"] != "uniform"),
                next(each for each in trained if each["source"] == "uniform"))

    seeds = range(1, options.seeds + 1)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        found = {(share, seed): workers.submit(slimmed, share, seed)
                 for share in options.shares for seed in seeds}
        found = {key: future.result() for key, future in found.items()}
    rows = []
    for share in options.shares:
        own, uniform = [], []
        for seed in seeds:
            budget, best, scaled = found[share, seed]
            own.append(100 * best["top1"])
            uniform.append(100 * scaled["top1"])
            rows.append([f"{100 * share:.0f} %", seed,
                         f"{100 * (best['flops'] / budget - 1):+.1f} %", f"{own[-1]:.1f} %",
                         f"{100 * (scaled['flops'] / budget - 1):+.1f} %", f"{uniform[-1]:.1f} %",
                         f"{own[-1] - uniform[-1]:+.1f}"])
        rows.append([f"{100 * share:.0f} %", "mean", "",
                     f"{statistics.fmean(own):.1f} ± {statistics.stdev(own):.1f} %", "",
                     f"{statistics.fmean(uniform):.1f} ± {statistics.stdev(uniform):.1f} %",
                     f"{statistics.fmean(own) - statistics.fmean(uniform):+.1f}"])
    tools.table(["FLOPs kept", "seed", "searched, off", "top-1", "uniform scaling, off", "top-1",
                 "over uniform"], rows)
    tools.note(
        f"{10 * options.images} training images, all test images; the whole network trained for "
        f"{options.train_epochs} epochs, searches of {options.epochs}, both networks trained on "
        f"from its weights for {options.retrain_epochs} by one recipe.")
