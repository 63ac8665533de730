"""The pictures of the page: each a function from numbers to an `<svg>` element."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from teachback.infra.confidence.look import (
    INK,
    PAPER,
    PROMISE,
    RIGHT,
    RULE,
    SOFT,
    UNSEEN,
    WRONG,
    canvas,
    percent,
    styled,
    svg,
)
from teachback.infra.confidence.measures import Bin, CurvePoint
from teachback.infra.confidence.records import CertificateRow
from teachback.infra.confidence.tallies import Day, Histogram
from teachback.infra.confidence.tell import percent as told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAINT = 0.16
NORMAL, SMALL = 11.5, 10.5
LONG_NAME = 24


class Promised(NamedTuple):
    """What the risk–coverage picture marks: the largest share wrong, and the certified point where there is one."""

    target: float
    coverage: float | None = None
    risk: float | None = None


@styled
def reliability(audits: Sequence[Bin], reviews: Sequence[Bin]) -> str:
    """Told confidence against the share found acceptable, with the audits' intervals."""
    figure, (axes,) = canvas(4.7)
    low = min([0.9, *(b.told for b in (*audits, *reviews)), *(b.right.low for b in audits)])
    low = max(0.0, math.floor(low * 10 - 0.3) / 10)
    axes.plot([low, 1], [low, 1], color=SOFT.light, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(
        [b.told for b in audits], [b.right.value for b in audits], "o", color=RIGHT.light, markersize=7, zorder=4,
        label=f"audits, drawn by lot: {_each([b.right.n for b in audits])}",
    )  # fmt: skip
    for b in audits:
        axes.plot([b.told] * 2, [b.right.low, b.right.high], color=RIGHT.light, linewidth=1.5, alpha=0.55, zorder=3)
    if reviews:
        axes.plot(
            [b.told for b in reviews], [b.right.value for b in reviews], "D", color=UNSEEN.light, markersize=5,
            label=f"reviews, chosen for doubt: {_each([b.right.n for b in reviews])}",
        )  # fmt: skip
    axes.set_xlim(low, 1.01)
    axes.set_ylim(low, 1.01)
    axes.set_xlabel("confidence told")
    axes.set_ylabel("found acceptable")
    percent(axes.xaxis)
    percent(axes.yaxis)
    figure.legend(loc="outside upper left", fontsize=SMALL)
    return svg(figure, "reliability", "Reliability diagram; its numbers are in the table beside it.")


@styled
def risk_coverage(curve: Sequence[CurvePoint], promised: Promised | None) -> str:
    """Share wrong among the most trusted answers, with pointwise interval, the target and the certified point."""
    figure, (axes,) = canvas()
    x = [p.coverage for p in curve]
    axes.fill_between(
        x,
        [p.wrong.low for p in curve],
        [p.wrong.high for p in curve],
        color=WRONG.light,
        alpha=FAINT,
        linewidth=0,
        step="post",
    )
    axes.step(x, [p.wrong.value for p in curve], color=WRONG.light, where="post")
    settled = [p.wrong.value for p in curve if p.coverage >= 0.1]
    top = max([0.05, *(1.6 * risk for risk in settled)])
    if promised:
        top = max(top, 2.2 * promised.target, 1.3 * (promised.risk or 0))
        axes.axhline(promised.target, color=PROMISE.light, linewidth=1.4, linestyle=(0, (5, 3)))
        _say(axes, f"promised: at most {told(promised.target)}", (1, promised.target), (-2, 5), "right")
    if promised and promised.coverage is not None and promised.risk is not None:
        place = (promised.coverage, promised.risk)
        axes.plot([place[0], place[0]], [0, promised.target], color=PROMISE.light, linewidth=1.4)
        axes.plot(*place, "D", color=PROMISE.light, markersize=8, clip_on=False, zorder=5)
        right = promised.coverage < 0.6
        _say(axes, "certified", (place[0], place[1]), (9 if right else -9, 6), "left" if right else "right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, min(1.0, top))
    axes.set_xlabel("share of traffic accepted, most trusted first")
    axes.set_ylabel("wrong among these")
    percent(axes.xaxis)
    _even(axes)
    percent(axes.yaxis)
    return svg(figure, "risk", "Risk and coverage; the numbers are in the table beside it.")


@styled
def scores(histogram: Histogram, threshold: float | None) -> str:
    """How confidences are spread, apart for acceptable, wrong and unjudged answers; each with its own scale."""
    figure, rows = canvas(4.2, (1, 1, 1))
    kinds = (
        (histogram.right, RIGHT, "acceptable"),
        (histogram.wrong, WRONG, "wrong"),
        (histogram.unseen, UNSEEN, "nobody judged"),
    )
    for axes, (counts, colour, said) in zip(rows, kinds, strict=True):
        edges = np.array(histogram.edges)
        axes.bar(
            edges[:-1], counts, np.diff(edges), align="edge", color=colour.light, edgecolor=PAPER.light, linewidth=0.7
        )
        axes.set_title(f"{said}: {sum(counts):,}", loc="left", fontsize=NORMAL, color=INK.light)
        axes.set_xlim(0, 1)
        axes.grid(visible=False, axis="x")
        _few_counts(axes)
        if threshold is not None:
            axes.axvline(threshold, color=INK.light, linewidth=1.2, linestyle=(0, (2, 2)))
    if threshold is not None:
        rows[0].annotate(
            f"threshold {threshold:.4g}", (threshold, 1), (0, 5), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if threshold > 0.5 else "left", color=SOFT.light, fontsize=SMALL,
        )  # fmt: skip
    rows[-1].set_xlabel("confidence told")
    percent(rows[-1].xaxis)
    return svg(figure, "scores", "Confidences by what people found; the numbers are in the table beside it.")


@styled
def importances(names: Sequence[str], parts: Sequence[float], weights: Sequence[float]) -> str:
    """How much each signal moves the confidence, largest first; colour tells whether more of it means more trust."""
    figure, (axes,) = canvas(_height(len(names)))
    place = np.arange(len(names))[::-1]
    colours = [RIGHT.light if weight >= 0 else WRONG.light for weight in weights]
    axes.barh(place, parts, 0.62, color=colours, edgecolor="none")
    for y, part in zip(place, parts, strict=True):
        axes.annotate(f"{part:.0%}".replace("%", " %"), (part, y), (4, 0), textcoords="offset points", va="center",
                      color=SOFT.light, fontsize=SMALL)  # fmt: skip
    _names(axes, names, place)
    axes.set_xlim(0, max([*parts, 0.05]) * 1.15)
    axes.set_xlabel("share of what moves the confidence")
    percent(axes.xaxis)
    axes.grid(visible=False, axis="y")
    return svg(figure, "importances", "Signals by importance; the numbers are in the table beside it.")


@styled
def alone(names: Sequence[str], values: Sequence[tuple[float, float, float]]) -> str:
    """How well each signal tells acceptable from wrong by itself (AUROC), with its interval; the middle is chance."""
    figure, (axes,) = canvas(_height(len(names)))
    place = np.arange(len(names))[::-1]
    axes.axvline(0.5, color=SOFT.light, linewidth=1, linestyle=(0, (4, 3)))
    for y, (value, low, high) in zip(place, values, strict=True):
        axes.plot([low, high], [y, y], color=INK.light, linewidth=1.4, alpha=0.55)
        axes.plot(value, y, "o", color=INK.light, markersize=7)
    _names(axes, names, place)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5\nchance", "0.75", "1"])
    axes.set_xlabel("AUROC of the signal alone")
    axes.grid(visible=False, axis="y")
    return svg(figure, "alone", "Each signal by itself; the numbers are in the table beside it.")


@styled
def days(found: Sequence[Day]) -> str:
    """Audits by the day of the exchange: acceptable, wrong, not settled."""
    figure, (axes,) = canvas(3.4)
    place = np.arange(len(found))
    below = np.zeros(len(found))
    for colour, said, counts in (
        (RIGHT, "acceptable", [d.right for d in found]),
        (WRONG, "wrong", [d.wrong for d in found]),
        (UNSEEN, "not settled yet", [d.open for d in found]),
    ):
        axes.bar(place, counts, 0.8, below, color=colour.light, edgecolor="none", label=said)
        below += counts
    ticks = place[:: max(1, math.ceil(len(found) / 6))]
    axes.set_xticks(ticks, [f"{found[i].begins.day} {found[i].begins:%b}" for i in ticks])
    axes.set_xlim(-0.6, len(found) - 0.4)
    axes.set_ylim(0, max(1.0, float(below.max(initial=0))) * 1.02)
    axes.set_ylabel("audits")
    axes.grid(visible=False, axis="x")
    _few_counts(axes)
    figure.legend(loc="outside upper left", ncols=3, fontsize=SMALL)
    return svg(figure, "days", "Audits over time; the numbers are in the table beside it.")


@styled
def certified(events: Sequence[CertificateRow], champion: str, until: datetime) -> str:
    """The share of traffic that each adapter's certificate covered when it was issued; events are the newest first."""
    from matplotlib.lines import Line2D

    figure, (axes,) = canvas(2.8)
    for name in sorted({row.adapter for row in events}, key=lambda one: one == champion):
        mine = [row for row in reversed(events) if row.adapter == name]
        colour = PROMISE if name == champion else UNSEEN
        times: Any = [row.when for row in mine]
        covered = [row.coverage if row.state == "certified" else 0.0 for row in mine]
        axes.step([times[0], *times, until], [0.0, *covered, covered[-1]], color=colour.light, where="post")
        for time, row, height in zip(times, mine, covered, strict=True):
            mark, shown = ("D", colour) if row.state == "certified" else ("X", WRONG)
            axes.plot(time, height, mark, color=shown.light, markersize=7, clip_on=False, zorder=4)
    kinds = [("D", PROMISE, "certified, in service"), ("D", UNSEEN, "another adapter"), ("X", WRONG, "withdrawn")]
    marks = [Line2D([], [], linestyle="", marker=mark, color=c.light, label=said) for mark, c, said in kinds]
    figure.legend(handles=marks, loc="outside upper left", ncols=3, fontsize=SMALL)
    _dates(axes)
    axes.set_ylim(0, 1)
    axes.set_ylabel("traffic certified")
    percent(axes.yaxis)
    return svg(figure, "certified", "Certificates over time; they are listed in the table below.")


def _say(axes: "Axes", text: str, place: tuple[float, float], away: tuple[int, int], side: Any) -> None:
    behind = {"facecolor": PAPER.light, "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    axes.annotate(
        text,
        place,
        away,
        textcoords="offset points",
        ha=side,
        color=PROMISE.light,
        fontsize=SMALL,
        bbox=behind,
        zorder=6,
    )


def _names(axes: "Axes", names: Sequence[str], place: Any) -> None:
    short = [name if len(name) <= LONG_NAME else name[: LONG_NAME - 1] + "…" for name in names]
    axes.set_yticks(place, short, color=INK.light)
    axes.set_ylim(-0.6, len(names) - 0.4)


def _each(counts: Sequence[int]) -> str:
    """How many answers a mark stands for."""
    few, many = min(counts), max(counts)
    return f"{few:,} each" if few == many else f"{few:,}–{many:,} each"


def _even(axes: "Axes") -> None:
    """Few marks along the vertical axis, at round numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], min_n_ticks=3))


def _dates(axes: "Axes") -> None:
    """Few moments along the horizontal axis, as exact as their span asks for."""
    from matplotlib.dates import AutoDateLocator, num2date

    first, last = axes.get_xlim()
    form = "{0:%H:%M}" if last - first < 2 else "{0.day} {0:%b}" if last - first < 200 else "{0:%b %Y}"
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=6))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(lambda value, _: form.format(num2date(value)))  # type: ignore[no-untyped-call]


def _height(rows: int) -> float:
    return 1.0 + 0.32 * max(rows, 2)


def _few_counts(axes: "Axes") -> None:
    """Whole numbers along the vertical axis, and few."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.spines["bottom"].set_color(RULE.light)
