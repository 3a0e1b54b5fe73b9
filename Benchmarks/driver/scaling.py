"""Threads, instruction sets and batch sizes of the training step."""
from . import tools


def add_options(parser):
    parser.add_argument("--preset", default="cifar-small")
    parser.add_argument("--steps", type=int, default=10, help="counted steps of a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64, 128, 256])


def run(options):
    supertop = tools.product()

    def step(*settings):
        return ([supertop, "bench", "supernet", "--json", "--preset", options.preset,
                 "--steps", options.steps, *settings],)

    tools.title(f"Scaling of the training step, {options.preset}")
    sides = tools.Sides({
        "1": step("--batch", 64, "--threads", 1), "2": step("--batch", 64, "--threads", 2),
    }).run(options.rounds)
    rows = [["2 threads over 1", tools.spread(sides.ratio("images_per_s", "2", "1"))]]

    register = tools.peak(supertop, 1)
    for wide, narrow in (("avx512", "avx2"), ("avx2", "baseline")):
        if wide not in register:
            rows.append([f"{wide} over {narrow}", "this machine has none"])
            continue
        sides = tools.Sides({
            isa: step("--batch", 64, "--isa", isa) for isa in (wide, narrow)
        }).run(options.rounds)
        peak = register[wide] / register[narrow]
        rows.append([
            f"{wide} over {narrow}",
            tools.spread(sides.ratio("images_per_s", wide, narrow))
            + f"; the arithmetic units' own ratio is {peak:.2f}"])
    tools.table(["throughput", "ratio"], rows)

    names = {str(batch): step("--batch", batch) for batch in options.batches}
    sides = tools.Sides(names).run(options.rounds)
    times = [sides.median(name, "median_ms") for name in names]
    memory = [sides.median(name, "peak_rss_mib") for name in names]
    tools.say()
    tools.table(
        ["batch", "ms", "images/s", "peak MiB"],
        [[name, f"{ms:.1f}", f"{1000 * int(name) / ms:.1f}", f"{mib:.0f}"]
         for name, ms, mib in zip(names, times, memory)])
    tools.say()
    for what, unit, ys in (("time", "ms", times), ("memory", "MiB", memory)):
        slope, intercept, r2 = tools.fit(options.batches, ys)
        tools.say(f"{what}: {slope:.3f} {unit} an image + {intercept:.1f} {unit}, R² {r2:.5f}  ")
    tools.note(
        f"Batch 64 where no other is named; medians of {options.rounds} rounds of "
        f"{options.steps} steps.")
