"""What is promised about one adapter's answers, and on what evidence. Pure.

Evidence is counted by the very functions that the writer of certificates uses, on what it reads: a `State`. How much of
the traffic is covered is counted in a history of the last days.
"""

import math
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from teachback.infra.confidence.audits import claimed
from teachback.infra.confidence.tallies import DAY_MS, moment
from teachback.infra.history import Decisions, History, Timed
from teachback.schemas import Certificate, Policy, Promise
from teachback.streams.calibration.claims import Claim, Counted, best
from teachback.streams.calibration.decide import State, audits_since, claims_of
from teachback.streams.calibrations import keeps
from teachback.streams.confidence import confidence, weights_of
from teachback.streams.guarantee import CERTIFY_SHARE, alarm, missing, side

Why = Literal[
    "stands",  # a certificate is in force
    "no policy",  # nothing is decided yet
    "no promise",  # a person alone sets the threshold
    "no walk",  # no calibration yet whose thresholds could be tried
    "changed",  # there was one, for other rules or a weaker promise than are in force
    "withdrawn",  # audits spoke against it
    "not yet",  # too little evidence at the first threshold
]


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Live answers of the adapter, and how many of them a threshold would accept."""

    days: float
    live: int
    covered: int
    """Named by no rule, at or above the threshold; the audits among them included."""

    @property
    def share(self) -> float:
        """The covered part; 0 of nothing."""
        return self.covered / self.live if self.live else 0.0


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Audits at or above the threshold since the certificate, which the drift alarm listens to."""

    audits: int
    errors: int
    rang_after: int | None
    """How many of them it took until it rang; None while it is quiet."""


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """How far a threshold is from its certificate: the first, or the next looser one."""

    calibration: int
    attempt: int
    threshold: float
    coverage: float
    audits: int
    """That count there: in order, up to the first that is neither settled nor past its deadline."""
    errors: int
    waiting: int
    """Drawn there, and not counted yet."""
    e_value: float
    needed: float
    clean: int
    """Further audits that are enough if all of them are right."""
    per_day: float
    """Audits a day that would count there, at the present audit rate and traffic."""
    days_seen: float
    """Days of traffic that this is taken from."""

    @property
    def days(self) -> float | None:
        """Days of traffic until then, if all are right; None when no audits come."""
        return self.clean / self.per_day if self.per_day else None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold whose evidence suffices, and whose certificate is not on the log yet."""

    threshold: float
    coverage: float
    audits: int
    errors: int


class About(NamedTuple):
    """What is asked about, and when (ms). `recent` is the traffic of the last days; it may be empty."""

    decisions: Decisions
    state: State
    recent: History
    adapter: str
    now: int


class Guarantee(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `teachback guarantee` says about one adapter; also its `--json`."""

    bot: str
    adapter: str
    champion: str
    asked: datetime
    why: Why
    policy: int | None = None
    promise: Promise | None = None
    threshold: float | None = None
    """The policy's own, which routes where no certificate does."""
    audit_rate: float | None = None
    audit_hours: float | None = None
    budget: int | None = None
    certificate: Certificate | None = None
    """The one that stands; or, when there is none, the last that did."""
    since: datetime | None = None
    """When it came onto the log, by the broker's clock."""
    traffic: Traffic | None = None
    alarm: Alarm | None = None
    due: Due | None = None
    """Only where no certificate stands."""
    lacking: Lacking | None = None

    @property
    def stands(self) -> bool:
        """Whether a promise is in force for this adapter."""
        return self.why == "stands"

    @property
    def serving(self) -> bool:
        """Whether the adapter is in service."""
        return self.adapter == self.champion


def guarantee(about: About, champion: str) -> Guarantee:
    """What stands for an adapter, where `champion` is in service."""
    policy, word = about.decisions.policy, latest(about.decisions, about.adapter)
    found = Guarantee(
        bot=about.recent.bot,
        adapter=about.adapter,
        champion=champion,
        asked=moment(about.now),
        why=why(about.decisions, word),
        certificate=word.event if word else None,
        since=moment(word.time) if word else None,
    )
    if policy is None:
        return found
    found = msgspec.structs.replace(
        found,
        policy=policy.version,
        promise=policy.promise,
        threshold=policy.threshold,
        audit_rate=policy.audit_rate,
        audit_hours=policy.audit_hours,
        budget=policy.budget,
    )
    if word is not None and found.stands:
        return msgspec.structs.replace(
            found,
            traffic=traffic_of(about, word.event.calibration, word.event.threshold),
            alarm=alarm_of(about, word.event),
            lacking=lacking_of(about, policy, word.event.coverage),
        )
    if found.why in {"not yet", "withdrawn", "changed"}:
        due = due_of(about, policy)
        return msgspec.structs.replace(found, due=due, lacking=lacking_of(about, policy, due.coverage if due else 0.0))
    return found


def adapters(recent: History, state: State, champion: str) -> tuple[str, ...]:
    """Those of which there is something to say: the one in service first, then those certified or answering lately."""
    answering = {recent.adapters[code] for code in np.unique(recent.adapter[recent.live])}
    return tuple(dict.fromkeys((champion, *sorted(answering | state.standing.certificates.keys()))))


def latest(decisions: Decisions, adapter: str) -> Timed[Certificate] | None:
    """The newest word about an adapter: a certificate, or the end of one."""
    return next((one for one in reversed(decisions.certificates) if one.event.adapter == adapter), None)


def why(decisions: Decisions, word: Timed[Certificate] | None) -> Why:
    """Whether a promise stands, by the rule that routes traffic; and if not, what keeps it."""
    policy = decisions.policy
    if policy is None:
        return "no policy"
    if policy.promise is None:
        return "no promise"
    if word is not None and word.event.state == "certified" and keeps(word.event, policy):
        return "stands"
    if not decisions.calibrations or not decisions.calibrations[-1].event.walk:
        return "no walk"
    if word is None:
        return "not yet"
    return "withdrawn" if word.event.state == "withdrawn" else "changed"


def traffic_of(about: About, calibration: int, threshold: float) -> Traffic:
    """How much of the adapter's recent live traffic a threshold of a calibration would accept."""
    answers = claimed(about.recent, about.decisions, about.adapter, calibration)
    times = answers.history.time
    days = (about.now - int(times[0])) / DAY_MS if len(times) else 0.0
    return Traffic(days=round(days, 3), live=len(times), covered=int(answers.above(threshold).sum()))


def alarm_of(about: About, certificate: Certificate) -> Alarm:
    """What audits since a certificate say about it."""
    wrong = audits_since(about.state, certificate, about.now)
    possible = 0 < certificate.target < 1  # another writer's may be anything
    rang = alarm(wrong, certificate.target) if possible else None
    return Alarm(audits=len(wrong), errors=sum(wrong), rang_after=rang)


def due_of(about: About, policy: Policy) -> Due | None:
    """What the writer of certificates will issue when it looks next; None when the evidence does not suffice."""
    claims, _ = claims_of(about.state, policy, about.adapter, about.now)
    most = best(claims)
    stand = most.found.certified if most else None
    if most is None or stand is None:
        return None
    step = most.attempt.calibration.walk[stand.step]
    return Due(threshold=step.threshold, coverage=step.coverage, audits=stand.audits, errors=stand.errors)


def lacking_of(about: About, policy: Policy, beyond: float = 0.0) -> Lacking | None:
    """What is missing where least is, of all attempts that go on to more coverage than this; None without any."""
    claims, counted = claims_of(about.state, policy, about.adapter, about.now)
    found = [one for claim in claims if (one := _lacking(about, policy, claim, counted)) and one.coverage > beyond]
    return min(found, key=lambda one: (one.clean, -one.attempt), default=None)


def _lacking(about: About, policy: Policy, claim: Claim, counted: Counted) -> Lacking | None:
    stand, calibration, promise = claim.found.next, claim.attempt.calibration, policy.promise
    if stand is None or promise is None or not calibration.walk:
        return None
    step = calibration.walk[stand.step]
    traffic = traffic_of(about, calibration.version, step.threshold)
    a_day = traffic.covered / traffic.days if traffic.days else 0.0
    return Lacking(
        calibration=calibration.version,
        attempt=claim.attempt.number,
        threshold=step.threshold,
        coverage=step.coverage,
        audits=stand.audits,
        errors=stand.errors,
        waiting=_waiting(about, policy, claim, step.threshold, counted),
        e_value=math.exp(min(stand.log_e, 700.0)),
        needed=1 / claim.alpha,
        clean=missing(stand.audits, stand.errors, promise.target, claim.alpha),
        per_day=round(a_day * policy.audit_rate * CERTIFY_SHARE, 3),
        days_seen=traffic.days,
    )


def _waiting(about: About, policy: Policy, claim: Claim, threshold: float, counted: Counted) -> int:
    """Audits that would count at the threshold, and do not yet."""
    alike = {version for version, one in about.state.policies.items() if one.population == policy.population}
    known = {audit.id for audit in counted.audits}
    weights = weights_of(claim.attempt.calibration)
    return sum(
        audit.id not in known
        and audit.time > claim.attempt.since
        and not audit.ruled
        and audit.policy in alike
        and side(audit.id) == "certify"
        and confidence(audit.signals, weights) >= threshold
        for audit in about.state.evidence.audits(about.adapter)
    )
