"""What is due now: a new calibration, a certificate, or the end of one. Pure, but for the time of day.

`State` is a fold over the four topics; `due_events` says what to publish, one step at a time, so that every decision is
taken on the log as it then stands.
"""

import logging
from collections.abc import Sequence

import msgspec
import numpy as np

from teachback.schemas import Calibration, Certificate, Policy, Promise
from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.streams.calibration.claims import Claim, Counted, attempts, best, claim, counted, coverage
from teachback.streams.calibration.evidence import Evidence, matrix
from teachback.streams.calibration.refit import Worse, due, labels, refit
from teachback.streams.calibrations import Standing, fold, keeps
from teachback.streams.confidence import PRIOR, confidences, weights_of
from teachback.streams.guarantee import alarm

Event = Calibration | Certificate
log = logging.getLogger(__name__)


class State:
    """Everything that the writer knows, all of it from the log."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.evidence = Evidence(bot)
        self.standing = Standing()
        self.policies: dict[int, Policy] = {}
        self.withdrawals: dict[str, list[int]] = {}  # adapter → moments, ms
        self.refused = 0  # labels at the last fit that was not published

    def note_own(self, event: Event) -> None:
        """An event on `loop.calibration`, written by this process or by one before it."""
        if event.bot != self.bot:
            return
        self.standing = fold({self.bot: self.standing}, [event])[self.bot]
        if isinstance(event, Certificate) and event.state == "withdrawn":
            self.withdrawals.setdefault(event.adapter, []).append(int(event.created.timestamp() * 1000))

    def note_policy(self, policy: Policy) -> None:
        """A version that is in force, or was."""
        self.policies[policy.version] = policy

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return self.policies[max(self.policies)] if self.policies else None

    @property
    def newest(self) -> Calibration | None:
        """The newest calibration."""
        return self.standing.calibrations.get(self.standing.newest)


def next_event(state: State, first_labels: int, now_ms: int) -> Event | None:
    """What is to be published next, or None: first the end of a promise, then a fit, then a certificate."""
    policy = state.policy
    if policy is None:
        return None
    return (
        _withdrawal(state, policy, now_ms)
        or _calibration(state, policy, first_labels)
        or _certificate(state, policy, now_ms)
    )


def _calibration(state: State, policy: Policy, first_labels: int) -> Calibration | None:
    last = state.newest
    known = state.evidence.labelled()
    if not due(len(known), None, first_labels):  # cheap: the sides are told apart only when it may matter
        return None
    found = labels(known, state.evidence.settled)
    if not due(len(found.known), last, first_labels) or len(found.known) < state.refused * 1.1:
        return None
    promise = policy.promise or Promise()
    forerunner = weights_of(last) if last else PRIOR
    event = refit(state.bot, found, list(state.evidence.traffic), forerunner, last, (promise.start, promise.steps))
    if isinstance(event, Worse):
        state.refused = len(found.known)
        log.warning(
            "a fit to %d labels is not published: its log-loss on the newest %d is %.3f, its forerunner's %.3f",
            len(found.known), event.n, event.candidate, event.forerunner,
        )  # fmt: skip
        return None
    state.refused = 0
    return event


def claims_of(state: State, policy: Policy, adapter: str, now_ms: int) -> tuple[list[Claim], Counted]:
    """Every attempt for an adapter under this policy, and the audits that they rest on."""
    same = {version for version, one in state.policies.items() if one.population == policy.population}
    evidence = counted(state.evidence.audits(adapter), state.evidence.settled, policy.audit_hours, now_ms, same)
    versions = [state.standing.calibrations[version] for version in sorted(state.standing.calibrations)]
    first = state.evidence.first_calibration.get(adapter, 0)
    tried = attempts(versions, first, state.withdrawals.get(adapter, []))
    since = max(state.withdrawals.get(adapter, [0]))
    return [claim(one, evidence, policy) for one in tried if one.since == since], evidence


def _certificate(state: State, policy: Policy, now_ms: int) -> Certificate | None:
    adapter = state.evidence.adapter
    if policy.promise is None or adapter is None or not state.standing.calibrations:
        return None
    found, evidence = claims_of(state, policy, adapter, now_ms)
    most = best(found)
    stands = state.standing.certificates.get(adapter)
    if most is None or (stands is not None and keeps(stands, policy) and stands.coverage >= coverage(most)):
        return None
    return certificate(state.bot, adapter, most, evidence, policy)


def certificate(bot: str, adapter: str, most: Claim, evidence: Counted, policy: Policy) -> Certificate:
    """The claim as an event. Raises ValueError when it proves nothing."""
    stand, promise, calibration = most.found.certified, policy.promise, most.attempt.calibration
    if stand is None or promise is None:
        raise ValueError("nothing is certified")
    step = calibration.walk[stand.step]
    weights = weights_of(calibration)
    names = [term.signal for term in weights.terms]
    later = [place for place, audit in enumerate(evidence.audits) if audit.time > most.attempt.since]
    scores = confidences(matrix([evidence.audits[place].signals for place in later], names), names, weights)
    within = np.array(later, dtype=int)[scores >= step.threshold][: stand.audits]
    return Certificate(
        id=derived("certificate", bot, adapter, policy.version, most.attempt.number, stand.step),
        bot=bot,
        created=now(),
        state="certified",
        adapter=adapter,
        calibration=calibration.version,
        policy=policy.version,
        population=policy.population,
        target=promise.target,
        confidence=promise.confidence,
        attempt=most.attempt.number,
        alpha=round(most.alpha, 9),
        threshold=step.threshold,
        coverage=step.coverage,
        audits=stand.audits,
        errors=stand.errors,
        unresolved=int(evidence.unresolved[within].sum()),
        e_value=float(f"{np.exp(min(stand.log_e, 700.0)):.6g}"),
    )


def _withdrawal(state: State, policy: Policy, now_ms: int) -> Certificate | None:
    for stands in state.standing.certificates.values():
        wrong = since(state, stands, policy, now_ms)
        if (at := alarm(wrong, stands.target)) is not None:
            reason = f"{sum(wrong[:at])} of {at} audits since were wrong, where at most {stands.target:.1%} shall be"
            moment = now()
            gone = derived("certificate", state.bot, "withdrawn", stands.id, str(stands.created))
            return msgspec.structs.replace(stands, id=gone, created=moment, state="withdrawn", reason=reason)
    return None


def since(state: State, stands: Certificate, policy: Policy, now_ms: int) -> Sequence[bool]:
    """Whether each audit of the certified class was wrong, in order, of those scored since the certificate.

    Here both sides count: the certificate's calibration was fitted before any of them was scored.
    """
    issued = stands.created.timestamp() * 1000
    weights = weights_of(state.standing.calibrations[stands.calibration])
    names = [term.signal for term in weights.terms]
    settled = state.evidence.settled
    audits = [
        audit
        for audit in state.evidence.audits(stands.adapter)
        if audit.time > issued
        and not audit.ruled
        and (audit.id in settled or now_ms > audit.time + policy.audit_hours * 3_600_000)
    ]
    scores = confidences(matrix([audit.signals for audit in audits], names), names, weights)
    return [
        not (audit.id in settled and settled[audit.id].acceptable)
        for audit, score in zip(audits, scores, strict=True)
        if score >= stands.threshold
    ]
