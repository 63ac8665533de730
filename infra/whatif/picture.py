"""The risk–coverage curve as a PNG: wrong answers over what is accepted, and what it rests on."""

from pathlib import Path
from typing import TYPE_CHECKING

from teachback.infra.history import HistoryError
from teachback.infra.whatif.effect import Effect
from teachback.infra.whatif.figures import Figures
from teachback.infra.whatif.words import span_told, threshold_told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAS, THEN, CURVE = "#555555", "#c2410c", "#1d4ed8"


def draw(found: Effect, file: Path) -> None:
    """Write the picture. Raises OSError when the file can't be written, HistoryError when there is no curve to draw."""
    if not found.risk_coverage:
        raise HistoryError("no audit of that time is settled, so there is no curve to draw; leave `--plot` out")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    risk, audits = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_risk(risk, found)
    draw_audits(audits, found)
    for axes in (risk, audits):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        mark(axes, found.was, WAS, "--")
        if found.change:
            mark(axes, found.then, THEN, "-")
    risk.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    figure.suptitle(f"{found.bot}, {span_told(found)}", fontsize=11)
    figure.savefig(file, dpi=150, format="png")


def draw_risk(axes: "Axes", found: Effect) -> None:
    """The share of wrong answers and its interval; lines in the legend for the two thresholds."""
    points = found.risk_coverage
    coverage = [100 * point.coverage for point in points]
    axes.plot(coverage, [100 * point.risk for point in points], color=CURVE, label="wrong, by settled audits")
    low, high = ([100 * value for value in bound] for bound in zip(*((p.low, p.high) for p in points), strict=True))
    axes.fill_between(coverage, low, high, color=CURVE, alpha=0.15, linewidth=0, label="95 % interval, each by itself")
    axes.plot([], [], color=WAS, linestyle="--", label=f"as it was, {threshold_told(found.was)}")
    if found.change:
        axes.plot([], [], color=THEN, label=f"as it would have been, {threshold_told(found.then)}")
    axes.set_ylabel("wrong among accepted, %")
    axes.set_ylim(0, ceiling(found))


def draw_audits(axes: "Axes", found: Effect) -> None:
    """How many settled audits each point rests on."""
    points = found.risk_coverage
    axes.plot([100 * p.coverage for p in points], [p.audits for p in points], color=CURVE, drawstyle="steps-mid")
    axes.set_ylabel("settled audits")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 100)
    axes.set_xlabel("accepted, % of live traffic (the most trusted first; no lot drawn)")


def mark(axes: "Axes", figures: Figures, colour: str, style: str) -> None:
    """A line where the accepted end."""
    if figures.coverage is not None:
        axes.axvline(100 * figures.coverage, color=colour, linestyle=style, linewidth=1.5)


def ceiling(found: Effect) -> float:
    """How far up the axis goes: over the curve, and not up to the intervals of the few audits that it begins with."""
    points = found.risk_coverage
    return 100 * min(1.0, max(0.05, 1.3 * max(point.risk for point in points), 1.15 * points[-1].high))
