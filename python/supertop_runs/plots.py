"""Plots of a run by matplotlib; each function returns the axes, given or new."""
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from .store import RunError

COLOURS = [
    "#0b6e99", "#d1603d", "#4c9f70", "#7a5195", "#b59410", "#c2577c", "#44bbc4", "#7d5a3c",
    "#2f4b7c",
]
MUTED = "#9aa2a8"
COSTS = {"flops": "FLOPs", "params": "parameters", "latency_ms": "latency, ms"}
NETWORKS = {"search": "most probable network alone", "random": "first sampled network alone"}


def steps(run, figure="loss", window=20, ax=None):
    """A figure of each step as a dot, and its mean over `window` steps of the same phase."""
    frame = run.steps()
    ax = axes(ax)
    for phase, colour in zip(["weights", "theta"], COLOURS):
        rows = frame[frame["phase"] == phase]
        if rows.empty:
            continue
        name = "θ" if phase == "theta" else phase
        mean = rows[figure].rolling(window, min_periods=1, center=True).mean()
        ax.plot(rows["step"], rows[figure], ".", color=colour, alpha=0.25, markersize=4)
        ax.plot(rows["step"], mean, color=colour, linewidth=1.8, label=f"steps on {name}")
    if frame["phase"].nunique() > 1:
        ax.legend(frameon=False)
    label(ax, run, "step", figure.replace("_", " "))
    if figure == "accuracy":
        percent(ax.yaxis)
    return ax


def epochs(run, ax=None):
    """The accuracies of each epoch, on validation images unless the legend says otherwise.

    The star is that of the test images, which a finished run has.
    """
    frame, result = run.epochs(), run.result()
    alone = NETWORKS.get(run.kind)
    curves = {
        "train_accuracy": "training images",
        "validation_accuracy": "supernet" if alone else "validation images",
        "argmax_accuracy": alone,
        "top_five": "validation images, top 5",
    }
    # A training has no second network; its column repeats the first.
    shown = set(curves) - (set() if alone else {"argmax_accuracy"})
    ax = axes(ax)
    for (column, name), colour in zip(curves.items(), [MUTED, *COLOURS]):
        if column in shown and frame[column].notna().any():
            ax.plot(
                frame["epoch"] + 1, frame[column], color=colour, marker="o", markersize=3,
                label=name,
            )
    if result and len(frame):
        ax.plot(
            frame["epoch"].iloc[-1] + 1, result["test_accuracy"], "*", color="black",
            markersize=11, clip_on=False, zorder=3, label="test images",
        )
    if len(frame):
        ax.legend(frameon=False)
    label(ax, run, "epochs", "accuracy")
    percent(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def theta(run, choice, ax=None):
    """The probability of each option of a choice over time."""
    frame = drawable(run, run.thetas(choice=choice))
    table = frame.pivot(index="epoch", columns="option", values="probability")
    ax = axes(ax)
    # The legend is in the order of the ends of the lines.
    for index, option in enumerate(table.iloc[-1].sort_values(ascending=False).index):
        colour = COLOURS[index] if index < len(COLOURS) else MUTED
        ax.plot(table.index, table[option], color=colour, linewidth=1.6, label=option)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    label(ax, run, "epochs", f"probability, {choice}")
    ax.set_ylim(0, 1)
    percent(ax.yaxis)
    return ax


def choices(run, at=math.inf, ax=None):
    """The probabilities of all choices as a heat map: those after `at` steps, or the last."""
    frame = drawable(run, run.thetas(at=at))
    rows = [row for _, row in frame.groupby("choice", sort=False, observed=True)]
    width = max(len(row) for row in rows)
    table = np.full((len(rows), width), np.nan)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row["probability"]
    ax = axes(ax, figsize=(1.6 + 0.75 * width, 1 + 0.27 * len(rows)))
    image = ax.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_yticks(range(len(rows)), run.choices()["name"])
    names = [list(row["option"]) for row in rows]
    shared = all(row == names[0] for row in names)
    ax.set_xticks([])
    if shared:
        ax.set_xticks(range(width), names[0], rotation=45, ha="right", rotation_mode="anchor")
    ax.set_xticks(np.arange(0.5, width), minor=True)
    ax.set_yticks(np.arange(0.5, len(rows)), minor=True)
    ax.grid(which="minor", color="white")
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    for index, row in enumerate(table):
        for place, share in enumerate(row[: len(names[index])]):
            words = f"{share:.0%}" if shared else names[index][place]
            if not shared or share >= 0.1:
                ax.text(
                    place, index, words, ha="center", va="center", fontsize=7,
                    color="white" if share > 0.6 else "black",
                )
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, label="probability")
    percent(bar.ax.yaxis)
    ax.set_title(run.name)
    return ax


def trials(run, cost="flops", ax=None):
    """The candidates of a joint search: accuracy against cost, and the front of the trained ones.

    Those that stopped after fewer epochs are hollow: their accuracies compare with each other only.
    """
    frame = run.trials().dropna(subset=["val_accuracy", cost])
    whole = longest(frame)
    ax = axes(ax)
    for stage, colour in zip(["coarse", "fine", "hand"], COLOURS):
        for part, filled in [(whole, True), (frame.drop(whole.index), False)]:
            rows = part[part["stage"] == stage]
            if len(rows):
                ax.scatter(
                    rows[cost], rows["val_accuracy"], s=32, zorder=3, edgecolors=colour,
                    facecolors=colour if filled else "white",
                    label=stage if filled else f"{stage}, stopped early",
                )
    line = front(frame, cost)
    ax.plot(
        line[cost], line["val_accuracy"], color=MUTED, drawstyle="steps-post", zorder=1,
        label="front",
    )
    ax.legend(frameon=False)
    label(ax, run, COSTS[cost], "accuracy, validation images")
    percent(ax.yaxis)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    return ax


def front(trials, cost="flops"):
    """The candidates that no other beats in both validation accuracy and cost, from cheap to dear.

    Only those with the most epochs: an accuracy after fewer says something else.
    """
    ordered = longest(trials).sort_values([cost, "val_accuracy"], ascending=[True, False])
    return ordered[ordered["val_accuracy"] > ordered["val_accuracy"].cummax().shift(fill_value=-1)]


def longest(trials):
    return trials[trials["epochs"] == trials["epochs"].max()]


def axes(ax, figsize=(7, 4)):
    return ax or plt.subplots(figsize=figsize, layout="constrained")[1]


def drawable(run, thetas):
    if thetas.empty:
        raise RunError(run.path, "no architecture parameters yet", "name a search by gradients")
    return thetas


def label(ax, run, x, y):
    ax.set(title=run.name, xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)


def percent(axis):
    axis.set_major_formatter(PercentFormatter(1, decimals=0))
