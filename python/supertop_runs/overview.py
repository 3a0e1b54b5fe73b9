"""The runs of a folder in one frame."""
import re
from pathlib import Path

import pandas as pd

from .columns import RUNS, frame
from .run import Run
from .store import RunError


def runs(folder, deep=False):
    """The runs in a folder, by name; `deep` adds those in `derived` and `trials` of each.

    `state` is what the trainer said last, `seen_at` its last sign of life: one that was killed says
    nothing more. A run that cannot be read has the state `unreadable` and its `problem`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(folder, "no such folder", "name one that holds runs")
    return frame([overview(path) for path in found(folder, deep)], RUNS)


def found(folder, deep):
    """The folders of runs, in the order of their names, in which numbers count as numbers."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir(), key=natural):
        if (path / "run.sqlite").exists():
            yield path
            if deep:
                yield from found(path / "derived", deep)
                yield from found(path / "trials", deep)


def natural(path):
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def overview(path):
    """What the list says of a run."""
    row = {"name": path.name, "path": str(path)}
    try:
        return {**row, **facts(Run(path))}
    except RunError as error:
        return {**row, "state": "unreadable", "problem": str(error)}


def facts(run):
    settings, status, result = run.configuration(), run.status() or {}, run.result() or {}
    kind, state = settings["kind"], status.get("state", "new")
    starts = run.sessions()["started_at"]
    searched = kind in ("search", "random")
    return {
        "state": "running" if state == "validating" else state,
        "problem": status["message"] if state == "failed" else None,
        "kind": kind,
        "preset": settings["network" if kind == "training" else "preset"],
        "data": settings["data"]["source"],
        "step": status.get("step"),
        "total_steps": status.get("totalSteps"),
        "epoch": status.get("epoch"),
        "epochs": status.get("epochs"),
        "test_accuracy": result.get("test_accuracy"),
        "cost_metric": settings["search"]["cost"] if searched else "flops",
        "begun_at": starts.min(),
        "seen_at": last_sign(run, status),
        **come_to(run, kind, result),
    }


def come_to(run, kind, result):
    """Accuracy on the validation images and cost: so far, or those of the result."""
    if kind == "joint":
        trials = run.trials().dropna(subset="val_accuracy")
        last = trials.nlargest(1, "val_accuracy").rename(columns={"flops": "cost"})
    else:
        renamed = {"validation_accuracy": "val_accuracy", "expected_cost": "cost"}
        last = run.epochs().tail(1).rename(columns=renamed)
    known = last[["val_accuracy", "cost"]].to_dict("records")
    cost = result.get("cost", result.get("flops"))
    return {**(known[0] if known else {}), **({} if cost is None else {"cost": cost})}


def last_sign(run, status):
    """When the trainer was seen: its status has a time, and it touches the file of its lock."""
    signs = [pd.Timestamp(status["heartbeat"], unit="s", tz="UTC")] if status else []
    lock = run.path / "trainer.lock"
    if lock.exists():
        signs.append(pd.Timestamp(lock.stat().st_mtime, unit="s", tz="UTC"))
    return max(signs, default=pd.NaT)
