"""The verdict on a challenger, from numbers alone. Pure.

Five tests, each on a mean and its bootstrap interval, all but one of paired changes (challenger less champion):

    superiority          answers that people wrote or edited must become likelier: the interval's upper end is at or
                         below -min_nll_gain. Answers approved as they were are the champion's own words and favour it.
    question_dependence  NLL(answer | other questions) - NLL(answer | its own) must not shrink by max_margin_loss
    answers_belong       the challenger's own NLL(answer | other questions) - NLL(answer | its own), no change, must be
                         at least min_margin: else it heeds no question, or the reviewed answers belong to others
    generated_answers    cosine of greedy answers to the agreed ones must not fall by max_cosine_loss
    figures_kept         the share of the agreed answer's numbers in the greedy one must not fall by max_figures_loss;
                         left out where too few rows have numbers

A test **passes** when the whole interval is on the good side of the bound, **fails** when the whole interval is on the
bad side (evidence, not bad luck), and is **open** when the bound lies inside, or with fewer than min_eval rows or
min_clusters different answers. A value that is no finite number is the challenger's own (see `measure.paired`): it is
broken, and the test fails.

    promoted      every test passes
    rejected      at least one test fails
    inconclusive  no test fails, but at least one is open: more reviewed rows would decide it

All of them must hold together, so that no correction for testing several is due (intersection-union, Berger 1982).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from teachback.schemas.training import Base, GateOutcome, GateRecord, GateTest
from teachback.trainer.gate.bootstrap import interval
from teachback.trainer.gate.words import Evidence, Name, Verdict, explain, summarise
from teachback.trainer.spec import GateSettings

TESTS: tuple[Name, ...] = ("superiority", "question_dependence", "answers_belong", "generated_answers", "figures_kept")
OPTIONAL: frozenset[Name] = frozenset({"figures_kept"})


class Changes(NamedTuple):
    """One measure, mostly its paired changes, a row each; and the cluster that each row belongs to."""

    values: Sequence[float]
    clusters: Sequence[str]


class Judged(NamedTuple):
    """A test and what came of it."""

    test: GateTest
    verdict: Verdict


def decide(
    changes: dict[Name, Changes], settings: GateSettings, *, champion: str, challenger: str, base: Base
) -> GateRecord:
    """The gate's record. Every test needs an entry in `changes`, though it may be empty."""
    weighed = {name: weigh(changes[name], settings) for name in TESTS}
    judged = {
        name: judge(name, found, settings)
        for name, found in weighed.items()
        if name not in OPTIONAL or enough(found, settings)
    }
    verdicts = {name: verdict for name, (_, verdict) in judged.items()}
    outcome = outcome_of(list(verdicts.values()))
    return GateRecord(
        outcome=outcome,
        champion=champion,
        challenger=challenger,
        base=base,
        confidence=settings.confidence,
        seed=settings.seed,
        tests=tuple(test for test, _ in judged.values()),
        explanation=summarise(outcome, champion, challenger, verdicts),
    )


def outcome_of(verdicts: Sequence[Verdict]) -> GateOutcome:
    """One failure rejects; anything open leaves it undecided; otherwise promoted."""
    if "failed" in verdicts:
        return "rejected"
    return "inconclusive" if "open" in verdicts else "promoted"


def weigh(changes: Changes, settings: GateSettings) -> Evidence:
    """What there is to judge by. Where it has no mean or no interval it says 0: JSON knows no NaN and no infinity."""
    values, clusters = changes
    rows, different = len(values), len(set(clusters))
    broken = sum(not math.isfinite(value) for value in values)
    mean, ends = 0.0, (0.0, 0.0)
    if rows and not broken:
        mean = sum(values) / rows
    if different > 1 and not broken:
        ends = interval(
            values,
            clusters,
            confidence=settings.confidence,
            resamples=settings.resamples,
            seed=settings.seed,
        )
    return Evidence(rows, different, broken, mean, ends)


def enough(found: Evidence, settings: GateSettings) -> bool:
    """Whether rows and clusters suffice for an interval that can be relied on."""
    return found.rows >= settings.min_eval and found.clusters >= settings.min_clusters


def judge(name: Name, found: Evidence, settings: GateSettings) -> Judged:
    """One test."""
    bound, higher = bound_of(name, settings), name != "superiority"
    verdict: Verdict = "open"
    if found.broken:
        verdict = "failed"
    elif enough(found, settings):
        verdict = verdict_of(found.ends, bound, higher_is_better=higher)
    test = GateTest(
        name=name,
        n=found.rows,
        mean=found.mean,
        interval=found.ends,
        bound=bound,
        higher_is_better=higher,
        passed=verdict == "passed",
        explanation=explain(name, verdict, found, bound, settings),
    )
    return Judged(test, verdict)


def bound_of(name: Name, settings: GateSettings) -> float:
    """What the interval's worse end must clear."""
    return {
        "superiority": -settings.min_nll_gain,
        "question_dependence": -settings.max_margin_loss,
        "answers_belong": settings.min_margin,
        "generated_answers": -settings.max_cosine_loss,
        "figures_kept": -settings.max_figures_loss,
    }[name]


def verdict_of(ends: tuple[float, float], bound: float, *, higher_is_better: bool) -> Verdict:
    """Where an interval lies: on the good side of the bound (touching it counts), on the bad side, or across it."""
    worse, better = ends if higher_is_better else (-ends[1], -ends[0])
    limit = bound if higher_is_better else -bound
    if worse >= limit:
        return "passed"
    return "failed" if better < limit else "open"
