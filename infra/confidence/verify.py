"""Every certificate counted again from the log: calibration × signals of the audits × what reviewers found. Pure.

By the functions that issue them, on the same records; so what is checked is that nobody wrote a certificate which the
log does not bear out, and that what it rests on has not changed since. An audit that was drawn after the certificate
never counts. A verdict that came after it does: of an outcome the log keeps the newest state only.
"""

import math
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from teachback.infra.confidence.tallies import moment
from teachback.infra.confidence.tell import counted as said
from teachback.schemas import Calibration, Certificate, Policy, Promise
from teachback.streams.calibration.attempts import Asked, Attempt, attempts
from teachback.streams.calibration.claims import certifying, claim
from teachback.streams.calibration.claims import counted as counting
from teachback.streams.calibration.decide import State, audits_since, certificate
from teachback.streams.guarantee import alarm, alpha_of

CLOSE = 1e-4
"""How far two e-values, or two α, may be apart, relative to one: they are written with some digits only."""

Finding = Literal[
    "holds",  # the log bears it out
    "fails",  # the log says otherwise
    "gone",  # the log no longer reaches back to all that it rests on
]


class Counts(msgspec.Struct, frozen=True):
    """What a certificate states, or the log gives. For a withdrawal: the audits since, up to the alarm."""

    audits: int
    errors: int
    unresolved: int
    e_value: float | None


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """One event about a promise, and what the log says of it."""

    id: str
    when: datetime
    """When it came onto the log, by the broker's clock."""
    state: Literal["certified", "withdrawn"]
    adapter: str
    stands: bool
    """Whether it routes traffic today."""
    finding: Finding
    stated: Counts | None
    counted: Counts | None
    """None where nothing can be counted."""
    problems: tuple[str, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether somebody must look: it fails, or it is in force and can't be recounted."""
        return self.finding == "fails" or (self.finding == "gone" and self.stands)


class _Found(NamedTuple):
    counted: Counts | None
    wrong: tuple[str, ...] = ()
    """What no lost record can explain."""
    differs: tuple[str, ...] = ()
    """What lost records might explain."""


def verify(state: State, lost_before: int | None = None) -> tuple[Recount, ...]:
    """Every certificate and withdrawal that workers took up, the oldest first.

    `lost_before` (ms): older decisions may have been deleted from the log; what then can't be counted is `gone`.
    """
    found = []
    for at, (event, time) in enumerate(state.own):
        if isinstance(event, Certificate):
            seen = _certified(state, event, at) if event.state == "certified" else _withdrawn(state, event, at)
            found.append(_recount(state, event, time, seen, lost_before))
    return tuple(found)


def _recount(state: State, event: Certificate, time: int, seen: _Found, lost_before: int | None) -> Recount:
    lost = lost_before is not None and _begins(event) < lost_before
    finding: Finding = "fails" if seen.wrong or (seen.differs and not lost) else "gone" if seen.differs else "holds"
    return Recount(
        id=event.id,
        when=moment(time),
        state=event.state,
        adapter=event.adapter,
        stands=state.standing.certificates.get(event.adapter) == event,
        finding=finding,
        stated=_stated(event) if event.state == "certified" else None,
        counted=seen.counted,
        problems=(*seen.wrong, *seen.differs),
    )


def _certified(state: State, event: Certificate, at: int) -> _Found:
    policy = state.policies.get(event.policy)
    calibration = state.standing.calibrations[event.calibration]  # nobody takes up a certificate without
    if policy is None:
        return _Found(None, (f"it names policy {event.policy}, which is not on the log",))
    if not _possible(event):
        return _Found(None, ("its target or its confidence is no share between 0 and 1",))
    wrong = (*_promise(event, policy), *_threshold(event, calibration))
    made = _made_again(state, event, policy, calibration, state.own[at].time)
    differs = _attempt(state, event, at)
    if made is None:
        return _Found(None, wrong, (*differs, "its audits do not prove it: the evidence never reaches what is needed"))
    return _Found(_stated(made), wrong, (*differs, *_counts(event, made)))


def _promise(event: Certificate, policy: Policy) -> tuple[str, ...]:
    """That it promises what its policy asked for, at the share of α that is its own."""
    promise, problems = policy.promise, []
    if promise is None or (promise.target, promise.confidence) != (event.target, event.confidence):
        problems.append(f"policy {policy.version} asked for another promise")
    if policy.population != event.population:
        problems.append(f"policy {policy.version} has other rules")
    if not math.isclose(alpha_of(event.attempt, 1 - event.confidence), event.alpha, rel_tol=CLOSE):
        problems.append(f"{event.alpha:g} is not the share of α of attempt {event.attempt}")
    return tuple(problems)


def _threshold(event: Certificate, calibration: Calibration) -> tuple[str, ...]:
    if any((one.threshold, one.coverage) == (event.threshold, event.coverage) for one in calibration.walk):
        return ()
    return (f"threshold {event.threshold:g} is none that calibration {calibration.version} fixed beforehand",)


def _attempt(state: State, event: Certificate, at: int) -> tuple[str, ...]:
    """That it was this calibration's turn, counted from the log as it then stood."""
    stated = [one for one in state.stated if one.time <= state.own[at].time]
    tried = attempts(stated, state.own[:at], event.adapter, state.first(event.adapter))
    mine = next((one for one in tried if one.number == event.attempt), None)
    if mine is None:
        return (f"the adapter had {said(len(tried), 'attempt')} by then, and this claims to be number {event.attempt}",)
    problems = []
    if mine.calibration.version != event.calibration or mine.asked != Asked(event.population, event.target):
        problems.append(f"attempt {event.attempt} was another calibration's, or about another promise")
    if mine.since != _begins(event):
        problems.append(f"attempt {event.attempt} counts audits from another moment on")
    return tuple(problems)


def _made_again(
    state: State, event: Certificate, policy: Policy, calibration: Calibration, time: int
) -> Certificate | None:
    """The certificate that the log gives for its threshold; None when its audits do not prove it."""
    audits = [one for one in certifying(state.evidence.audits(event.adapter)) if one.time <= time]
    evidence = counting(audits, state.evidence.settled, state.policies, event.population, state.time)
    walk = tuple(one for one in calibration.walk if one.threshold >= event.threshold)
    tried = Attempt(event.attempt, msgspec.structs.replace(calibration, walk=walk), _begins(event))
    # as the certificate has it: that its policy asked for something else is told, and the count goes on
    promise = msgspec.structs.replace(policy.promise or Promise(), target=event.target, confidence=event.confidence)
    asking = msgspec.structs.replace(policy, promise=promise)
    found = claim(tried, evidence, asking)
    if found.found.next is not None or found.found.certified is None:
        return None
    return certificate(state.bot, event.adapter, found, evidence, asking)


def _counts(event: Certificate, made: Certificate) -> tuple[str, ...]:
    stated, found = _stated(event), _stated(made)
    pairs = (
        ("audits", stated.audits, found.audits),
        ("wrong", stated.errors, found.errors),
        ("unsettled", stated.unresolved, found.unresolved),
    )
    problems = [f"it states {one:,} {name}, the log gives {other:,}" for name, one, other in pairs if one != other]
    if not math.isclose(event.e_value, made.e_value, rel_tol=CLOSE):
        problems.append(f"it states evidence of {event.e_value:,.4g}, the log gives {made.e_value:,.4g}")
    return tuple(problems)


def _stated(event: Certificate) -> Counts:
    return Counts(event.audits, event.errors, event.unresolved, event.e_value)


def _begins(event: Certificate) -> int:
    """Only audits scored after it count, ms."""
    return round(event.since.timestamp() * 1000) if event.since else 0


def _possible(event: Certificate) -> bool:
    return 0 < event.target < 1 and 0 < event.confidence < 1


def _withdrawn(state: State, event: Certificate, at: int) -> _Found:
    before = (one.event for one in reversed(state.own[:at]))
    alike = (one for one in before if isinstance(one, Certificate) and one.adapter == event.adapter)
    ended = next(alike, None)
    if ended is None or ended.state != "certified" or not _possible(ended):
        return _Found(None, ("there was no certificate to withdraw",))
    wrong = audits_since(state, ended, state.time)
    rang = alarm(wrong, ended.target)
    if rang is None:
        heard = Counts(len(wrong), sum(wrong), 0, None)
        return _Found(heard, (), (f"the drift alarm is quiet over {said(len(wrong), 'audit')} since",))
    return _Found(Counts(rang, sum(wrong[:rang]), 0, None))
