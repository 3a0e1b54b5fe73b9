"""A search's training step against PyTorch's, eager and compiled."""
from . import tools


def add_options(parser):
    parser.add_argument(
        "--configuration", action="append", metavar="PRESET:BATCH",
        help="may be repeated (default: cifar-small:64 and cifar:32)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10, help="counted steps of a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--compile", action="append", default=[], metavar="PRESET:BATCH",
        help="torch.compile too (it needs a C++ compiler, and minutes before its first step); "
        "may be repeated")


def run(options):
    supertop, python = tools.product(), tools.peers()
    tools.title("Training step of the supernet")
    rows = []
    wanted = options.configuration or options.compile or ["cifar-small:64", "cifar:32"]
    for configuration in dict.fromkeys(wanted + options.compile):
        preset, _, batch = configuration.partition(":")
        if not batch.isdigit():
            tools.fail(f"--configuration {configuration}: write it like cifar-small:64")
        settings = ["--preset", preset, "--batch", batch, "--threads", options.threads,
                    "--steps", options.steps]
        peer = [python, tools.PEERS / "supernet.py", *settings]
        commands = {
            "supertop": ([supertop, "bench", "supernet", "--json", *settings],),
            "PyTorch eager": (peer,),
        }
        if configuration in options.compile:
            # What was compiled in the first round is found by the others.
            cache = {"TORCHINDUCTOR_CACHE_DIR": str(tools.WORK / "inductor")}
            commands["PyTorch compile"] = (peer + ["--compile"], cache)
        sides = tools.Sides(commands).run(options.rounds)
        for name in commands:
            speed = sides.ratio("images_per_s", "supertop", name)
            memory = sides.ratio("peak_rss_mib", "supertop", name)
            rows.append([
                f"{preset}, batch {batch}", name, f"{sides.median(name, 'median_ms'):.0f}",
                f"{sides.median(name, 'images_per_s'):.1f}",
                f"{sides.median(name, 'peak_rss_mib'):.0f}",
                "" if name == "supertop" else tools.spread(speed),
                "" if name == "supertop" else tools.spread(memory),
            ])
    tools.table(
        ["step", "engine", "ms", "images/s", "peak MiB", "supertop's speed, times",
         "supertop's memory, times"], rows)
    tools.note(
        f"{options.threads} threads; medians of {options.rounds} rounds of {options.steps} steps.")
