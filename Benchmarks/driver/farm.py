"""A joint search by two farm workers against one, of one thread each."""
import json
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from . import tools


def add_options(parser):
    parser.add_argument("--preset", default="fbnet-v3-digits")
    parser.add_argument("--data", help="folder of images; the preset's own without it")
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="settings")


def run(options):
    supertop = tools.product()
    folder = Path(tempfile.mkdtemp())
    tools.title(f"Workers of one thread, {options.preset}, 24 candidates")
    rows = []
    for workers in options.workers:
        one, many = [], []
        for round_ in range(options.rounds):
            runs = [folder / f"{count}-{round_}" for count in (1, workers)]
            for run_, count, times in zip(runs, (1, workers), (one, many)):
                prepare(supertop, options, run_)
                tools.Watch.calm()
                times.append(work(supertop, run_, count))
            if table(runs[0]) != table(runs[1]):
                raise SystemExit(f"{runs[0]} and {runs[1]} have other candidates")
        rows.append([
            str(workers), f"{min(one):.1f}", f"{min(many):.1f}",
            tools.spread(tools.ratio(many, one))])
    tools.table(["workers", "one, s", "workers, s", "workers over one"], rows)
    tools.note(
        f"{options.rounds} rounds, each with one worker and with all; best times. Their tables of "
        "candidates are equal.")
    shutil.rmtree(folder, ignore_errors=True)


def prepare(supertop, options, run_):
    settings = [
        "search.rounds=2", "search.candidates=9", "fine.candidates=6", "search.parallel=1",
        "threads=1", "recipe.epochs=20", *options.settings]
    data = ["--data", options.data] if options.data else []
    words = [word for setting in settings for word in ("--set", setting)]
    subprocess.run(
        [supertop, "search", "--preset", options.preset, "--run", run_, "--prepare", *data, *words],
        check=True, stdout=subprocess.DEVNULL)
    subprocess.run([supertop, "farm", "init", run_], check=True, stdout=subprocess.DEVNULL)


def work(supertop, run_, count):
    """Seconds until all of so many workers have ended."""
    start = time.monotonic()
    workers = [
        subprocess.Popen(
            [supertop, "farm", "work", run_, "--threads", "1"], stdout=subprocess.DEVNULL)
        for _ in range(count)]
    if any(worker.wait() != 0 for worker in workers):
        raise SystemExit("a worker failed")
    return time.monotonic() - start


def table(run_):
    """The candidates but for the times of their trainings."""
    with sqlite3.connect(f"file:{run_ / 'run.sqlite'}?mode=ro", uri=True) as store:
        rows = [json.loads(row[0]) for row in store.execute("SELECT json FROM trials ORDER BY id")]
    for row in rows:
        row["seconds"] = 0
    return rows
