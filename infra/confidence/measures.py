"""What the pictures show, as numbers: pure functions over arrays of confidences and verdicts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.streams.calibration.quality import auroc
from teachback.streams.confidence import Floats

Bools = NDArray[np.bool_]

LEVEL = 0.95
"""Of every interval on the page; each holds for its own point, not for all points at once."""
BINS = 10
BIN_MASS = 15  # judged answers that a bin should have at least: fewer say nothing
CURVE = 200  # points that a curve is drawn with, at most


class Share(NamedTuple):
    """`k` of `n`, and the exact interval for the share behind it (Clopper and Pearson 1934)."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; nan of nothing."""
        return self.k / self.n if self.n else float("nan")


class Bin(NamedTuple):
    """Answers of similar confidence: from the lowest to the highest of them, and how many people found acceptable."""

    lowest: float
    highest: float
    told: float
    right: Share


class CurvePoint(NamedTuple):
    """Of the most trusted `coverage`, the answers at or above `threshold`, the share that was wrong."""

    coverage: float
    threshold: float
    wrong: Share


class Alone(NamedTuple):
    """How well one signal by itself tells acceptable from wrong answers, with an approximate interval."""

    n: int
    value: float | None
    low: float | None = None
    high: float | None = None


def exact(k: NDArray[np.int64], n: NDArray[np.int64], level: float = LEVEL) -> tuple[Floats, Floats]:
    """Clopper–Pearson limits for shares k / n, elementwise; nothing seen is anything from 0 to 1."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low, high = np.zeros(len(k)), np.ones(len(k))
    some, missed = k > 0, k < n
    low[some] = betaincinv(k[some], n[some] - k[some] + 1, tail)
    high[missed] = betaincinv(k[missed] + 1, n[missed] - k[missed], 1 - tail)
    return low, high


def share(k: int, n: int) -> Share:
    """One share with its interval."""
    low, high = exact(np.array([k]), np.array([n]))
    return Share(k, n, float(low[0]), float(high[0]))


def reliability(confidence: Floats, right: Bools) -> tuple[Bin, ...]:
    """Bins of about equal mass, from the least to the most trusted. Equal confidences share a bin."""
    if not len(confidence):
        return ()
    wanted = max(1, min(BINS, len(confidence) // BIN_MASS))
    order = np.argsort(confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    ends = np.searchsorted(confidence, confidence[(np.arange(1, wanted + 1) * len(confidence)) // wanted - 1], "right")
    starts = np.concatenate([[0], np.unique(ends)[:-1]])
    found = []
    for start, end in zip(starts, np.unique(ends), strict=True):
        inside = confidence[start:end]
        right_here = share(int(right[start:end].sum()), int(end - start))
        found.append(Bin(float(inside[0]), float(inside[-1]), float(inside.mean()), right_here))
    return tuple(found)


def risk_curve(confidence: Floats, right: Bools, points: int = CURVE) -> tuple[CurvePoint, ...]:
    """Risk over coverage, from the most trusted answers on. Equal confidences enter together."""
    n = len(confidence)
    if not n:
        return ()
    order = np.argsort(-confidence, kind="stable")
    descending = confidence[order]
    wrong = np.cumsum(~right[order], dtype=np.int64)
    last = np.flatnonzero(np.append(descending[1:] != descending[:-1], True))  # the last of equals
    if len(last) > points:
        last = last[np.unique(np.searchsorted(last, np.linspace(last[0], n - 1, points)).clip(0, len(last) - 1))]
    low, high = exact(wrong[last], last + 1)
    rows = zip(last + 1, descending[last], wrong[last], low, high, strict=True)
    return tuple(
        CurvePoint(int(m) / n, float(at), Share(int(k), int(m), float(a), float(b))) for m, at, k, a, b in rows
    )


def at_coverages(curve: tuple[CurvePoint, ...], coverages: tuple[float, ...]) -> tuple[CurvePoint, ...]:
    """The curve's points that first reach some coverages; each at most once."""
    found = [next((p for p in curve if p.coverage >= wanted - 1e-9), curve[-1]) for wanted in coverages if curve]
    return tuple(dict.fromkeys(found))


def alone(value: Floats, right: Bools) -> Alone:
    """AUROC of one signal where it is there; None unless both kinds of answers are.

    The interval is approximate, from the standard error of Hanley and McNeil (1982, eq. 2).
    """
    there = ~np.isnan(value)
    value, right = value[there], right[there]
    good, bad = int(right.sum()), int((~right).sum())
    if not good or not bad:
        return Alone(len(value), None)
    a = auroc(value, right)
    assert a is not None
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + (good - 1) * (q1 - a * a) + (bad - 1) * (q2 - a * a)) / (good * bad))
    return Alone(len(value), a, float(max(0.0, a - 1.96 * error)), float(min(1.0, a + 1.96 * error)))
