"""Intervals for paired changes."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from teachback.trainer.gate.bootstrap import interval


def ends(changes: list[float], clusters: list[str], confidence: float = 0.95, seed: int = 1) -> tuple[float, float]:
    return interval(changes, clusters, confidence=confidence, resamples=2_000, seed=seed)


def names(count: int) -> list[str]:
    return [str(index) for index in range(count)]


def test_the_interval_of_many_single_rows_is_the_textbook_one() -> None:
    changes = np.random.default_rng(0).normal(0.3, 1.0, 400).tolist()
    low, high = ends(changes, names(400))
    half = NormalDist().inv_cdf(0.975) * float(np.std(changes)) / math.sqrt(400)
    assert low == pytest.approx(np.mean(changes) - half, abs=0.02)
    assert high == pytest.approx(np.mean(changes) + half, abs=0.02)


def test_rows_of_one_cluster_are_one_witness() -> None:
    single = np.random.default_rng(0).normal(0.0, 1.0, 40).tolist()
    low, high = ends(single, names(40))
    copied_low, copied_high = ends(single * 5, names(40) * 5)
    assert (copied_low, copied_high) == pytest.approx((low, high))
    naive_low, naive_high = ends(single * 5, names(200))
    assert naive_high - naive_low < 0.6 * (copied_high - copied_low)


def test_intervals_of_few_skewed_clusters_cover_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        levels = random.exponential(1.0, 18) - 1.0
        sizes = random.integers(2, 6, 18)
        changes = [
            level + random.normal(0, 0.3) for level, size in zip(levels, sizes, strict=True) for _ in range(size)
        ]
        clusters = [str(index) for index, size in enumerate(sizes) for _ in range(size)]
        low, high = interval(changes, clusters, confidence=0.9, resamples=400, seed=1)
        held += low <= 0.0 <= high
    assert 0.8 < held / 300 < 0.96


def test_the_same_seed_gives_the_same_interval() -> None:
    changes = np.random.default_rng(0).normal(0.0, 1.0, 30).tolist()
    assert ends(changes, names(30)) == ends(changes, names(30))
    assert ends(changes, names(30)) != ends(changes, names(30), seed=2)


def test_the_order_of_rows_does_not_matter() -> None:
    changes = np.random.default_rng(0).normal(0.0, 1.0, 30).tolist()
    assert ends(changes[::-1], names(30)[::-1]) == pytest.approx(ends(changes, names(30)))


def test_equal_changes_leave_no_doubt() -> None:
    assert ends([0.25] * 10, names(10)) == (0.25, 0.25)


def test_a_single_cluster_says_nothing() -> None:
    assert ends([0.1, 0.2], ["a", "a"]) == (-math.inf, math.inf)


def test_more_confidence_needs_a_wider_interval() -> None:
    changes = np.random.default_rng(0).normal(0.0, 1.0, 50).tolist()
    low, high = ends(changes, names(50), confidence=0.8)
    wide_low, wide_high = ends(changes, names(50), confidence=0.99)
    assert wide_low < low < high < wide_high


@pytest.mark.parametrize(("changes", "clusters"), [([], []), ([1.0], []), ([1.0, 2.0], ["a"])])
def test_changes_without_clusters_are_refused(changes: list[float], clusters: list[str]) -> None:
    with pytest.raises(ValueError, match="one cluster a change"):
        ends(changes, clusters)
