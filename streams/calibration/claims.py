"""What audits prove for an adapter. Pure: anybody can recount it from the log.

Audits enter in the order of broker time, up to the first that is neither settled nor past its deadline: whichever
answers are settled sooner, the order can't favour them. The deadline is that of the policy which the audit was scored
under, so no later policy can move it; one that was not settled in time counts as wrong, for good. That goes for one
whose outcome was erased, too: nobody who reads the log afterwards can tell what it was.

Only audits of the population count: those that were scored under the same rules, and that no rule named.

`attempts` says what is tried. Attempts go on side by side, and the claim with the largest coverage is the one to route
by.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from teachback.schemas import Calibration, Policy
from teachback.streams.calibration.attempts import Attempt
from teachback.streams.calibration.evidence import HOUR_MS, Known, Settled, matrix
from teachback.streams.calibration.fit import Bools
from teachback.streams.confidence import Floats, confidences, weights_of
from teachback.streams.guarantee import Found, alpha_of, side, walk


class Counted(NamedTuple):
    """Audits that count, in order, whether each is wrong, and whether that is because nobody settled it in time."""

    audits: tuple[Known, ...]
    wrong: Bools
    unresolved: Bools

    def at(self, places: Sequence[int]) -> "Counted":
        """Some of them, in the order of these places."""
        return Counted(tuple(self.audits[place] for place in places), self.wrong[places], self.unresolved[places])

    def after(self, moment: int) -> "Counted":
        """Those scored after a moment, ms."""
        return self.at([place for place, audit in enumerate(self.audits) if audit.time > moment])


class Claim(NamedTuple):
    """What an attempt has come to."""

    attempt: Attempt
    alpha: float
    found: Found


def certifying(audits: Iterable[Known]) -> list[Known]:
    """The audits that certify: no calibration ever learns from them."""
    return [audit for audit in audits if side(audit.id) == "certify"]


def counted(
    audits: Sequence[Known],
    settled: Mapping[str, Settled],
    policies: Mapping[int, Policy],
    population: str,
    now_ms: int,
) -> Counted:
    """The audits of a population that count at a broker time, of `audits` in order. `policies` are all, by version."""
    deadlines = {
        version: one.audit_hours * HOUR_MS for version, one in policies.items() if one.population == population
    }
    chosen: list[Known] = []
    wrong: list[bool] = []
    late: list[bool] = []
    for audit in audits:
        if audit.ruled or audit.policy not in deadlines:
            continue
        deadline = audit.time + deadlines[audit.policy]
        outcome = settled.get(audit.id)
        in_time = outcome is not None and outcome.time <= deadline
        if not in_time and now_ms <= deadline:
            break
        chosen.append(audit)
        wrong.append(not (in_time and outcome is not None and outcome.acceptable))
        late.append(not in_time)
    return Counted(tuple(chosen), np.array(wrong, dtype=bool), np.array(late, dtype=bool))


def scores(evidence: Counted, calibration: Calibration) -> Floats:
    """The confidence of each audit by a calibration, whichever it was scored by; nan where that makes no sense."""
    weights = weights_of(calibration)
    names = [term.signal for term in weights.terms]
    with np.errstate(over="ignore", invalid="ignore"):  # another writer's weights may be anything
        return confidences(matrix([audit.signals for audit in evidence.audits], names), names, weights)


def claim(attempt: Attempt, evidence: Counted, policy: Policy) -> Claim:
    """How far this attempt's walk comes. Raises ValueError for a policy without a promise.

    A calibration of another writer, whose thresholds don't fall or whose confidences are no numbers, proves nothing.
    """
    if policy.promise is None:
        raise ValueError("the policy promises nothing")
    alpha = alpha_of(attempt.number, 1 - policy.promise.confidence)
    later = evidence.after(attempt.since)
    thresholds = [step.threshold for step in attempt.calibration.walk]
    trust = scores(later, attempt.calibration)
    if np.isnan(trust).any() or any(loose >= strict for strict, loose in pairwise(thresholds)):
        return Claim(attempt, alpha, Found(None, None))
    return Claim(attempt, alpha, walk(trust, later.wrong, thresholds, policy.promise.target, alpha))


def best(claims: Sequence[Claim]) -> Claim | None:
    """The claim that covers most traffic; of equals the newest. None when nothing is certified."""
    proved = [one for one in claims if one.found.certified is not None]
    return max(proved, key=lambda one: (coverage(one), one.attempt.number), default=None)


def coverage(one: Claim) -> float:
    """The share of traffic at or above the certified threshold, when it was fixed; 0 without one."""
    step = one.found.certified
    return 0.0 if step is None else one.attempt.calibration.walk[step.step].coverage
