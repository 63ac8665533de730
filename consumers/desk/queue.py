"""In which order items are offered.

Three lanes, each in order: items that need an adjudicator; items that need a reviewer and take no place of today's
budget (audits, and what is begun or held already); and fresh items, which take one. In all, audits come first, in the
order of a hash of their id (so that whichever part of them gets done is a fair sample), then the rest by

    doubt × importance  +  time waited / `ageing_hours`

The second term grows equally fast for all, so the order of two items never changes while they wait: the key below holds
the arrival time instead of the age, and is computed once. An item is overtaken only by those that arrive within
(weight × `ageing_hours`) after it, so nothing starves.
"""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import merge
from typing import Literal, NamedTuple

from teachback.consumers.desk.item import Item
from teachback.schemas.review import ReviewRequest

HOUR_MS = 3_600_000
Lane = Literal["adjudicator", "reviewer", "fresh"]


class Place(NamedTuple):
    """Where an item stands; smaller is served earlier."""

    after_audits: bool
    urgency: float
    tie: str
    exchange: str


def place(request: ReviewRequest, arrived: int, ageing_hours: float) -> Place:
    """The place of a request that the broker took at `arrived` (ms)."""
    if request.route == "audit":
        return Place(False, 0.0, hashlib.sha256(request.id.encode()).hexdigest(), request.id)
    urgency = (1.0 - request.confidence) * request.weight - arrived / HOUR_MS / ageing_hours
    return Place(True, -urgency, "", request.id)


class Queue:
    """Items that somebody can be given, in order. `put` and `drop` cost a binary search, reading costs nothing."""

    def __init__(self, ageing_hours: float) -> None:
        self.ageing_hours = ageing_hours
        self._lanes: dict[Lane, list[Place]] = {"adjudicator": [], "reviewer": [], "fresh": []}
        self._where: dict[str, tuple[Lane, Place]] = {}

    def put(self, item: Item, lane: Lane) -> None:
        """Have `item` in this lane, once, at its place."""
        assert item.request is not None
        where = lane, place(item.request, item.arrived, self.ageing_hours)
        if self._where.get(item.exchange) != where:
            self.drop(item.exchange)
            self._where[item.exchange] = where
            insort(self._lanes[where[0]], where[1])

    def drop(self, exchange: str) -> None:
        """Take it out, if it is in."""
        if where := self._where.pop(exchange, None):
            lane = self._lanes[where[0]]
            del lane[bisect_left(lane, where[1])]

    def offers(self, *lanes: Lane) -> Iterator[str]:
        """Ids of the exchanges in these lanes together, best first."""
        for entry in merge(*(self._lanes[lane] for lane in lanes)):
            yield entry.exchange

    def count(self, lane: Lane) -> int:
        """How many are in a lane."""
        return len(self._lanes[lane])

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, exchange: object) -> bool:
        return exchange in self._where
