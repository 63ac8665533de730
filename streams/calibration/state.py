"""Everything that the writer knows, all of it from the log: a fold over the four topics.

Its clock is the newest broker time that it has read: so whoever reads the log up to the same record decides the same,
and a machine whose clock is wrong decides nothing else.
"""

import logging
import math
from typing import Any

from teachback.schemas import Calibration, Certificate, Policy, Scored
from teachback.schemas.log import Record
from teachback.streams import policies
from teachback.streams.calibration.attempts import First, Own, Timed
from teachback.streams.calibration.evidence import HOUR_MS, Evidence
from teachback.streams.calibrations import Standing, fold

log = logging.getLogger(__name__)


class State:
    """What `note` made of the records so far."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.time = 0  # broker's, ms
        self.evidence = Evidence(bot)
        self.standing = Standing()
        self.policies: dict[int, Policy] = {}
        self.stated: list[Timed[Policy]] = []
        self.own: list[Timed[Own]] = []  # what holds of `loop.calibration`
        self.refused = 0  # labels at the last fit that was not published
        self._rested: tuple[tuple[object, ...], float] | None = None

    def note(self, record: Record[Any]) -> None:
        """A record was read: an event of any of the four topics, or the tombstone of an outcome."""
        event = record.event
        self.time = max(self.time, record.timestamp)
        if isinstance(event, Scored):
            self.evidence.note_scored(record)
        elif isinstance(event, Policy):
            known = {} if self.policy is None else {self.bot: self.policy}
            if event.bot == self.bot and policies.fold(known, [event]) != known:
                self.note_policy(event, record.timestamp)
        elif isinstance(event, Calibration | Certificate):
            self.note_own(event, record.timestamp)
        else:  # an outcome, or the tombstone of one
            self.evidence.note_outcome(record)

    def note_own(self, event: Own, time: int | None = None) -> None:
        """An event on `loop.calibration` at a broker time, ms; without one, when its writer says that it made it."""
        if event.bot != self.bot:
            return
        after = fold({self.bot: self.standing}, [event])[self.bot]
        if after == self.standing:
            log.warning("ignored on loop.calibration: %s, which doesn't follow from what was before", event.id)
            return
        self.standing = after
        self.own.append(Timed(event, _made(event) if time is None else time))

    def note_policy(self, policy: Policy, time: int | None = None) -> None:
        """A version that is in force from a broker time on, ms, or was; without one, since when its writer says."""
        self.policies[policy.version] = policy
        self.stated.append(Timed(policy, _made(policy) if time is None else time))

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return self.policies[max(self.policies)] if self.policies else None

    @property
    def newest(self) -> Timed[Calibration] | None:
        """The newest calibration, and when it came onto the log."""
        fitted = (Timed(one.event, one.time) for one in reversed(self.own) if isinstance(one.event, Calibration))
        return next(fitted, None)

    def first(self, adapter: str) -> First:
        """The versions under which an adapter first answered."""
        evidence = self.evidence
        return First(evidence.first_policy.get(adapter, 0), evidence.first_calibration.get(adapter, 0))

    def withdrawals(self, adapter: str) -> int:
        """How many certificates of an adapter were withdrawn."""
        gone = (one.event for one in self.own if isinstance(one.event, Certificate) and one.event.state == "withdrawn")
        return sum(event.adapter == adapter for event in gone)

    def issued(self, certificate: Certificate) -> int:
        """When a certificate came onto the log, in ms; one that is not there, when its writer says that it made it."""
        return next((one.time for one in reversed(self.own) if one.event == certificate), _made(certificate))

    def stirred(self) -> bool:
        """Whether there is anything about certificates that was not there at the last `rest`."""
        return self._rested is None or self._rested[0] != self._seen() or self.time > self._rested[1]

    def rest(self) -> None:
        """Nothing is due: look again when something has come, or when the next audit passes its deadline."""
        self._rested = (self._seen(), self._wakes())

    def _seen(self) -> tuple[object, ...]:
        return self.evidence.changes, self.evidence.adapter, len(self.own), len(self.stated)

    def _wakes(self) -> float:
        evidence, hours = self.evidence, {version: one.audit_hours for version, one in self.policies.items()}
        waiting = (
            one.time + hours[one.policy] * HOUR_MS
            for one in evidence.known.values()
            if one.route == "audit" and one.policy in hours and one.id not in evidence.settled
        )
        return min((deadline for deadline in waiting if deadline >= self.time), default=math.inf)


def _made(event: Own | Policy) -> int:
    return int(event.created.timestamp() * 1000)
