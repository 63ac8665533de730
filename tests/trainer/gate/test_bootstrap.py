"""Intervals for paired changes."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from teachback.trainer.gate.bootstrap import expanded, interval, student


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


def wrongly_good(clusters: int, draws: int, resamples: int = 400) -> float:
    """The share of 95 % intervals wholly on the good side of a true change of 0, of 30 rows; 2.5 % by name.

    Normal: clusters differ by a standard deviation of 1, rows of one cluster by 0.5. Both sides are counted, for both
    are as likely. docs/training.md has the shares of 4,000 draws with 2,000 resamples.
    """
    random = np.random.default_rng(7)
    names = [str(row % clusters) for row in range(30)]
    missed = 0
    for _ in range(draws):
        levels = random.normal(0.0, 1.0, clusters)
        changes = [levels[row % clusters] + random.normal(0.0, 0.5) for row in range(30)]
        low, high = interval(changes, names, confidence=0.95, resamples=resamples, seed=1)
        missed += low > 0.0 or high < 0.0
    return missed / draws / 2


def test_intervals_of_few_clusters_are_seldom_wholly_on_the_good_side_by_luck() -> None:
    assert wrongly_good(6, 1_000) < 0.05, "6.4 % without the widening"
    assert wrongly_good(12, 1_000) < 0.04, "4.6 % without it"


def test_the_fewer_clusters_the_further_out_the_interval_ends() -> None:
    assert expanded(0.025, 12) == pytest.approx(math.sqrt(12 / 11) * 2.2010, abs=1e-3)
    assert expanded(0.025, 25) < expanded(0.025, 12) < expanded(0.025, 5)
    assert expanded(0.025, 100_000) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-3)


@pytest.mark.parametrize(
    ("tail", "degrees", "quantile"),
    [(0.05, 4, 2.1318), (0.025, 3, 3.1824), (0.025, 11, 2.2010), (0.005, 5, 4.0321), (0.005, 30, 2.7500)],
)
def test_quantiles_of_students_t_are_those_of_the_tables(tail: float, degrees: int, quantile: float) -> None:
    assert student(tail, degrees) == pytest.approx(quantile, rel=2e-3)


def test_a_demand_that_the_resamples_cannot_meet_ends_at_the_outermost() -> None:
    changes = [0.0] * 11 + [100.0]
    low, high = ends(changes, names(12), confidence=0.9999999)
    assert 0.0 <= low < np.mean(changes) < high <= 100.0


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
