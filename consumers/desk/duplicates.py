"""Which requests are attached to another one: the same question, answer and adapter, asked again (see `alike`).

Of the requests that are alike, audits apart, one leads and is judged; those that nobody has judged yet are attached to
it: not offered, and settled when it is. Who leads is a function of what stands on the log, whatever was read first:

    an item that was judged comes before one that was not; then the earlier arrival (broker's time); then the smaller id

So an item that was judged never attaches, work on it goes on, and what is alike attaches to it though it came earlier.
Where the leader is erased, the next one leads.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from teachback.consumers.desk.item import Item

Fate = Literal[
    "attached",  # its leader is still to be judged
    "settled",  # its leader is settled, and it with it
]


class Rank(NamedTuple):
    """Where a request stands among those that are alike; smaller leads."""

    arrived: int
    exchange: str


class Standing(NamedTuple):
    """An item in its group."""

    alike: bytes
    begun: bool
    rank: Rank


@dataclass(slots=True)
class Group:
    """Requests that are alike, in order. `counted` is what it adds to the counts."""

    begun: list[Rank] = field(default_factory=list)
    fresh: list[Rank] = field(default_factory=list)
    counted: tuple[Fate, int] = ("attached", 0)

    @property
    def leader(self) -> str | None:
        """Who is judged for all that are fresh; None when the group is empty."""
        ranks = self.begun or self.fresh
        return ranks[0].exchange if ranks else None

    @property
    def attached(self) -> int:
        """How many are attached to the leader."""
        return len(self.fresh) if self.begun else max(0, len(self.fresh) - 1)

    def line(self, begun: bool) -> list[Rank]:
        """Those that were judged, or those that were not."""
        return self.begun if begun else self.fresh


class Duplicates:
    """Groups of the items of a desk (`items`, by exchange), kept up to date by `update`."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self.counts: Counter[Fate] = Counter()
        self._items = items
        self._groups: dict[bytes, Group] = {}
        self._standing: dict[str, Standing] = {}

    def update(self, item: Item) -> set[str]:
        """Take an item as it is now; returns all exchanges that may be attached now and were not, or the reverse."""
        before, after = self._standing.get(item.exchange), _standing(item)
        touched = {item.exchange}
        if before is not None and before != after:
            touched |= self._leave(before)
        if after is not None and before != after:
            touched |= self._join(after)
        if after is not None:
            self._count(after.alike)
        return touched

    def leader_of(self, exchange: str) -> str | None:
        """The exchange that `exchange` is attached to; None when it stands for itself."""
        standing = self._standing.get(exchange)
        if standing is None or standing.begun:
            return None
        leader = self._groups[standing.alike].leader
        return None if leader == exchange else leader

    def _join(self, standing: Standing) -> set[str]:
        """Returns the leaders before and after."""
        group = self._groups.setdefault(standing.alike, Group())
        before = group.leader
        insort(group.line(standing.begun), standing.rank)
        self._standing[standing.rank.exchange] = standing
        return {leader for leader in (before, group.leader) if leader is not None}

    def _leave(self, standing: Standing) -> set[str]:
        """Returns the leaders before and after."""
        group = self._groups[standing.alike]
        before, line = group.leader, group.line(standing.begun)
        del line[bisect_left(line, standing.rank)]
        del self._standing[standing.rank.exchange]
        self._count(standing.alike)
        if group.leader is None:
            del self._groups[standing.alike]
        return {leader for leader in (before, group.leader) if leader is not None}

    def _count(self, alike: bytes) -> None:
        """Bring the counts in line with a group that has changed, or whose leader has."""
        group = self._groups[alike]
        fate, number = group.counted
        self.counts[fate] -= number
        settled = group.leader is not None and not self._items[group.leader].is_open
        group.counted = ("settled" if settled else "attached", group.attached)
        self.counts[group.counted[0]] += group.attached


def _standing(item: Item) -> Standing | None:
    """Where it stands; None for an audit, which is a sample that nothing may be taken from, and without a request."""
    if item.alike is None:
        return None
    return Standing(item.alike, item.begun, Rank(item.arrived, item.exchange))
