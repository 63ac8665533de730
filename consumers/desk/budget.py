"""How many items may be begun today, audits apart, and how many were.

An item is begun on the day of its first verdict, by the broker's time of that record: so any desk that reads the log
counts the same. Until then it takes a place as long as somebody holds it, and frees it when it is given back.

A day is a UTC day. Which one it is now says the wall clock, so midnight needs no call; what the broker dates after that
counts for today too, as the two clocks may differ by a little. Verdicts are kept for 30 days: what was begun earlier
still, and is judged again, counts as begun anew for a desk that was restarted. So it may serve fewer, and never more.
"""

import sys
import time
from collections import Counter
from typing import NamedTuple

from teachback.consumers.desk.leases import Clock

DAY_MS = 24 * 60 * 60 * 1000
NO_LIMIT = sys.maxsize


class First(NamedTuple):
    """When an item was first judged, in ms. `exact` once it is the broker's time, and not the desk's."""

    moment: int
    exact: bool


class Budget:
    """Counts items as they are begun. `limit` is the policy's budget; None for none."""

    def __init__(self, wall: Clock = time.time) -> None:
        self.limit: int | None = None
        self._wall = wall
        self._first: dict[str, First] = {}
        self._by_day: Counter[int] = Counter()
        self._held: set[str] = set()

    def note(self, exchange: str, written: int | None) -> None:
        """A verdict on an item; `written` is the broker's time in ms, None while the broker has not said it."""
        known = self._first.get(exchange)
        found = First(int(self._wall() * 1000) if written is None else written, written is not None)
        if known is None or (found.exact and (not known.exact or found.moment < known.moment)):
            if known is not None:
                self._by_day[known.moment // DAY_MS] -= 1
            self._first[exchange] = found
            self._by_day[found.moment // DAY_MS] += 1

    def hold(self, exchange: str, held: bool) -> None:
        """Whether somebody holds an item that nobody has judged yet."""
        if held:
            self._held.add(exchange)
        else:
            self._held.discard(exchange)

    @property
    def today(self) -> int:
        """The UTC day, counted from 1970-01-01."""
        return int(self._wall() * 1000) // DAY_MS

    @property
    def begun(self) -> int:
        """Items begun today, those that are held for the first time included."""
        today = self.today
        return len(self._held) + sum(count for day, count in self._by_day.items() if day >= today)

    @property
    def left(self) -> int:
        """How many more may be begun today; `NO_LIMIT` without a limit."""
        return NO_LIMIT if self.limit is None else max(0, self.limit - self.begun)
