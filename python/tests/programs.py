"""Runs that the real program makes, for the tests; SUPERTOP names it."""
import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = os.environ["SUPERTOP"]
PAGE = Path(__file__).parents[2] / "Documentation" / "json.md"

TINY = [
    "--headless", "--threads", "1", "--set", "warmup_epochs=1", "--set", "batch=128",
    "--set", "recalibration_images=128", "--set", "space.stem.width=8", "--set", "space.head=16",
    "--set", "space.candidates=[k3_e1, k5_e1, skip]", "--set",
    "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 1, stride: 2}]",
]
JOINT = [
    "--preset", "fbnet-v3-digits", "--headless", "--epochs", "3", "--threads", "1",
    *(word for setting in [
        "recipe.warmup_epochs=0", "recipe.batch=128", "recipe.recalibration_images=128",
        "space.head.width=16", "space.stem.widths=[4, 8]", "ranges.learning_rates=[0.001, 0.004]",
        "ranges.mixups=[]", "ranges.dropouts=[]", "ranges.drop_paths=[]",
        "ranges.weight_decays=[]",
        "space.stages=[{widths: [8, 12], depths: [1, 2], stride: 2, first_expansions: [1, 2]}]",
        "search.rounds=2", "search.candidates=4", "search.pool=200", "search.parallel=1",
        "fine.candidates=2", "fine.generations=3", "predictor.pretraining_epochs=2",
        "predictor.ensemble=2",
    ] for word in ["--set", setting]),
]


def supertop(*words):
    """What a command prints; an error where it fails."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"supertop {words[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def objects(*words):
    """The objects that a command prints, one a line."""
    return [json.loads(line) for line in supertop(*words).splitlines()]


class Runs:
    """Finished runs of each kind, and one that no trainer has begun, made once for all tests."""

    folder = None

    @classmethod
    def made(cls):
        if not cls.folder:
            cls.folder = Path(tempfile.mkdtemp(prefix="supertop-runs-"))
            atexit.register(shutil.rmtree, cls.folder)
            search = ["search", "--epochs", "4", *TINY]
            supertop(*search, "--run", cls.folder / "search-2", "--set", "budget.flops=30000")
            supertop(*search, "--run", cls.folder / "new", "--prepare")
            supertop(*search, "--run", cls.folder / "random", "--algorithm", "random")
            supertop(
                "search", "--preset", "fbnet-v2-digits", "--epochs", "2", "--headless",
                "--threads", "1", "--set", "batch=128", "--run", cls.folder / "search-10",
            )
            supertop("search", *JOINT, "--run", cls.folder / "joint")
            supertop(
                "train", cls.folder / "search-2/exports/network.json", "--epochs", "2",
                "--headless", "--threads", "1", "--run", cls.folder / "training",
            )
            supertop(
                "derive", cls.folder / "search-2", "--top", "1", "--set", "epochs=1", "--json"
            )
        return cls.folder


def listed(title):
    """The first column of a table of json.md."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {title}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.M)
