"""What is due now: a new calibration, a certificate, or the end of one. Pure, but for the time of day that it notes.

`next_event` says what to publish, one step at a time, so that every decision is taken on the log as it then stands.
"""

import logging
from datetime import UTC, datetime

import msgspec
import numpy as np

from teachback.schemas import Calibration, Certificate, Policy, Promise
from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.streams.calibration.attempts import Own, asked_of, attempts, live
from teachback.streams.calibration.claims import Claim, Counted, best, certifying, claim, counted, coverage, scores
from teachback.streams.calibration.refit import Worse, due, labels, refit
from teachback.streams.calibration.state import State
from teachback.streams.calibrations import keeps
from teachback.streams.confidence import PRIOR, weights_of
from teachback.streams.guarantee import alarm

__all__ = ["Event", "State", "audits_since", "certificate", "claims_of", "next_event"]
Event = Own
log = logging.getLogger(__name__)


def next_event(state: State, first_labels: int) -> Event | None:
    """What is to be published next, or None: first the end of a promise, then a fit, then a certificate.

    Cheap when nothing has come that may alter a claim.
    """
    policy = state.policy
    if policy is None:
        return None
    stirred = state.stirred()
    event = (
        (_withdrawal(state) if stirred else None)
        or _calibration(state, policy, first_labels)
        or (_certificate(state, policy) if stirred else None)
    )
    if event is None and stirred:
        state.rest()
    return event


def _calibration(state: State, policy: Policy, first_labels: int) -> Calibration | None:
    last, count = state.newest, state.evidence.labels
    if not due(count, last.event if last else None, first_labels) or count < state.refused * 1.1:
        return None
    found = labels(state.evidence.labelled(), state.evidence.settled)
    promise = policy.promise or Promise()
    forerunner = weights_of(last.event) if last else PRIOR
    event = refit(state.bot, found, list(state.evidence.traffic), forerunner, last, (promise.start, promise.steps))
    if isinstance(event, Worse):
        state.refused = count
        log.warning(
            "a fit to %d labels is not published: its log-loss on the newest %d is %.3f, its forerunner's %.3f",
            len(found.known), event.n, event.candidate, event.forerunner,
        )  # fmt: skip
        return None
    state.refused = 0
    return event


def claims_of(state: State, policy: Policy, adapter: str, now_ms: int) -> tuple[list[Claim], Counted]:
    """Every attempt that may earn an adapter a certificate under this policy, and the audits that they rest on."""
    audits = certifying(state.evidence.audits(adapter))
    evidence = counted(audits, state.evidence.settled, state.policies, policy.population, now_ms)
    tried = attempts(state.stated, state.own, adapter, state.first(adapter))
    alive = live(tried, asked_of(policy), state.withdrawals(adapter))
    return [claim(one, evidence, policy) for one in alive], evidence


def _certificate(state: State, policy: Policy) -> Certificate | None:
    adapter = state.evidence.adapter
    if policy.promise is None or adapter is None or not state.standing.calibrations:
        return None
    found, evidence = claims_of(state, policy, adapter, state.time)
    most = best(found)
    stands = state.standing.certificates.get(adapter)
    if most is None or (stands is not None and keeps(stands, policy) and stands.coverage >= coverage(most)):
        return None
    return certificate(state.bot, adapter, most, evidence, policy)


def certificate(bot: str, adapter: str, most: Claim, evidence: Counted, policy: Policy) -> Certificate:
    """The claim as an event. Raises ValueError when it proves nothing."""
    stand, promise, attempt = most.found.certified, policy.promise, most.attempt
    if stand is None or promise is None:
        raise ValueError("nothing is certified")
    step = attempt.calibration.walk[stand.step]
    later = evidence.after(attempt.since)
    within = np.flatnonzero(scores(later, attempt.calibration) >= step.threshold)[: stand.audits]
    return Certificate(
        id=derived("certificate", bot, adapter, policy.version, attempt.number, stand.step),
        bot=bot,
        created=now(),
        state="certified",
        adapter=adapter,
        calibration=attempt.calibration.version,
        policy=policy.version,
        population=policy.population,
        target=promise.target,
        confidence=promise.confidence,
        attempt=attempt.number,
        alpha=round(most.alpha, 9),
        threshold=step.threshold,
        coverage=step.coverage,
        audits=stand.audits,
        errors=stand.errors,
        unresolved=int(later.unresolved[within].sum()),
        e_value=float(f"{np.exp(min(stand.log_e, 700.0)):.6g}"),
        since=datetime.fromtimestamp(attempt.since / 1000, UTC) if attempt.since else None,
    )


def _withdrawal(state: State) -> Certificate | None:
    for stands in state.standing.certificates.values():
        wrong = audits_since(state, stands, state.time)
        if (at := alarm(wrong, stands.target)) is not None:
            reason = f"{sum(wrong[:at])} of {at} audits since were wrong, where at most {stands.target:.1%} shall be"
            gone = derived("certificate", state.bot, "withdrawn", stands.id, str(state.issued(stands)))
            return msgspec.structs.replace(stands, id=gone, created=now(), state="withdrawn", reason=reason)
    return None


def audits_since(state: State, stands: Certificate, now_ms: int) -> list[bool]:
    """Whether each audit of the certified class was wrong, in order, of those scored since the certificate.

    They are counted as those that certify are. But here both sides count: the certificate's calibration was fitted
    before any of them was scored.
    """
    issued = state.issued(stands)
    audits = [audit for audit in state.evidence.audits(stands.adapter) if audit.time > issued]
    found = counted(audits, state.evidence.settled, state.policies, stands.population, now_ms)
    inside = scores(found, state.standing.calibrations[stands.calibration]) >= stands.threshold
    wrong: list[bool] = found.wrong[inside].tolist()
    return wrong
