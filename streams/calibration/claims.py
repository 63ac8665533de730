"""Which thresholds are proved for an adapter, from its audits that certify. Pure: anybody can recount it from the log.

Audits enter in the order of broker time, up to the first that is neither settled nor past its deadline: whichever
answers are settled sooner, the order can't favour them. One that was not settled in time counts as wrong, for good.

Each calibration that is tried for an adapter is an attempt with its own share of α, from the version that was newest
when the adapter first answered (but not the prior, which is a guess) onwards; they go on side by side, and the claim
with the largest coverage is the one to route by. After a withdrawal the versions are tried anew, as further attempts,
on audits scored since: attempts are never used twice.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from teachback.schemas import Calibration, Policy
from teachback.streams.calibration.evidence import HOUR_MS, Known, Settled, matrix
from teachback.streams.calibration.fit import Bools
from teachback.streams.confidence import confidences, weights_of
from teachback.streams.guarantee import Found, alpha_of, side, walk


class Attempt(NamedTuple):
    """A calibration that is tried for an adapter. `since` is broker time in ms: only later audits count."""

    number: int
    calibration: Calibration
    since: int


class Claim(NamedTuple):
    """What an attempt has come to."""

    attempt: Attempt
    alpha: float
    found: Found


class Counted(NamedTuple):
    """Audits that count, in order, whether each is wrong, and whether that is because nobody settled it in time."""

    audits: tuple[Known, ...]
    wrong: Bools
    unresolved: Bools


def attempts(versions: Sequence[Calibration], first: int, withdrawals: Sequence[int]) -> list[Attempt]:
    """Every attempt so far for an adapter that first answered under version `first`; `withdrawals` in broker time, ms.

    `versions` are the bot's calibrations in order. A version published before a withdrawal is tried again after it only
    if it was the newest then.
    """
    found: list[Attempt] = []
    start = max(1, first)
    for since, until in zip([0, *withdrawals], [*withdrawals, None], strict=True):
        moment = math.inf if until is None else until
        for one in versions:
            if one.version >= start and one.created.timestamp() * 1000 <= moment:
                found.append(Attempt(len(found) + 1, one, since))
        published = [one.version for one in versions if one.created.timestamp() * 1000 <= moment]
        start = max([start, *published])
    return found


def counted(
    audits: Sequence[Known], settled: dict[str, Settled], deadline_hours: float, now_ms: int, in_population: set[int]
) -> Counted:
    """The certifying audits that count, of `audits` in order; `in_population` are the policies with the same rules."""
    rows: list[tuple[Known, bool, bool]] = []
    for audit in audits:
        if side(audit.id) != "certify" or audit.ruled or audit.policy not in in_population:
            continue
        deadline = audit.time + deadline_hours * HOUR_MS
        outcome = settled.get(audit.id)
        in_time = outcome is not None and outcome.time <= deadline
        if not in_time and now_ms <= deadline:
            break
        rows.append((audit, not (in_time and outcome is not None and outcome.acceptable), not in_time))
    return Counted(
        tuple(audit for audit, _, _ in rows),
        np.array([wrong for _, wrong, _ in rows], dtype=bool),
        np.array([late for _, _, late in rows], dtype=bool),
    )


def claim(attempt: Attempt, evidence: Counted, policy: Policy) -> Claim:
    """How far this attempt's walk comes. Raises ValueError for a policy without a promise."""
    if policy.promise is None:
        raise ValueError("the policy promises nothing")
    alpha = alpha_of(attempt.number, 1 - policy.promise.confidence)
    later = np.array([audit.time > attempt.since for audit in evidence.audits], dtype=bool)
    weights = weights_of(attempt.calibration)
    names = [term.signal for term in weights.terms]
    signals = matrix([a.signals for a, counts in zip(evidence.audits, later, strict=True) if counts], names)
    thresholds = [step.threshold for step in attempt.calibration.walk]
    found = walk(confidences(signals, names, weights), evidence.wrong[later], thresholds, policy.promise.target, alpha)
    return Claim(attempt, alpha, found)


def best(claims: Sequence[Claim]) -> Claim | None:
    """The claim that covers most traffic; of equals the newest. None when nothing is certified."""
    proved = [one for one in claims if one.found.certified is not None]
    return max(proved, key=lambda one: (coverage(one), one.attempt.number), default=None)


def coverage(one: Claim) -> float:
    """The share of traffic at or above the certified threshold, when it was fixed; 0 without one."""
    step = one.found.certified
    return 0.0 if step is None else one.attempt.calibration.walk[step.step].coverage
