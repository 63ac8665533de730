"""What each signal is worth: how much it moves the confidence, and how well it tells wrong answers by itself."""

from typing import NamedTuple

import numpy as np

from teachback.infra.confidence.measures import Alone, alone
from teachback.infra.history import ACCEPTABLE, History
from teachback.schemas.calibration import Term
from teachback.streams.confidence import Floats


class SignalRow(NamedTuple):
    """One signal. `weight` and `part` are absent where the calibration in force does not use it."""

    name: str
    missing: float
    """Share of live exchanges that could not give it."""
    weight: float | None
    """Change of the log-odds when the signal grows by its own `scale`."""
    part: float | None
    """Of all that moves the confidence, the share that this signal moves: all parts add up to 1."""
    alone: Alone


def signals(history: History, terms: tuple[Term, ...]) -> tuple[SignalRow, ...]:
    """A row for each signal in the history or the calibration, those that move most first.

    `part` is the standard deviation over live exchanges of weight × (value − centre) ÷ scale (of `missing` where the
    signal is missing), divided by the sum of these. Columns are taken one at a time, so that memory stays small.
    """
    live, judged = history.live, history.live & history.settled
    right = history.verdict[judged] == ACCEPTABLE
    used = {term.signal: term for term in terms}
    columns = {name: number for number, name in enumerate(history.signal_names)}
    rows, spread = [], {}
    for name in sorted({*columns, *used}):
        value = history.signals[:, columns[name]] if name in columns else np.full(len(history), np.nan, np.float32)
        if name in used and live.any():
            spread[name] = float(np.std(moved(value[live].astype(np.float64), used[name])))
        missing = float(np.mean(np.isnan(value[live]))) if live.any() else 1.0
        weight = used[name].weight if name in used else None
        rows.append(SignalRow(name, missing, weight, None, alone(value[judged].astype(np.float64), right)))
    total = sum(spread.values())
    parts = {name: one / total for name, one in spread.items()} if total else {}
    found = [row._replace(part=parts.get(row.name)) for row in rows]
    return tuple(sorted(found, key=lambda row: (-parts.get(row.name, -1.0), row.name)))


def moved(value: Floats, term: Term) -> Floats:
    """What the signal adds to the log-odds."""
    return np.where(np.isnan(value), term.missing, term.weight * (value - term.centre) / term.scale)
