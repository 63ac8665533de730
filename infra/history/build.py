"""From decoded records to columns."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from teachback.infra.history.columns import ACCEPTABLE, NONE, ROUTES, UNSETTLED, WRONG, History
from teachback.schemas.event import Ratio
from teachback.schemas.scored import Route

Int32 = Annotated[int, Meta(ge=0, lt=2**31)]
CODES = {route: code for code, route in enumerate(ROUTES)}
Verdicts = dict[str, tuple[bool, int]]
"""Exchange → whether its answer was acceptable, and since when (ms) people agree on that."""


class Row(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="scored/1"):
    """The fields of `Scored` that become columns, and no others: there are many records to decode."""

    id: str
    bot: str
    adapter: str
    source: str
    signals: dict[str, float]
    confidence: Ratio
    route: Route
    reasons: tuple[str, ...]
    policy: Int32
    calibration: Int32
    topic: str | None = None
    threshold: Ratio | None = None


class Codes:
    """Numbers from 0 for distinct values, in the order in which they are met."""

    def __init__(self) -> None:
        self._of: dict[Any, int] = {}

    def column(self, values: Iterable[Any]) -> NDArray[np.int32]:
        """The code of each; NONE for None."""
        of = self._of
        found = [NONE if value is None else of.setdefault(value, len(of)) for value in values]
        return np.array(found, dtype=np.int32)

    @property
    def values(self) -> tuple[Any, ...]:
        """What the codes stand for."""
        return tuple(self._of)


class Builder:
    """Takes batches of rows, gives a History. Batches of one partition come in the order of its offsets."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.bad = 0
        self._codes = {name: Codes() for name in ("adapter", "source", "topic", "reason")}
        self._batches: list[dict[str, NDArray[Any]]] = []
        self._signals = Signals()

    def add(self, rows: Sequence[Row], times: Sequence[int]) -> None:
        """The bot's rows of one batch, and the broker's time of each."""
        if not rows:
            return
        codes = self._codes
        ids = np.empty(len(rows), dtype=object)
        ids[:] = [row.id for row in rows]
        self._signals.add(rows)
        self._batches.append(
            {
                "ids": ids,
                "time": np.array(times, dtype=np.int64),
                "adapter": codes["adapter"].column([row.adapter for row in rows]),
                "source": codes["source"].column([row.source for row in rows]),
                "topic": codes["topic"].column([row.topic for row in rows]),
                "route": np.array([CODES[row.route] for row in rows], dtype=np.int8),
                "reason": codes["reason"].column([row.reasons for row in rows]),
                "confidence": np.array([row.confidence for row in rows], dtype=np.float64),
                "threshold": np.array([row.threshold for row in rows], dtype=np.float64),  # None becomes nan
                "policy": np.array([row.policy for row in rows], dtype=np.int32),
                "calibration": np.array([row.calibration for row in rows], dtype=np.int32),
            }
        )

    def history(self, verdicts: Verdicts, since: int, until: int | None = None) -> History:
        """All that was added, in broker-time order, the first row of each id; those outside the window left out.

        Rows before `since` are there to be recognised: an id that was decided before is no decision of the window.
        """
        columns = {name: np.concatenate([batch[name] for batch in self._batches] or [EMPTY[name]]) for name in EMPTY}
        signals = self._signals.matrix()
        order = np.argsort(columns["time"], kind="stable")
        order = order[first_of_each(columns["ids"][order])]
        times = columns["time"][order]
        order = order[(times >= since) & (times < (until if until is not None else np.iinfo(np.int64).max))]
        columns = {name: column[order] for name, column in columns.items()}
        verdict, outcome_time = joined(columns["ids"], verdicts)
        codes = self._codes
        return History(
            bot=self.bot,
            **columns,
            adapters=codes["adapter"].values,
            sources=codes["source"].values,
            topics=codes["topic"].values,
            reasons=codes["reason"].values,
            signals=signals[order],
            signal_names=self._signals.names,
            verdict=verdict,
            outcome_time=outcome_time,
            bad=self.bad,
        )


class Signals:
    """The matrix of signals, from dictionaries that nearly all have the same few sets of names."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}  # names → rows, values of all rows
        self._done: list[tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.float32]]] = []
        self._count = 0

    def add(self, rows: Sequence[Row]) -> None:
        """The signals of the next rows."""
        layouts = self._layouts
        layouts.clear()
        for number, row in enumerate(rows, self._count):
            names = tuple(row.signals)
            place = layouts.get(names)
            if place is None:
                place = layouts[names] = ([], [])
            place[0].append(number)
            place[1].extend(row.signals.values())
        for names, (numbers, values) in layouts.items():
            matrix = np.array(values, dtype=np.float32).reshape(len(numbers), len(names))
            self._done.append((names, np.array(numbers, dtype=np.int64), matrix))
        self._count += len(rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the matrix: every name that was met, in order."""
        return tuple(dict.fromkeys(name for names, _, _ in self._done for name in names))

    def matrix(self) -> NDArray[np.float32]:
        """[rows, names]; nan where a row had no such signal."""
        place = {name: number for number, name in enumerate(self.names)}
        found = np.full((self._count, len(place)), np.nan, dtype=np.float32)
        for names, numbers, values in self._done:
            columns = np.array([place[name] for name in names], dtype=np.int64)
            found[np.ix_(numbers, columns)] = values
        return found


def first_of_each(ids: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Where an id stands for the first time."""
    seen: set[str] = set()
    found = np.empty(len(ids), dtype=bool)
    for number, one in enumerate(ids.tolist()):
        found[number] = one not in seen
        seen.add(one)
    return found


def joined(ids: NDArray[np.object_], verdicts: Verdicts) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """The verdict of each id, and since when; UNSETTLED and 0 where there is none."""
    verdict = np.full(len(ids), UNSETTLED, dtype=np.int8)
    when = np.zeros(len(ids), dtype=np.int64)
    if verdicts:
        for number, one in enumerate(ids.tolist()):
            if (found := verdicts.get(one)) is not None:
                verdict[number], when[number] = ACCEPTABLE if found[0] else WRONG, found[1]
    return verdict, when


EMPTY: dict[str, NDArray[Any]] = {
    "ids": np.empty(0, dtype=object),
    "time": np.empty(0, dtype=np.int64),
    "adapter": np.empty(0, dtype=np.int32),
    "source": np.empty(0, dtype=np.int32),
    "topic": np.empty(0, dtype=np.int32),
    "route": np.empty(0, dtype=np.int8),
    "reason": np.empty(0, dtype=np.int32),
    "confidence": np.empty(0, dtype=np.float64),
    "threshold": np.empty(0, dtype=np.float64),
    "policy": np.empty(0, dtype=np.int32),
    "calibration": np.empty(0, dtype=np.int32),
}
"""The columns that records give, without a row."""
