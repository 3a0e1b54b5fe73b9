"""A search's training step against PyTorch's, eager and compiled."""
import statistics

from . import tools

# A search takes four steps on the weights, then one on θ.
WEIGHTS, THETA = 4, 1


def add_options(parser):
    parser.add_argument(
        "--configuration", action="append", metavar="PRESET:BATCH",
        help="may be repeated (default: cifar-small:64 and cifar:32)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10, help="counted steps of a run, at least 5")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--compile", action="append", default=[], metavar="PRESET:BATCH",
        help="torch.compile too (it needs a C++ compiler, and minutes before its first step); "
        "may be repeated")


def run(options):
    if options.steps < WEIGHTS + THETA:
        tools.fail(f"--steps {options.steps}: the fifth step is the first on θ, give 5 or more")
    supertop, python = tools.product(), tools.peers()
    tools.title("Training step of the supernet")
    library = tools.tcmalloc()
    tools.say(f"PyTorch's allocator: {library or 'the C library, for no tcmalloc was found'}")
    tools.say()
    peak = max(tools.peak(supertop, options.threads).values())
    rows, counts = [], []
    wanted = options.configuration or options.compile or ["cifar-small:64", "cifar:32"]
    for configuration in dict.fromkeys(wanted + options.compile):
        preset, _, batch = configuration.partition(":")
        if not batch.isdigit():
            tools.fail(f"--configuration {configuration}: write it like cifar-small:64")
        race = Race(supertop, python, library, preset, int(batch), configuration in options.compile,
                    options)
        rows += race.rows(peak)
        counts.append(f"{preset} {race.operations / 1e9:.1f}")
    tools.table(
        ["step", "engine", "weights, ms", "θ, ms", "images/s", "of the cores' peak", "peak MiB",
         "supertop's speed, times", "supertop's memory, times", "images/s, one core busy",
         "speed there, times"], rows)
    tools.note(
        f"{options.threads} threads; medians of {options.rounds} rounds of {options.steps} steps. "
        f"images/s is that of {WEIGHTS} steps on the weights and {THETA} on θ. Of the cores' peak, "
        f"{peak:.0f} GFLOP/s, a step on the weights makes that use with the "
        "arithmetic that it needs (10⁹ floating-point operations: "
        f"{', '.join(counts)}). One core busy: another process computes on one core without end.")


class Race:
    """Supertop and its rivals over one configuration, on a quiet and on a busy machine."""

    def __init__(self, supertop, python, library, preset, batch, compiles, options):
        self.step, self.batch = f"{preset}, batch {batch}", batch
        settings = ["--preset", preset, "--batch", batch, "--threads", options.threads,
                    "--steps", options.steps]
        peer = [python, tools.PEERS / "supernet.py", *settings]
        best = tools.preloading(library)
        commands = {
            "supertop": ([supertop, "bench", "supernet", "--json", *settings], {}),
            "PyTorch eager": (peer, best),
        }
        if library:
            commands["PyTorch eager, malloc"] = (peer, {})
        if compiles:
            # What was compiled in the first round is found by the others.
            cache = {"TORCHINDUCTOR_CACHE_DIR": str(tools.WORK / "inductor")}
            commands["PyTorch compile"] = (peer + ["--compile"], {**best, **cache})
        self.quiet = tools.Sides(commands).run(options.rounds)
        for name in commands:
            self.check(name, library)
        # Threads that spin while they wait take the time from the one that they wait for.
        waiting = {**best, "OMP_WAIT_POLICY": "PASSIVE"}
        self.busy = tools.Sides({
            "supertop": (*commands["supertop"], True), "PyTorch eager": (peer, waiting, True),
        }).run(options.rounds)
        self.operations = self.quiet.median("supertop", "floating_point_operations")

    def check(self, name, library):
        """Stops where PyTorch did not run on the allocator that was meant."""
        meant = "tcmalloc" if library and not name.endswith("malloc") else "malloc"
        if name != "supertop" and set(self.quiet.values(name, "allocator")) - {meant, "unknown"}:
            tools.fail(
                f"{name} did not run on {meant}; is LD_PRELOAD set, or {library} of use here?")

    def rates(self, sides, name, theta):
        """Images a second, round by round."""
        return [
            1e3 * self.batch * (WEIGHTS + THETA) / (WEIGHTS * weights + THETA * theta)
            for weights, theta in zip(sides.values(name, "weights_ms"), sides.values(name, theta))]

    def rows(self, peak):
        """The lines of the table; one more for PyTorch with all gradients, as it is by default."""
        lines = [(name, name, "theta_ms") for name in self.quiet.commands]
        lines.insert(2, ("PyTorch eager, all gradients in a step on θ", "PyTorch eager",
                         "theta_all_gradients_ms"))
        return [self.row(*line, peak) for line in lines]

    def row(self, title, name, theta, peak):
        weights = self.quiet.median(name, "weights_ms")
        rate = self.rates(self.quiet, name, theta)
        row = [self.step, title, f"{weights:.0f}", f"{self.quiet.median(name, theta):.0f}",
               f"{statistics.median(rate):.1f}",
               tools.share(self.operations / (1e6 * weights) / peak),
               f"{self.quiet.median(name, 'peak_rss_mib'):.0f}"]
        row += ["", ""] if name == "supertop" else [
            tools.spread(tools.ratio(self.rates(self.quiet, "supertop", "theta_ms"), rate)),
            tools.spread(self.quiet.ratio("peak_rss_mib", "supertop", name))]
        if name not in self.busy.commands:
            return row + ["", ""]
        beside = self.rates(self.busy, name, theta)
        ratio = tools.ratio(self.rates(self.busy, "supertop", "theta_ms"), beside)
        return row + [f"{statistics.median(beside):.1f}",
                      "" if name == "supertop" else tools.spread(ratio)]
