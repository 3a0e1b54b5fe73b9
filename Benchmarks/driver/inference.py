"""A network alone against ONNX Runtime and PyTorch."""
from . import tools


def add_options(parser):
    parser.add_argument("--network", default="fbnet_c")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)


def run(options):
    script = tools.PEERS / "inference.py"
    if not script.exists():
        tools.say("inference: no peers/inference.py here, left out")
        return
    supertop, python = tools.product(), tools.peers()
    tools.title(f"Inference of {options.network}")
    settings = ["--network", options.network, "--batch", options.batch,
                "--threads", options.threads]
    commands = {"supertop": ([supertop, "bench", "inference", "--json", *settings],)}
    for engine in ("onnxruntime", "torch"):
        commands[engine] = ([python, script, "--engine", engine, *settings],)
    sides = tools.Sides(commands).run(options.rounds)
    tools.table(
        ["engine", "ms", "supertop's time, times"],
        [[name, f"{sides.median(name, 'median_ms'):.2f}",
          "" if name == "supertop" else tools.spread(sides.ratio("median_ms", "supertop", name))]
         for name in commands])
    tools.note(f"Batch {options.batch}, {options.threads} threads, {options.rounds} rounds.")
