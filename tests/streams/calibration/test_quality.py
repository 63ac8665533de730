"""Figures of quality on cases that are small enough to work out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from teachback.streams.calibration.quality import auroc, ece, loss, quality, risk_coverage
from teachback.streams.confidence import Floats

NOTHING: Floats = np.zeros(0)


def test_ece_is_nought_when_each_bin_is_as_right_as_it_says() -> None:
    scores = np.array([0.25] * 4 + [0.75] * 4)
    acceptable = np.array([True, False, False, False, True, True, True, False])
    assert ece(scores, acceptable, bins=2) == pytest.approx(0.0)


def test_ece_is_the_mean_gap_weighed_by_the_size_of_the_bin() -> None:
    scores = np.array([0.9, 0.9, 0.9, 0.2, 0.2])  # sorted and split in two: 0.2 0.2 0.9 | 0.9 0.9
    acceptable = np.array([True, True, True, False, False])
    first, second = abs((0.2 + 0.2 + 0.9) / 3 - 1 / 3), 0.1
    assert ece(scores, acceptable, bins=2) == pytest.approx((3 * first + 2 * second) / 5)


def test_ece_of_a_sure_and_wrong_score_is_one_and_of_nothing_is_nought() -> None:
    assert ece(np.ones(7), np.zeros(7, dtype=bool)) == 1.0
    assert ece(NOTHING, NOTHING.astype(bool)) == 0.0


@pytest.mark.parametrize(
    ("scores", "acceptable", "area"),
    [
        ([0.9, 0.8, 0.2], [True, True, False], 1.0),
        ([0.1, 0.9], [True, False], 0.0),
        ([0.5, 0.5, 0.5], [True, False, True], 0.5),
        ([0.9, 0.4, 0.6, 0.1], [True, True, False, False], 0.75),
        ([0.9, 0.6, 0.6, 0.1], [True, True, False, False], 0.875),
    ],
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    scores: list[float], acceptable: list[bool], area: float
) -> None:
    assert auroc(np.array(scores), np.array(acceptable)) == pytest.approx(area)


def test_auroc_needs_both_kinds() -> None:
    assert auroc(np.array([0.1, 0.9]), np.array([True, True])) is None
    assert auroc(np.array([0.1, 0.9]), np.array([False, False])) is None


def test_risk_is_the_share_wrong_among_the_most_trusted() -> None:
    scores, acceptable = np.array([0.6, 0.9, 0.7, 0.8]), np.array([False, True, False, True])
    points = [(point.coverage, point.risk) for point in risk_coverage(scores, acceptable, points=4)]
    assert points == [(0.25, 0.0), (0.5, 0.0), (0.75, 0.333333), (1.0, 0.5)]
    assert risk_coverage(NOTHING, NOTHING.astype(bool)) == ()


def test_fewer_exchanges_than_points_make_fewer_points() -> None:
    points = risk_coverage(np.array([0.9, 0.1]), np.array([True, False]), points=20)
    assert [(point.coverage, point.risk) for point in points] == [(0.5, 0.0), (1.0, 0.5)]


def test_quality_holds_all_figures_and_refuses_no_rows() -> None:
    scores, acceptable = np.array([0.8, 0.4]), np.array([True, False])
    found = quality(scores, acceptable)
    assert (found.n, found.wrong, found.auroc) == (2, 1, 1.0)
    assert found.brier == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert found.log_loss == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2, abs=1e-6)
    with pytest.raises(ValueError, match="at least one"):
        quality(NOTHING, NOTHING.astype(bool))


def test_log_loss_of_one_kind_only_is_still_a_number() -> None:
    assert loss(np.array([0.5, 0.5]), np.array([True, True])) == pytest.approx(math.log(2))
    assert math.isfinite(loss(np.array([1.0]), np.array([False])))
