"""What a bot's scored exchanges and their outcomes amount to: labels to learn from, audits that count, live traffic.

A fold over `chat.scored` (the first record of an id is the decision) and `review.outcomes`, whichever comes first.
Only `live` exchanges count: what was asked again, imported or made up is no sample of what customers ask.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from teachback.schemas import Outcome, Scored
from teachback.schemas.log import Record
from teachback.schemas.scored import Route
from teachback.streams.confidence import Floats

TRAFFIC = 20_000  # newest live exchanges from which coverages are taken
HOUR_MS = 3_600_000


class Known(NamedTuple):
    """What is kept of a decision. `time` is the broker's, in ms; `place` breaks ties."""

    id: str
    time: int
    place: tuple[int, int]
    adapter: str
    route: Route
    ruled: bool
    policy: int
    calibration: int
    signals: dict[str, float]


class Settled(NamedTuple):
    """What reviewers decided, and when, in ms."""

    acceptable: bool
    time: int


class Evidence:
    """The fold. `labelled` and `audits` are in the order of broker time: the order in which audits enter a claim."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.known: dict[str, Known] = {}
        self.settled: dict[str, Settled] = {}
        self.traffic: deque[dict[str, float]] = deque(maxlen=TRAFFIC)
        self.first_calibration: dict[str, int] = {}  # adapter → version in force when it first answered
        self.adapter: str | None = None  # that of the newest live exchange
        self._newest = (0, (0, 0))
        self._seen: set[str] = set()

    def note_scored(self, record: Record[Scored]) -> None:
        """A decision was read."""
        event = record.event
        if event is None or event.bot != self.bot or event.source != "live" or event.id in self._seen:
            return
        self._seen.add(event.id)
        self.traffic.append(event.signals)
        place = (record.timestamp, (record.partition, record.offset))
        if place > self._newest:
            self._newest, self.adapter = place, event.adapter
        first = self.first_calibration.get(event.adapter, event.calibration)
        self.first_calibration[event.adapter] = min(first, event.calibration)
        if event.route == "accept":
            return
        self.known[event.id] = Known(
            event.id,
            *place,
            event.adapter,
            event.route,
            event.ruled,
            event.policy,
            event.calibration,
            event.signals,
        )

    def note_outcome(self, record: Record[Outcome]) -> None:
        """The state of agreement about an exchange was read; erased or open again, it is no evidence."""
        outcome = record.event
        if outcome is not None and outcome.bot != self.bot:
            return
        acceptable = None if outcome is None else outcome.acceptable
        if outcome is None or acceptable is None:
            self.settled.pop(record.key, None)
            return
        when = record.timestamp if outcome.settled is None else int(outcome.settled.timestamp() * 1000)
        self.settled[outcome.exchange] = Settled(acceptable, when)

    def labelled(self) -> list[Known]:
        """Every reviewed or audited exchange that is settled."""
        return sorted((known for id_, known in self.known.items() if id_ in self.settled), key=_order)

    def audits(self, adapter: str) -> list[Known]:
        """The audits of an adapter, settled or not."""
        return sorted((k for k in self.known.values() if k.route == "audit" and k.adapter == adapter), key=_order)


def _order(known: Known) -> tuple[int, tuple[int, int]]:
    return known.time, known.place


def matrix(signals: Sequence[dict[str, float]], names: Sequence[str]) -> Floats:
    """Signals as rows, shape (n, len(names)), nan where missing."""
    found: Floats = np.array([[one.get(name, np.nan) for name in names] for one in signals], dtype=np.float64)
    return found.reshape(len(signals), len(names))


def names_of(signals: Sequence[dict[str, float]]) -> tuple[str, ...]:
    """Every signal that occurs, in alphabetical order."""
    return tuple(sorted({name for one in signals for name in one}))
