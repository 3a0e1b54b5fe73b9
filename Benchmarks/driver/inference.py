"""Networks alone against ONNX Runtime and PyTorch."""
from . import tools

# Of the scores' size, what engines may differ by: they add up in other orders.
TOLERANCE = 1e-4


def add_options(parser):
    parser.add_argument(
        "--network", nargs="+", default=["fbnet_c", "FBNetV2_L1", "FBNetV3_A"],
        help="names of 'supertop models' or JSON files")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, help="side of the images")
    parser.add_argument("--seconds", type=float, default=2, help="of a measurement")
    parser.add_argument("--rounds", type=int, default=5)


def run(options):
    supertop, python = tools.product(), tools.peers()
    for network in options.network:
        race(options, network, supertop, python)


def race(options, network, supertop, python):
    """One network in all engines."""
    tools.title(f"Inference of {network}")
    settings = ["--network", network, "--batch", options.batch,
                "--threads", options.threads]
    if options.size:
        settings += ["--size", options.size]
    ours = [supertop, "bench", "inference", "--json", *settings]
    # All engines get the weights and images of one dump, and must give its scores.
    dump = tools.WORK / "inference"
    tools.run([*ours, "--seconds", 0.01, "--dump", dump])
    settings += ["--seconds", options.seconds]
    commands = {"supertop": ([*ours, "--seconds", options.seconds],)}
    allocator = tools.preloading(tools.tcmalloc())
    script = tools.PEERS / "inference.py"
    for engine, name, environment in (
            ("onnxruntime", "ONNX Runtime", {}), ("torch", "PyTorch eager", allocator)):
        command = [python, script, "--engine", engine, "--dump", dump, *settings]
        commands[name] = (command, environment)
    peak = max(tools.peak(supertop, options.threads).values())
    sides = tools.Sides(commands).run(options.rounds)
    operations = sides.median("supertop", "floating_point_operations")
    rows = []
    for name in commands:
        milliseconds = sides.median(name, "median_ms")
        row = [name, f"{milliseconds:.2f}", f"{min(sides.values(name, 'min_ms')):.2f}",
               tools.share(operations / (1e6 * milliseconds) / peak),
               f"{sides.median(name, 'peak_rss_mib'):.0f}"]
        if name == "supertop":
            row += [""] * 3
        else:
            difference = max(sides.values(name, "difference"))
            if not difference <= TOLERANCE:
                tools.fail(f"{name}'s scores differ by {difference:.1e} of their size")
            row += [tools.spread(sides.ratio("median_ms", "supertop", name)),
                    tools.spread(sides.ratio("peak_rss_mib", "supertop", name)),
                    f"{difference:.1e}"]
        rows.append(row)
    tools.table(
        ["engine", "ms", "least ms", "of the cores' peak", "peak MiB", "supertop's time, times",
         "supertop's memory, times", "scores differ by"], rows)
    tools.note(
        f"Batch {options.batch}, {options.threads} threads; medians of {options.rounds} rounds. "
        f"Scores differ as a share of their size. A call is {operations / 1e6:.0f} million "
        f"floating-point operations, the cores' peak {peak:.0f} GFLOP/s. PyTorch "
        + ("had tcmalloc." if allocator
           else "had the C library's allocator: no tcmalloc was found."))
