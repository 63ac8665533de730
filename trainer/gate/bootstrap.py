"""Intervals for the mean of paired changes, by resampling clusters.

Rows that share an agreed answer succeed or fail together: five wordings of one question are no five witnesses. So whole
clusters are drawn with replacement (Cameron, Gelbach & Miller 2008, §II), and the mean is over the rows drawn.

Few clusters drawn from themselves spread less than clusters drawn afresh would, and the interval is too narrow: its
ends are put further out, as Student's t does for a mean (Hesterberg 2015, arXiv:1411.5279, the expanded percentile
interval; his R package `resample` does it to BCa too). How often it holds stands in docs/training.md.
"""

import math
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
    """Two-sided expanded BCa interval (Efron 1987, §3) of the mean of finite changes; the same for the same seed.

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
    reach = expanded((1 - confidence) / 2, len(sums))
    low, high = (float(np.quantile(means, corrected(quantile, bias, skew))) for quantile in (-reach, reach))
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
    # Far out the formula has a pole, and behind it the sides change places: there the end is the outermost mean.
    return NORMAL.cdf(bias + shifted / max(1 - skew * shifted, 1e-9))


def expanded(tail: float, clusters: int) -> float:
    """The normal quantile to use for an upper tail of so many clusters, at least two (Hesterberg 2015).

    It makes up for the resamples' spread, which is too small by sqrt((k - 1) / k), and for its being an estimate.
    """
    return math.sqrt(clusters / (clusters - 1)) * student(tail, clusters - 1)


def student(tail: float, degrees: int) -> float:
    """The quantile of Student's t with this upper tail, from the normal one (Abramowitz & Stegun 1964, eq. 26.7.5).

    At 95 and 99 % right to 1 % from 3 degrees of freedom on; too small below, where no resample reaches anyway.
    """
    z = -NORMAL.inv_cdf(tail)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return math.fsum(term / math.pow(degrees, power) for power, term in enumerate(terms))
