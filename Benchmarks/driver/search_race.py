"""Whole searches against PyTorch's: time and memory to the network, and what it is worth."""
import json
import os
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import tools
from .search_study import WAYS
from .study import RECIPE, call, once, subset, training, with_blocks

# Everything is kept here, and what is there is not done again: the race may be interrupted.
WORK = tools.WORK / "search-race"
OURS = {f"supertop, {way}": settings for way, settings in WAYS.items() if way != "pruned"}
EAGER, COMPILE = "PyTorch eager", "PyTorch compile"


def add_options(parser):
    parser.add_argument("--preset", default="cifar-small", choices=["cifar-small", "cifar"])
    parser.add_argument("--data", required=True, metavar="FOLDER",
                        help="CIFAR-10 as images: train/<class>/ and test/<class>/")
    parser.add_argument("--images", type=int, default=1000, help="training images of a class")
    parser.add_argument("--tests", type=int, help="test images of a class (default: all)")
    parser.add_argument("--flops", type=float, default=6e6, help="the budget of a search")
    parser.add_argument("--epochs", type=int, default=10, help="of a search")
    parser.add_argument("--rounds", type=int, default=1,
                        help="searches of each side, with seeds from 1 on")
    parser.add_argument("--retrain-epochs", type=int, default=10,
                        help="of the networks that were found; 0 leaves this out")
    parser.add_argument("--compile", action="store_true",
                        help="torch.compile too (it needs a C++ compiler)")


def run(options):
    supertop, python = tools.product(), tools.peers()
    tools.title(
        f"Whole searches against PyTorch, {options.preset}, {options.flops / 1e6:g} M FLOPs")
    race = Race(supertop, python, options)
    names = [*OURS, EAGER] + ([COMPILE] if options.compile else [])
    results = {name: [] for name in names}
    for index in range(options.rounds):
        # Every second round the other way round, as in `tools.Sides`.
        for name in names if index % 2 == 0 else reversed(names):
            results[name].append(race.search(name, index + 1))
    top1 = race.retrained(names) if options.retrain_epochs else None
    tools.table(
        ["engine", "s", "images/s", "supertop's speed, times", "peak MiB",
         "supertop's memory, times", "M FLOPs", "supernet", "network alone"]
        + (["top-1, retrained"] if top1 else []),
        [row(name, results, top1) for name in names])
    others = max(each["others"] for each in sum(results.values(), []))
    retrained = f"trained from scratch for {options.retrain_epochs} epochs by one recipe"
    tools.note(
        f"{10 * options.images} training images, searches of {options.epochs} epochs, one at a "
        f"time on {os.cpu_count()} threads; {options.rounds} of each. Time from the start of the "
        "process to its end. Speed and memory: in the lines of supertop over PyTorch eager, in "
        "those of PyTorch of supertop with all candidates. Accuracies on the test images: of the "
        "supernet, of the network with its weights"
        + (f", and of the network {retrained}" if top1 else "")
        + f". Other programs used up to {tools.share(others)} of the machine during a search.")


def row(name, results, top1):
    def median(field):
        return statistics.median(each[field] for each in results[name])

    def percent(field):
        return f"{100 * statistics.fmean(each[field] for each in results[name]):.1f} %"

    def over(field, own, peer):
        return tools.spread(tools.ratio(
            *([each[field] for each in results[side]] for side in (peer, own))))

    # One of supertop's ways beside PyTorch's eager search.
    ours, peer = (name, EAGER) if name in OURS else (next(iter(OURS)), name)
    line = [name, f"{median('wall_s'):.0f}", f"{median('images_per_s'):.0f}",
            over("wall_s", ours, peer), f"{median('peak_rss_mib'):.0f}",
            over("peak_rss_mib", peer, ours), f"{median('flops') / 1e6:.2f}",
            percent("supernet_test_accuracy"), percent("test_accuracy")]
    return line + [" ".join(f"{100 * each:.1f} %" for each in top1[name])] if top1 else line


class Race:
    """Searches of the same images with the same settings."""

    def __init__(self, supertop, python, options):
        self.supertop, self.python, self.options = supertop, python, options
        self.library = tools.tcmalloc()
        tools.say(f"PyTorch's allocator: "
                  f"{self.library or 'the C library, for no tcmalloc was found'}")
        tools.say()
        self.data = subset(Path(options.data).resolve(), options.images, options.tests)
        self.place = WORK / "-".join(map(str, [
            options.preset, self.data.name, f"{options.flops:g}", options.epochs]))
        self.place.mkdir(parents=True, exist_ok=True)
        self.settings = [f"search.epochs={options.epochs}", f"budget.flops={options.flops:.0f}"]
        self.configuration = configuration(supertop, options.preset, self.settings)
        # Neither side decodes images on the clock: supertop has a cache of them.
        side = self.configuration["data.resolution"]
        self.images = WORK / f"{self.data.name}-{side}.npz"
        if not self.images.exists():
            call([python, tools.PEERS / "images.py", self.data, self.images, "--side", side])
        call([supertop, "data", "info", self.data])

    def search(self, name, seed):
        """The last object of a search, with its time, memory and the network's file."""
        result = self.place / f"{stem(name, seed)}.json"
        if not result.exists():
            folder = self.place / stem(name, seed)
            shutil.rmtree(folder, ignore_errors=True)
            command, environment = self.command(name, seed, folder)
            done = measured(command, environment)
            if name not in OURS and self.library and done["allocator"] == "malloc":
                tools.fail(f"{name} did not run on {self.library}")
            result.write_text(json.dumps(done))
            tools.say(f"{folder.name} in {done['wall_s']:.0f} s")
        done = json.loads(result.read_text())
        return {**done, "images_per_s": self.trained_images() / done["wall_s"]}

    def trained_images(self):
        """Images that all steps of a search see."""
        count, batch = 10 * self.options.images, self.configuration["search.batch"]
        theta = round(count * self.configuration["search.theta_share"])
        weights = count - theta - round(count * self.configuration["search.validation_share"])
        warm = self.options.epochs - self.configuration["search.warmup_epochs"]
        return batch * (weights // batch * self.options.epochs + theta // batch * warm)

    def command(self, name, seed, folder):
        if name in OURS:
            settings = self.settings + OURS[name]
            return [
                self.supertop, "search", "--preset", self.options.preset, "--data", self.data,
                "--run", folder, "--json", "--seed", seed,
                *(word for setting in settings for word in ("--set", setting))], {}
        settings = json.dumps({**self.configuration, "seed": seed})
        command = [self.python, tools.PEERS / "search.py", "--preset", self.options.preset,
                   "--data", self.images, "--settings", settings, "--threads", os.cpu_count()]
        environment = tools.preloading(self.library)
        if name == COMPILE:
            return command + ["--compile"], {
                **environment, "TORCHINDUCTOR_CACHE_DIR": str(tools.WORK / "inductor")}
        return command, environment

    def retrained(self, names):
        """Top-1 of the networks, trained from scratch by one recipe, side by side."""
        # Small networks gain little from a second thread: one each, as many at a time as there
        # are cores.
        keys = [(name, seed) for name in names for seed in range(1, self.options.rounds + 1)]
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            top1 = dict(zip(keys, workers.map(lambda key: self.train(*key), keys)))
        return {name: [top1[name, seed] for seed in range(1, self.options.rounds + 1)]
                for name in names}

    def train(self, name, seed):
        epochs = self.options.retrain_epochs
        folder = self.place / f"{stem(name, seed)}-trained-{epochs}"
        return once(folder.with_suffix(".json"), f"trained {folder.name}", training(
            self.supertop, self.network(name, seed), self.data, folder, epochs, seed, RECIPE,
            self.configuration["data.resolution"]))["top1"]

    def network(self, name, seed):
        """The file of the network that a search found; PyTorch's in the frame of supertop's."""
        own = self.place / stem(name, seed) / "exports" / "network.json"
        if name not in OURS:
            frame = json.loads(self.network(next(iter(OURS)), seed).read_text())
            options = json.loads((self.place / f"{stem(name, seed)}.json").read_text())["options"]
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(json.dumps(with_blocks(frame, options, stem(name, seed))))
        return own


def stem(name, seed):
    return name.replace(",", "").replace(" ", "-") + f"-{seed}"


def configuration(supertop, preset, settings):
    """The settings of a search, by keys such as search.epochs."""
    done = subprocess.run(
        [supertop, "config", "--preset", preset,
         *(word for setting in settings for word in ("--set", setting))],
        capture_output=True, text=True)
    if done.returncode:
        tools.fail(done.stderr)
    found, path = {}, []
    for line in done.stdout.splitlines():
        text = line.strip()
        if not text.startswith("- "):
            key, _, value = text.partition(":")
            path = path[:(len(line) - len(text)) // 2] + [key]
            if value:
                found[".".join(path)] = parsed(value.strip())
    return found


def parsed(value):
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def measured(command, environment):
    """The JSON object that `command` prints last, with its `wall_s`, `peak_rss_mib`, and the share
    of the machine that others used meanwhile."""
    tools.Watch.calm()
    watch, start = tools.Watch(), time.monotonic()
    with subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, text=True, cwd=tools.ROOT,
            env={**os.environ, **environment}) as process:
        lines = [line for line in process.stdout if line.startswith("{")]
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not lines:
        tools.fail(f"{' '.join(map(str, command))} failed")
    # Kibibytes on Linux, bytes on macOS.
    peak = usage.ru_maxrss / (1024 if os.uname().sysname == "Linux" else 1 << 20)
    return {**json.loads(lines[-1]), "wall_s": seconds, "peak_rss_mib": round(peak, 1),
            "others": watch.others(usage.ru_utime + usage.ru_stime)}
