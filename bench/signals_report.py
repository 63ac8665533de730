"""What the signals are worth, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.signals_figures import LABELS, Interval
from bench.signals_fiqa import Kind
from bench.table import table
from teachback.infra.policy import THRESHOLD

GOALS = {"random": 0.97, "hard": 0.92, "ece": 0.05}


class Worth(NamedTuple):
    """One signal: how many test exchanges have it, what it tells apart alone, and what it is in the whole."""

    present: float
    random: Interval
    hard: Interval
    share: float
    lost: float


class Prior(NamedTuple):
    """The stated prior, before any label; `passed` is what share of each kind has at least the default threshold."""

    random: Interval
    hard: Interval
    ece: Interval
    passed: Mapping[Kind, float]


class Found(NamedTuple):
    """Everything that one run measured."""

    everything: tuple[Interval, Interval]
    alone: Mapping[str, Worth]
    absent: Sequence[str]
    pools: Mapping[int, tuple[float, float]]
    asked: Mapping[float, tuple[float, float, float]]
    ece: Interval
    chance: float
    draws: int
    met: int
    areas: tuple[Interval, Interval]
    prior: Prior
    recurring: str


def report(found: Found, questions: int) -> str:
    """The tables, and what they are of."""
    calibration = _calibration(found, questions)
    return "\n\n".join([_signals(found), _pools(found), _asked(found), calibration, _prior(found), found.recurring])


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


def _asked(found: Found) -> str:
    rows = [(f"{share:.0%}", "", *(f"{area:.3f}" for area in areas)) for share, areas in found.asked.items()]
    head = ("questions asked lately", "", "fitted so: random", "hard", "fitted with all of them: hard")
    return table(head, rows)


def _calibration(found: Found, questions: int) -> str:
    rows = [
        ("AUROC random", f"at least {GOALS['random']}", _span(found.everything[0]), _span(found.areas[0])),
        ("AUROC hard", f"at least {GOALS['hard']}", _span(found.everything[1]), _span(found.areas[1])),
        (f"ECE after {LABELS} labels", f"at most {GOALS['ece']}", "", _span(found.ece)),
    ]
    head = ("figure", "goal", "the test half, once", f"{found.draws} splits: mean, 95 % of them")
    return f"{table(head, rows)}\n\n" + (
        f"{questions} questions, half of them for the test. {found.met} of {found.draws} splits keep the ECE's goal. A "
        "forecaster that is right about every confidence would show an ECE of "
        f"{found.chance:.3f} by chance, with ten bins of this many."
    )


def _prior(found: Found) -> str:
    prior = found.prior
    rows = [
        ("AUROC random", "", _span(prior.random)),
        ("AUROC hard", "", _span(prior.hard)),
        ("ECE, half of the answers right", "", _span(prior.ece)),
    ]
    rows += [
        (f"confidence at least {THRESHOLD:g}: {kind} answers", "", f"{share:.0%}")
        for kind, share in prior.passed.items()
    ]
    return table(("the stated prior, before any label", "", "the test half"), rows)


def _span(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"
