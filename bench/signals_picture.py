"""The measured figures as one picture: what each signal tells by itself, and how the hard case depends on the pool."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.signals_figures import Interval
from bench.signals_report import GOALS, Found

RANDOM, HARD, GREY = "#2a6f97", "#c8553d", "#888888"
BASELINE = "log_words"


def picture(found: Found, file: Path) -> None:
    """Write the picture, a PNG. Raises OSError."""
    figure = Figure(figsize=(11, 5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _alone(left, found)
    _pools(right, found)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)


def _alone(axes: Axes, found: Found) -> None:
    spans = {"all signals": found.everything} | {name: (each.random, each.hard) for name, each in found.alone.items()}
    ordered = sorted(spans.items(), key=lambda item: item[1][1].value)
    for row, (_, (random, hard)) in enumerate(ordered):
        _span(axes, row + 0.15, random, RANDOM)
        _span(axes, row - 0.15, hard, HARD)
    axes.axvline(0.5, color=GREY, linewidth=0.8)
    axes.axvline(GOALS["random"], color=RANDOM, linestyle=":", label=f"goal, random: {GOALS['random']}")
    axes.axvline(GOALS["hard"], color=HARD, linestyle=":", label=f"goal, hard: {GOALS['hard']}")
    axes.plot([], [], "o", color=RANDOM, label="answer to a random question")
    axes.plot([], [], "o", color=HARD, label="answer to the most similar question")
    names = [f"{name} (length alone)" if name == BASELINE else name for name, _ in ordered]
    axes.set_yticks(range(len(ordered)), names)
    axes.set_xlabel("AUROC on the test half, with 95 % intervals")
    axes.legend(loc="lower right", fontsize=8)


def _pools(axes: Axes, found: Found) -> None:
    sizes = sorted(found.pools)
    for place, name, colour in ((0, "qa_cosine alone", GREY), (1, "all signals", HARD)):
        axes.plot(sizes, [found.pools[size][place] for size in sizes], "o-", color=colour, label=name)
    axes.axhline(GOALS["hard"], color=HARD, linestyle=":", label=f"goal: {GOALS['hard']}")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("hard: the nearest of so many questions")
    axes.set_ylabel("AUROC, hard")
    axes.legend(fontsize=8)


def _span(axes: Axes, row: float, span: Interval, colour: str) -> None:
    axes.plot([span.low, span.high], [row, row], color=colour, linewidth=1.5)
    axes.plot([span.value], [row], "o", color=colour, markersize=4)
