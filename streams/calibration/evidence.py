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
from teachback.streams.guarantee import side

TRAFFIC = 20_000  # newest live exchanges from which coverages are taken
HOUR_MS = 3_600_000
LARGEST = 1e6  # a signal beyond it is taken for it: sums of squares must stay finite


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


def may_learn(known: Known) -> bool:
    """Whether a calibration may see it: every review, and the audits that don't certify."""
    return known.route != "audit" or side(known.id) == "calibrate"


class Evidence:
    """The fold. `labelled` and `audits` are in the order of broker time: the order in which audits enter a claim.

    `labels` counts settled exchanges that a calibration may see; `changes` counts what may alter a claim.
    """

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.known: dict[str, Known] = {}
        self.settled: dict[str, Settled] = {}
        self.traffic: deque[dict[str, float]] = deque(maxlen=TRAFFIC)
        self.first_calibration: dict[str, int] = {}  # adapter → version in force when it first answered
        self.first_policy: dict[str, int] = {}  # adapter → version in force when it first answered
        self.adapter: str | None = None  # that of the newest live exchange
        self.labels = 0
        self.changes = 0
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
        for first, version in ((self.first_calibration, event.calibration), (self.first_policy, event.policy)):
            first[event.adapter] = min(version, first.get(event.adapter, version))
        if event.route == "accept":
            return
        known = Known(
            event.id,
            *place,
            event.adapter,
            event.route,
            event.ruled,
            event.policy,
            event.calibration,
            event.signals,
        )
        self.known[event.id] = known
        self.labels += event.id in self.settled and may_learn(known)
        self.changes += event.route == "audit"

    def note_outcome(self, record: Record[Outcome]) -> None:
        """The state of agreement about an exchange was read; erased or open again, it is no evidence."""
        outcome = record.event
        if outcome is not None and outcome.bot != self.bot:
            return
        acceptable = None if outcome is None else outcome.acceptable
        id_ = record.key if outcome is None else outcome.exchange
        before = self.settled.pop(id_, None)
        if outcome is not None and acceptable is not None:
            when = record.timestamp if outcome.settled is None else int(outcome.settled.timestamp() * 1000)
            self.settled[id_] = Settled(acceptable, when)
        known = self.known.get(id_)
        if known is not None and self.settled.get(id_) != before:
            self.labels += may_learn(known) * ((id_ in self.settled) - (before is not None))
            self.changes += known.route == "audit"

    def labelled(self) -> list[Known]:
        """Every reviewed or audited exchange that is settled."""
        return sorted((known for id_, known in self.known.items() if id_ in self.settled), key=_order)

    def audits(self, adapter: str) -> list[Known]:
        """The audits of an adapter, settled or not."""
        return sorted((k for k in self.known.values() if k.route == "audit" and k.adapter == adapter), key=_order)


def _order(known: Known) -> tuple[int, tuple[int, int]]:
    return known.time, known.place


def matrix(signals: Sequence[dict[str, float]], names: Sequence[str]) -> Floats:
    """Signals as rows, shape (n, len(names)), nan where missing, none beyond ±`LARGEST`."""
    found: Floats = np.array([[one.get(name, np.nan) for name in names] for one in signals], dtype=np.float64)
    return np.clip(found.reshape(len(signals), len(names)), -LARGEST, LARGEST)


def names_of(signals: Sequence[dict[str, float]]) -> tuple[str, ...]:
    """Every signal that occurs, in alphabetical order."""
    return tuple(sorted({name for one in signals for name in one}))
