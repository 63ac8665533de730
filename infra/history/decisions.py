"""`read_decisions`: what was decided about the loop, by people and by calibration, and when."""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from teachback.schemas import Calibration, Certificate, Event, Policy
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster, require_topics
from teachback.streams import calibrations, policies

E = TypeVar("E", bound=Event)


class Timed(NamedTuple, Generic[E]):
    """An event, and the broker's time of it (ms)."""

    event: E
    time: int


class Decisions(NamedTuple):
    """One bot's decisions that hold, in the order of the log: what a worker's fold ignores is not here."""

    policies: tuple[Timed[Policy], ...] = ()
    """Versions 1, 2, 3, …"""
    calibrations: tuple[Timed[Calibration], ...] = ()
    """Versions 1, 2, 3, …; 0 is the stated prior, and no event."""
    certificates: tuple[Timed[Certificate], ...] = ()

    @property
    def policy(self) -> Policy | None:
        """The newest policy, or None before the first."""
        return self.policies[-1].event if self.policies else None

    def policy_of(self, version: int) -> Policy | None:
        """A version of the policy, or None where there is none."""
        return self.policies[version - 1].event if 0 < version <= len(self.policies) else None

    def calibration_of(self, version: int) -> Calibration | None:
        """A version of the calibration, or None where there is none (0, the prior, is none)."""
        return self.calibrations[version - 1].event if 0 < version <= len(self.calibrations) else None


def read_decisions(cluster: Cluster, bot: str) -> Decisions:
    """All that stands on `loop.policy` and `loop.calibration` about the bot. Raises TopicMismatch, TimeoutError."""
    require_topics(cluster, "loop.policy", "loop.calibration")
    with Tail(cluster, "loop.policy", (Policy,)) as tail:
        stated = valid_policies(bot, tail.catch_up())
    with Tail[Calibration | Certificate](cluster, "loop.calibration", (Calibration, Certificate)) as tail_:
        fitted, proved = valid_calibrations(bot, tail_.catch_up())
    return Decisions(stated, fitted, proved)


def valid_policies(bot: str, records: Iterable[Record[Policy]]) -> tuple[Timed[Policy], ...]:
    """The versions that workers take up, by their own fold."""
    found: list[Timed[Policy]] = []
    current: dict[str, Policy] = {}
    for record in records:
        if record.event is None or record.event.bot != bot:
            continue
        after = policies.fold(current, [record.event])
        if after != current:
            found.append(Timed(record.event, record.timestamp))
        current = after
    return tuple(found)


def valid_calibrations(
    bot: str, records: Iterable[Record[Calibration | Certificate]]
) -> tuple[tuple[Timed[Calibration], ...], tuple[Timed[Certificate], ...]]:
    """The calibrations and certificates that workers take up, by their own fold."""
    fitted: list[Timed[Calibration]] = []
    proved: list[Timed[Certificate]] = []
    current = {bot: calibrations.Standing()}
    for record in records:
        event = record.event
        if event is None or event.bot != bot:
            continue
        after = calibrations.fold(current, [event])
        if after != current and isinstance(event, Calibration):
            fitted.append(Timed(event, record.timestamp))
        elif after != current and isinstance(event, Certificate):
            proved.append(Timed(event, record.timestamp))
        current = after
    return tuple(fitted), tuple(proved)
