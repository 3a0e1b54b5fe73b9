"""The step of several ranks over MPI against as many processes that exchange nothing."""
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from . import tools

LAUNCHER = ["mpirun", "--oversubscribe", "--bind-to", "none"]


def add_options(parser):
    parser.add_argument("--preset", default="cifar-small")
    parser.add_argument(
        "--data", required=True, help="folder of images, as train/CLASS and test/CLASS")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2])
    parser.add_argument("--batch", type=int, default=64, help="images of a rank's shard")
    parser.add_argument("--steps", type=int, default=30, help="counted steps of a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="settings")


def run(options):
    if shutil.which("mpirun") is None:
        tools.say("no mpirun is installed")
        return
    supertop = tools.product()
    folder = Path(tempfile.mkdtemp())
    tools.title(f"Ranks of one thread, {options.preset}, batch {options.batch} each")
    rows = []
    for ranks in options.ranks:
        alone, together = [], []
        for round_ in range(options.rounds):
            runs = [folder / f"alone-{round_}-{copy}" for copy in range(ranks)]
            alone.append(statistics.mean(steps(
                [command(supertop, options, options.batch, 1, run_) for run_ in runs],
                runs, options.steps)))
            run_ = folder / f"together-{ranks}-{round_}"
            together += steps(
                [LAUNCHER + ["-n", str(ranks)]
                 + command(supertop, options, ranks * options.batch, ranks, run_)],
                [run_], options.steps)
        ratio = tools.ratio(together, alone)
        rows.append([
            str(ranks), f"{1e3 * statistics.median(alone):.1f}",
            f"{1e3 * statistics.median(together):.1f}", tools.spread(ratio),
            tools.share(1 / ratio[0])])
    tools.table(["ranks", "alone, ms", "together, ms", "together over alone", "efficiency"], rows)
    tools.note(
        f"Medians of {options.rounds} rounds of {options.steps} steps on the weights. Alone: as "
        "many processes at the same time that exchange nothing.")
    shutil.rmtree(folder, ignore_errors=True)


def command(supertop, options, batch, shards, run_):
    settings = [f"search.batch={batch}", f"shards={shards}", *options.settings]
    return [
        str(supertop), "search", "--headless", "--preset", options.preset, "--data", options.data,
        "--run", str(run_), "--threads", "1",
        *[word for setting in settings for word in ("--set", setting)]]


def steps(commands, runs, count):
    """Median seconds of `count` steps on the weights of runs that begin together."""
    for run_ in runs:
        shutil.rmtree(run_, ignore_errors=True)
    processes = [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for words in commands]
    try:
        while min(map(done, runs)) < count + 2:
            if all(process.poll() is not None for process in processes):
                raise SystemExit("a run ended before its steps: take more images")
            time.sleep(0.5)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return [statistics.median(seconds(run_)[2:count + 2]) for run_ in runs]


def seconds(run_):
    if not (run_ / "run.sqlite").exists():
        return []
    store = sqlite3.connect(f"file:{run_ / 'run.sqlite'}?mode=ro", uri=True)
    try:
        return [row[0] for row in store.execute(
            "SELECT seconds FROM steps WHERE phase = 'weights' ORDER BY step")]
    except sqlite3.OperationalError:
        return []
    finally:
        store.close()


def done(run_):
    return len(seconds(run_))
