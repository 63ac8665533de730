"""Intervals for the mean of paired changes, by resampling clusters.

Rows that share an agreed answer succeed or fail together: five wordings of one question are no five witnesses. So whole
clusters are drawn with replacement (Cameron, Gelbach & Miller 2008, §II), and the mean is over the rows drawn.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NORMAL = NormalDist()
MEMORY = 2_000_000  # random numbers at a time


def interval(
    changes: Sequence[float], clusters: Sequence[str], *, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Two-sided BCa interval (Efron 1987, §3) of the mean change; the same input and seed give the same numbers.

    With a single cluster nothing can be resampled, and the interval is everything: (-inf, inf).
    Raises ValueError when there is no change, or not a cluster for each.
    """
    if not changes or len(changes) != len(clusters):
        raise ValueError(f"{len(changes)} changes in {len(clusters)} clusters: one cluster a change, and at least one")
    sums, sizes = totals(changes, clusters)
    if len(sums) == 1:
        return -np.inf, np.inf
    mean = sums.sum() / sizes.sum()
    means = np.sort(resampled_means(sums, sizes, resamples, seed))
    if means[0] == means[-1]:
        return float(means[0]), float(means[-1])
    below = ((means < mean).sum() + 0.5 * (means == mean).sum()) / resamples
    bias = NORMAL.inv_cdf(float(np.clip(below, 1 / resamples, 1 - 1 / resamples)))
    skew = acceleration(sums, sizes)
    tail = (1 - confidence) / 2
    low, high = (float(np.quantile(means, corrected(NORMAL.inv_cdf(p), bias, skew))) for p in (tail, 1 - tail))
    return low, high


def totals(changes: Sequence[float], clusters: Sequence[str]) -> tuple[Floats, Floats]:
    """Each cluster's sum and size, shape (clusters,), in the order of their names."""
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    sums: Floats = np.bincount(index, weights=np.asarray(changes, np.float64), minlength=len(names)).astype(np.float64)
    return sums, np.bincount(index, minlength=len(names)).astype(np.float64)


def resampled_means(sums: Floats, sizes: Floats, resamples: int, seed: int) -> Floats:
    """The mean of as many redrawn data sets, shape (resamples,)."""
    random, count = np.random.default_rng(seed), len(sums)
    step = max(1, MEMORY // count)
    parts = []
    for start in range(0, resamples, step):
        drawn = random.integers(0, count, size=(min(step, resamples - start), count))
        parts.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(parts)


def acceleration(sums: Floats, sizes: Floats) -> float:
    """How the mean's spread changes with its value, from leaving out each cluster in turn (Efron 1987, eq. 7.3)."""
    without = (sums.sum() - sums) / (sizes.sum() - sizes)
    apart = without.mean() - without
    scale = (apart**2).sum() ** 1.5
    return 0.0 if scale == 0 else float((apart**3).sum() / (6 * scale))


def corrected(quantile: float, bias: float, skew: float) -> float:
    """The share of the resampled means below the interval's end, for a normal quantile (Efron 1987, eq. 3.9)."""
    shifted = bias + quantile
    return NORMAL.cdf(bias + shifted / (1 - skew * shifted))
