"""What the signals are worth, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.signals_figures import LABELS, Interval
from bench.table import table

GOALS = {"random": 0.97, "hard": 0.92, "ece": 0.05}


class Worth(NamedTuple):
    """One signal: how many test exchanges have it, what it tells apart alone, and what it is in the whole."""

    present: float
    random: Interval
    hard: Interval
    share: float
    lost: float


class Found(NamedTuple):
    """Everything that one run measured."""

    everything: tuple[Interval, Interval]
    alone: Mapping[str, Worth]
    absent: Sequence[str]
    pools: Mapping[int, tuple[float, float]]
    ece: Interval
    chance: float
    draws: int
    areas: tuple[Interval, Interval]
    bank: str


def report(found: Found, questions: int) -> str:
    """The tables, and what they are of."""
    return "\n\n".join([_signals(found), _pools(found), _calibration(found, questions), found.bank])


def _signals(found: Found) -> str:
    rows = [("all signals", "", *map(_span, found.everything), "", "")]
    rows += [
        (
            f"`{name}`",
            f"{worth.present:.0%}",
            _span(worth.random),
            _span(worth.hard),
            f"{worth.share:.0%}",
            f"{worth.lost:+.3f}",
        )
        for name, worth in sorted(found.alone.items(), key=lambda item: -item[1].share)
    ]
    head = ("signal", "has it", "AUROC random", "AUROC hard", "share", "lost without it (hard)")
    absent = ", ".join(f"`{name}`" for name in found.absent)
    return f"{table(head, rows)}\n\nNot in these exchanges, so not measured here: {absent}."


def _pools(found: Found) -> str:
    rows = [(f"{size}", "", f"{cosine:.3f}", f"{whole:.3f}") for size, (cosine, whole) in found.pools.items()]
    return table(("hard: nearest of so many questions", "", "`qa_cosine` alone", "all signals"), rows)


def _calibration(found: Found, questions: int) -> str:
    rows = [
        ("AUROC random", f"at least {GOALS['random']}", _span(found.everything[0]), _span(found.areas[0])),
        ("AUROC hard", f"at least {GOALS['hard']}", _span(found.everything[1]), _span(found.areas[1])),
        (f"ECE after {LABELS} labels", f"at most {GOALS['ece']}", "", _span(found.ece)),
    ]
    head = ("figure", "goal", "the test half, once", f"{found.draws} splits: mean, 95 % of them")
    lines = (
        f"{questions} questions, half of them for the test. A forecaster that is right about every confidence would "
    )
    return f"{table(head, rows)}\n\n{lines}show an ECE of {found.chance:.3f} by chance, with ten bins of this many."


def _span(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"
