"""From signals to figures: AUROC with intervals, calibration error over draws, each signal's share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.signals_fiqa import Kind, Pair
from bench.signals_rows import Floats
from teachback.streams.calibration.fit import fit
from teachback.streams.calibration.quality import auroc, ece
from teachback.streams.confidence import PRIOR, Weights, confidences
from teachback.streams.signals import SIGNALS

RESAMPLES = 1000
LABELS = 300
Bools = NDArray[np.bool_]


class Interval(NamedTuple):
    """A figure, and where 95 of 100 resamples put it."""

    value: float
    low: float
    high: float


class Half(NamedTuple):
    """The exchanges of one half, and their signals."""

    pairs: Sequence[Pair]
    signals: Floats

    @property
    def acceptable(self) -> Bools:
        """Whether each answer is the right one."""
        return self.of("right")

    def part(self, chosen: Bools | NDArray[np.int64]) -> Half:
        """Some of the exchanges."""
        return Half([self.pairs[i] for i in np.arange(len(self.pairs))[chosen]], self.signals[chosen])

    def of(self, kind: Kind) -> Bools:
        """Which exchanges are of a kind."""
        return np.array([pair.kind == kind for pair in self.pairs])

    def only(self, names: Sequence[str]) -> Half:
        """The same exchanges without the other signals."""
        return self._replace(signals=np.where(np.isin(SIGNALS, names), self.signals, np.nan))

    def one_each(self, seed: int) -> Half:
        """For each question the right answer, and by lot the random or the hard wrong one: half are right."""
        lot = np.random.default_rng(seed)
        drawn = {q: lot.choice(["random", "hard"]) for q in sorted({pair.question for pair in self.pairs})}
        return self.part(np.array([pair.kind in {"right", drawn[pair.question]} for pair in self.pairs]))


def fitted(half: Half, names: Sequence[str] = SIGNALS, traffic: Half | None = None) -> Weights:
    """The calibration that the loop would fit to these labels, on some of the signals."""
    columns = [SIGNALS.index(name) for name in names]
    unlabelled = (traffic or half).signals[:, columns]
    return fit(half.signals[:, columns], half.acceptable, names, unlabelled, 1)


def scores(half: Half, weights: Weights) -> Floats:
    """The confidence in each exchange."""
    return confidences(half.signals, SIGNALS, weights)


def told_apart(half: Half, found: Floats, wrong: Kind) -> float:
    """AUROC of right answers against wrong ones of a kind."""
    chosen = np.array([pair.kind in {"right", wrong} for pair in half.pairs])
    area = auroc(found[chosen], half.acceptable[chosen])
    if area is None:
        raise ValueError(f"no pairs of the kind {wrong!r}")
    return area


def bootstrapped(half: Half, found: Floats, wrong: Kind, seed: int = 0) -> Interval:
    """AUROC with its interval over resampled questions (percentile bootstrap; a question's answers stay together)."""
    right = {p.question: s for p, s in zip(half.pairs, found, strict=True) if p.kind == "right"}
    other = {p.question: s for p, s in zip(half.pairs, found, strict=True) if p.kind == wrong}
    both = np.array([[right[q], other[q]] for q in right])
    truth = np.repeat([True, False], len(both))
    lot = np.random.default_rng(seed)
    drawn = [both[lot.integers(0, len(both), len(both))] for _ in range(RESAMPLES)]
    areas = [auroc(each.T.ravel(), truth) or 0.0 for each in drawn]
    low, high = np.quantile(areas, [0.025, 0.975])
    return Interval(told_apart(half, found, wrong), float(low), float(high))


def calibration_error(train: Half, test: Half, seed: int) -> tuple[float, float]:
    """ECE on the test half after `LABELS` labels of the training half; and of a forecaster that is right about each.

    The second is what ten bins of this many exchanges show by chance alone: outcomes drawn from the confidences.
    """
    lot = np.random.default_rng(seed)
    unlabelled, seen = train.one_each(seed), test.one_each(seed + 1)
    labelled = unlabelled.part(lot.permutation(len(unlabelled.pairs))[:LABELS])
    found = scores(seen, fitted(labelled, traffic=unlabelled))
    chance = np.mean([ece(found, lot.random(len(found)) < found) for _ in range(20)])
    return ece(found, seen.acceptable), float(chance)


def prior_error(test: Half, seed: int) -> float:
    """ECE of the stated prior on the test half, as `calibration_error` measures the fit's."""
    seen = test.one_each(seed + 1)
    return ece(scores(seen, PRIOR), seen.acceptable)


def shares(weights: Weights) -> dict[str, float]:
    """Each signal's share of Σ |weight|; weights are of signals standardised on the training half."""
    total = sum(abs(term.weight) for term in weights.terms)
    return {term.signal: abs(term.weight) / total for term in weights.terms}
