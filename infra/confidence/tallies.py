"""What a history holds, counted: exchanges, audits by day, confidences by what people found."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.infra.history import ACCEPT, ACCEPTABLE, AUDIT, REVIEW, UNSETTLED, WRONG, History

DAY_MS = 86_400_000
MOST_BARS = 62
SCORE_BINS = 25


class Counts(NamedTuple):
    """Live exchanges by route, the audits among them, and what is not live."""

    live: int
    accepted: int
    reviewed: int
    audits: int
    settled: int
    wrong: int
    ruled: int
    others: int
    """Batch, replay, synthetic: no customer asked, so nothing here is said about them."""
    bad: int
    """Records that were no valid score."""


class AdapterCount(NamedTuple):
    """What one adapter answered live in the window."""

    name: str
    live: int
    audits: int
    settled: int
    wrong: int


class Day(NamedTuple):
    """Audits drawn from `days` days on, by what became of them so far."""

    begins: datetime
    days: int
    right: int
    wrong: int
    open: int

    @property
    def drawn(self) -> int:
        """All of them."""
        return self.right + self.wrong + self.open


class Histogram(NamedTuple):
    """Live exchanges by confidence: `edges` has one more entry than the counts."""

    edges: tuple[float, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    unseen: tuple[int, ...]


def moment(ms: int) -> datetime:
    """A broker time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def audited(history: History) -> NDArray[np.bool_]:
    """The audits: live exchanges that the lot drew."""
    found: NDArray[np.bool_] = history.live & (history.route == AUDIT)
    return found


def counts(history: History) -> Counts:
    """All that the header tells."""
    live, audits = history.live, audited(history)
    return Counts(
        live=_n(live),
        accepted=_n(live & (history.route == ACCEPT)),
        reviewed=_n(live & (history.route == REVIEW)),
        audits=_n(audits),
        settled=_n(audits & history.settled),
        wrong=_n(audits & (history.verdict == WRONG)),
        ruled=_n(live & history.ruled),
        others=_n(~live),
        bad=history.bad,
    )


def by_adapter(history: History) -> tuple[AdapterCount, ...]:
    """A row for each adapter that answered live, the busiest first."""
    live, audits = history.live, audited(history)
    n = len(history.adapters)

    def tally(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(history.adapter[rows], minlength=n)

    columns = (tally(rows) for rows in (live, audits, audits & history.settled, audits & (history.verdict == WRONG)))
    rows = (AdapterCount(name, *map(int, row)) for name, *row in zip(history.adapters, *columns, strict=True))
    return tuple(sorted((row for row in rows if row.live), key=lambda row: (-row.live, row.name)))


def days(history: History, since: int, until: int) -> tuple[Day, ...]:
    """Audits by the day (UTC) of their exchange, days without any included; by weeks and more where days are many."""
    first, last = since // DAY_MS, max(since, until - 1) // DAY_MS
    span = next((d for d in (1, 7, 28) if (last - first + 1) / d <= MOST_BARS), 91)
    bars = math.ceil((last - first + 1) / span)
    rows = np.flatnonzero(audited(history))
    bar = ((history.time[rows] // DAY_MS - first) // span).clip(0, bars - 1)
    kinds = [np.bincount(bar[history.verdict[rows] == code], minlength=bars) for code in (ACCEPTABLE, WRONG, UNSETTLED)]
    begins = [moment((first + number * span) * DAY_MS) for number in range(bars)]
    return tuple(Day(at, span, *map(int, row)) for at, *row in zip(begins, *kinds, strict=True))


def histogram(history: History, bins: int = SCORE_BINS) -> Histogram:
    """Confidences told to live exchanges, by what people found."""
    live, edges = history.live, np.linspace(0.0, 1.0, bins + 1)

    def tally(code: int) -> tuple[int, ...]:
        return tuple(map(int, np.histogram(history.confidence[live & (history.verdict == code)], edges)[0]))

    return Histogram(tuple(map(float, edges)), tally(ACCEPTABLE), tally(WRONG), tally(UNSETTLED))


def coarser(histogram_: Histogram, by: int = 5) -> Histogram:
    """The same with `by` bins made one, for a table."""

    def summed(values: Sequence[int]) -> tuple[int, ...]:
        return tuple(sum(values[start : start + by]) for start in range(0, len(values), by))

    right, wrong, unseen = map(summed, (histogram_.right, histogram_.wrong, histogram_.unseen))
    return Histogram(histogram_.edges[::by], right, wrong, unseen)


def _n(rows: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(rows))
