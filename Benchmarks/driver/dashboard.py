"""What the dashboard costs a search, and how soon it answers a key."""
import fcntl
import os
import pty
import random
import shutil
import signal
import sqlite3
import statistics
import struct
import subprocess
import termios
import threading
import time

from . import tools

# Help is open once its last word has come.
OPENING, CLOSING, MARK = b"?", b"x", b"closes"
# Seconds over which a viewer's processor time is taken.
WATCHED = 20


def add_options(parser):
    parser.add_argument("--preset", default="cifar-small", choices=["digits", "cifar-small"])
    parser.add_argument("--steps", type=int, default=60, help="timed steps of a search")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=50)


class Viewer:
    """A program in a terminal of its own, whose every byte is kept."""

    def __init__(self, command, size="120x36"):
        self.output = bytearray()
        self.arrived = threading.Condition()
        columns, rows = (int(part) for part in size.split("x"))
        self.terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        os.close(inside)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                return
            if not data:
                return
            with self.arrived:
                self.output += data
                self.arrived.notify_all()

    def press(self, key, mark=None, limit=2.0):
        """Sends a key; seconds until `mark` is in what came after it."""
        with self.arrived:
            self.output.clear()
            start = time.perf_counter()
            os.write(self.terminal, key)
            while mark is not None and mark not in self.output:
                left = start + limit - time.perf_counter()
                if left <= 0 or not self.arrived.wait(left):
                    tools.fail(f"no answer to {key!r} within {limit} seconds")
            return time.perf_counter() - start

    def answer(self, key, quiet, limit=5.0):
        """Sends a key; seconds until the last byte before nothing comes for `quiet` seconds."""
        with self.arrived:
            start = last = time.perf_counter()
            os.write(self.terminal, key)
            while self.arrived.wait(quiet if last > start else limit):
                last = time.perf_counter()
            if last == start:
                tools.fail(f"no answer to {key!r} within {limit} seconds")
            return last - start

    def settle(self, quiet):
        """Waits until nothing has come for `quiet` seconds; seconds until the last byte."""
        with self.arrived:
            start = last = time.perf_counter()
            while self.arrived.wait(quiet):
                last = time.perf_counter()
            return last - start

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        os.close(self.terminal)


class Search:
    """A search in a folder of its own, without a terminal or in one of 120×36."""

    def __init__(self, supertop, options, with_dashboard):
        self.folder = tools.WORK / "run"
        shutil.rmtree(self.folder, ignore_errors=True)
        command = [supertop, "search", "--preset", options.preset, "--run", str(self.folder)]
        if options.preset != "digits":
            command += ["--data", f"cifar10:{images()}",
                        "--set", f"data.cache={tools.WORK / 'cache'}"]
        self.viewer = Viewer(command) if with_dashboard else None
        self.process = self.viewer.process if self.viewer else subprocess.Popen(
            command + ["--headless"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def step(self):
        """Steps done so far."""
        try:
            store = sqlite3.connect(f"file:{self.folder}/run.sqlite?mode=ro", uri=True, timeout=5)
        except sqlite3.Error:
            return 0
        try:
            return store.execute("SELECT coalesce(max(step), -1) + 1 FROM steps").fetchone()[0]
        except sqlite3.Error:
            return 0
        finally:
            store.close()

    def reach(self, step, pause=0.02):
        """Waits until `step` steps are done; the time."""
        while self.step() < step:
            if self.process.poll() is not None:
                tools.fail(f"the search ended with {self.process.returncode} before step {step}")
            time.sleep(pause)
        return time.perf_counter()

    def warm(self):
        """Waits for the first steps; the number of a step that is still to come."""
        self.reach(5)
        return self.step() + 1

    def end(self):
        if self.viewer:
            self.viewer.end()
        else:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def images():
    """Noise in the files of CIFAR-10: as many bytes to decode, nothing to download."""
    folder = tools.WORK / "noise"
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(1)
    for name in names:
        if (folder / name).exists():
            continue
        records = bytearray(source.randbytes(10_000 * 3073))
        for i in range(10_000):
            records[i * 3073] = i % 10
        (folder / name).write_bytes(records)
    return folder


def timed(supertop, options, with_dashboard):
    """Seconds of the counted steps, and processor time of the search and of this reader."""
    search = Search(supertop, options, with_dashboard)
    before = sum(os.times()[:4])
    try:
        first = search.warm()
        start = search.reach(first)
        seconds = search.reach(first + options.steps) - start
    finally:
        search.end()
    return seconds, sum(os.times()[:4]) - before


def throughput(supertop, options):
    """Steps a second of both, round by round."""
    rates = {False: [], True: []}
    for index in range(options.rounds):
        for with_dashboard in (False, True) if index % 2 == 0 else (True, False):
            seconds = tools.Watch.undisturbed(lambda: timed(supertop, options, with_dashboard))
            rates[with_dashboard].append(options.steps / seconds)
    return rates


def latency(supertop, options):
    """Seconds from each key to its answer while a search trains."""
    search = Search(supertop, options, True)
    pauses = random.Random(1)
    try:
        search.warm()
        answers = []
        for _ in range(options.keys):
            answers.append(search.viewer.press(OPENING, MARK))
            time.sleep(0.1)
            search.viewer.press(CLOSING)
            # Keys come at any moment of a step and of a frame.
            time.sleep(0.2 + 0.3 * pauses.random())
    finally:
        search.end()
    return answers


def viewing(supertop, options, size):
    """Share of all cores that `watch` takes beside a search, but for its start."""
    search = Search(supertop, options, False)

    def used(seconds):
        # Of the children that have ended: the search goes on.
        before = sum(os.times()[2:4])
        viewer = Viewer([supertop, "watch", str(search.folder)], size)
        time.sleep(seconds)
        viewer.end()
        return sum(os.times()[2:4]) - before

    try:
        search.warm()
        return (used(5 + WATCHED) - used(5)) / WATCHED / os.cpu_count()
    finally:
        search.end()


def run(options):
    supertop = tools.product()
    tools.title(f"The dashboard beside a search, {options.preset}")
    rates = throughput(supertop, options)
    without, beside = (statistics.median(rates[key]) for key in (False, True))
    each = [a / b for a, b in zip(rates[True], rates[False])]
    ratio = (beside / without, min(each), max(each))
    answers = sorted(latency(supertop, options))
    tools.table(["measured", "value"], [
        ["steps/s without a dashboard", f"{without:.3f}"],
        ["steps/s with one, 120x36", f"{beside:.3f}"],
        ["ratio", tools.spread(ratio, 4)],
        *[[f"processor time of `watch`, {size}", f"{100 * viewing(supertop, options, size):.1f} %"]
          for size in ("120x36", "200x60")],
        [f"answer to a key, {len(answers)} keys: median",
         f"{1e3 * statistics.median(answers):.1f} ms"],
        ["95th percentile", f"{1e3 * answers[len(answers) * 95 // 100]:.1f} ms"],
        ["longest", f"{1e3 * answers[-1]:.1f} ms"],
    ])
    tools.note(f"{options.rounds} rounds of {options.steps} steps.")
