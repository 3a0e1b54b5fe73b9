"""What all measurements share: the programs, running them, numbers, tables."""
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

# What `Benchmarks/run --program` names.
program = None
ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parents[1] / "peers"
WORK = ROOT / ".build" / "benchmarks"
# A plain PyPI serves the build for graphics cards, which computes the same on the processor but is
# a gigabyte; where pip has an index of builds for processors alone, it prefers those.
PACKAGES = ["torch==2.13.0", "numpy", "onnx", "onnxruntime", "pillow"]


def say(text=""):
    print(text, flush=True)


def fail(text):
    sys.exit("Benchmarks/run: " + text)


def product():
    """The program that `Benchmarks/run --program` names, or an up-to-date release build."""
    if program:
        return program
    # As people build it: other flags would compile everything anew.
    done = subprocess.run(["make", "build"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        fail("the build failed:\n" + done.stdout + done.stderr)
    return str(ROOT / ".build" / "release" / "supertop")


def peers():
    """A Python with the peers' packages: of the environment SUPERTOP_PEERS, or one made here."""
    given = os.environ.get("SUPERTOP_PEERS")
    if given:
        python = Path(given) / "bin" / "python"
        if not python.exists():
            fail(f"SUPERTOP_PEERS={given} is no virtual environment (no bin/python)")
        return str(python)
    environment = WORK / "peers"
    python = environment / "bin" / "python"
    mark = environment / "complete"
    if not mark.exists() or mark.read_text().split("\n") != PACKAGES:
        say(f"making {environment.relative_to(ROOT)} ({', '.join(PACKAGES)})")
        shutil.rmtree(environment, ignore_errors=True)
        WORK.mkdir(parents=True, exist_ok=True)
        for command in ([sys.executable, "-m", "venv", environment],
                        [python, "-m", "pip", "install", "--quiet", *PACKAGES]):
            if subprocess.run([str(word) for word in command]).returncode:
                fail("the peers cannot be installed; name an environment with SUPERTOP_PEERS")
        mark.write_text("\n".join(PACKAGES))
    return str(python)


def tcmalloc():
    """The path of the allocator with which PyTorch is at its fastest, None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    names = ("libtcmalloc_minimal.so.4", "libtcmalloc.so.4")
    known = {}
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if ldconfig:
        listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True).stdout
        for line in listed.splitlines():
            name, _, path = line.strip().partition(" => ")
            known.setdefault(name.split(" ")[0], path)
    folders = [Path(each) for each in os.environ.get("LD_LIBRARY_PATH", "").split(":") if each]
    folders += [Path("/usr/local/lib"), Path("/usr/lib64"), *Path("/usr/lib").glob("*-linux-gnu")]
    for name in names:
        for path in [*(folder / name for folder in folders), Path(known.get(name, "/-"))]:
            if path.exists():
                return str(path)
    return None


def preloading(library):
    """The environment in which a program uses the allocator `library`, if there is one."""
    return {"LD_PRELOAD": library} if library else {}


def peak(supertop, threads):
    """The peak of `threads` cores by instruction set, in 10⁹ floating-point operations a second."""
    limits = measure([
        supertop, "bench", "roofline", "--json", "--preset", "digits", "--batch", 1, "--steps", 1,
        "--seconds", 0.1, "--memory", 16, "--threads", threads])
    return {each["isa"]: each["gflops_per_s"] for each in limits["arithmetic"]
            if each["threads"] == threads}


class Competitor:
    """A process that keeps a core busy while a `with` lasts, and no longer than this one lives."""

    LOOP = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(100_000):
        pass
"""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.LOOP, str(os.getpid())], stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Watch:
    """How much of the machine others used meanwhile; known on Linux only."""

    # Of the machine's time, what others may use before a measurement counts as disturbed.
    LIMIT = 0.04
    TRIES = 3
    # Seconds to wait for calm before a measurement; 0 takes the machine as it is, once.
    patience = 60
    disturbed = 0

    def __init__(self):
        self.start = self.busy()

    @staticmethod
    def busy():
        """Seconds that all cores worked since the start of the machine, and time now."""
        try:
            fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        except OSError:
            return None
        user, nice, system, _, _, interrupts, soft, steal = (int(x) for x in fields[:8])
        ticks = user + nice + system + interrupts + soft + steal
        return ticks / os.sysconf("SC_CLK_TCK"), time.monotonic()

    def others(self, own):
        """Share of the machine that was neither idle nor in the `own` seconds of processor time."""
        now = self.busy()
        if now is None:
            return 0.0
        capacity = (now[1] - self.start[1]) * os.cpu_count()
        return max(0.0, now[0] - self.start[0] - own) / max(capacity, 1e-9)

    @classmethod
    def calm(cls):
        """Waits until the machine has nothing else to do, but not for ever."""
        end = time.monotonic() + cls.patience
        while time.monotonic() < end:
            watch = cls()
            time.sleep(0.5)
            if watch.others(0) < 2 * cls.LIMIT:
                return

    @classmethod
    def undisturbed(cls, work):
        """The result of `work`, done again while others disturb it; the calmest one in the end.

        `work` returns its result and the processor time that it took.
        """
        tries = []
        for _ in range(cls.TRIES if cls.patience > 0 else 1):
            cls.calm()
            watch = cls()
            result, own = work()
            tries.append((watch.others(own), result))
            if tries[-1][0] <= cls.LIMIT:
                break
        else:
            cls.disturbed += 1
        return min(tries, key=lambda each: each[0])[1]


def measure(command, environment=None, competes=False):
    """The JSON object that `command` prints last, of an undisturbed run if there is one."""
    return Watch.undisturbed(lambda: run(command, environment, competes))


def run(command, environment=None, competes=False):
    """The JSON object that `command` prints last, and its processor time.

    With `competes` a process keeps one core busy meanwhile, whose time counts as the command's.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Competitor() if competes else contextlib.nullcontext():
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, cwd=ROOT,
            env={**os.environ, **(environment or {})})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        fail(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(lines[-1]), own


class Sides:
    """Commands measured in turn, round by round, so that all meet the machine in one state."""

    def __init__(self, commands):
        self.commands = commands
        self.results = {name: [] for name in commands}

    def run(self, rounds):
        for index in range(rounds):
            # Every second round the other way round: what warms up or slows down hits all alike.
            names = list(self.commands)
            for name in names if index % 2 == 0 else reversed(names):
                self.results[name].append(measure(*self.commands[name]))
        return self

    def values(self, name, field):
        return [result[field] for result in self.results[name]]

    def median(self, name, field):
        return statistics.median(self.values(name, field))

    def ratio(self, field, above, below):
        """As the function of that name."""
        return ratio(self.values(above, field), self.values(below, field))


def ratio(above, below):
    """Ratio of the medians of two lists, and the least and greatest ratio of a round."""
    each = [a / b for a, b in zip(above, below)]
    return (statistics.median(above) / statistics.median(below), min(each), max(each))


def spread(ratio, digits=2):
    middle, least, most = ratio
    return f"{middle:.{digits}f} ({least:.{digits}f}..{most:.{digits}f})"


def share(value):
    return f"{100 * value:.0f} %"


def fit(xs, ys):
    """Slope, intercept and R² of the straight line through the points."""
    slope, intercept = statistics.linear_regression(xs, ys)
    mean = statistics.fmean(ys)
    rest = sum((y - slope * x - intercept) ** 2 for x, y in zip(xs, ys))
    whole = sum((y - mean) ** 2 for y in ys)
    return slope, intercept, 1 - rest / whole if whole else 1.0


def table(head, rows):
    """A Markdown table with aligned columns."""
    cells = [[str(cell) for cell in row] for row in [head] + rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"

    say(line(cells[0]))
    say("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in cells[1:]:
        say(line(row))


def machine():
    """Processor, cores, load: what a number means."""
    name = "unknown processor"
    try:
        for text in Path("/proc/cpuinfo").read_text().splitlines():
            if text.startswith("model name"):
                name = text.partition(":")[2].strip()
                break
    except OSError:
        done = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        name = done.stdout.strip() or name
    stamp = time.strftime("%Y-%m-%d %H:%M")
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, {stamp}"


def note(text):
    """A last line, and what the reader has to know about the machine."""
    say()
    say(text)
    if Watch.disturbed:
        say(f"{Watch.disturbed} measurements were disturbed by other work: measure again.")


def title(text):
    Watch.disturbed = 0
    say()
    say(f"## {text}")
    say()
    say(machine())
    say()
