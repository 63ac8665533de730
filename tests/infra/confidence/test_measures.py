"""Numbers behind the pictures, against ones worked out another way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from teachback.infra.confidence.measures import Share, alone, at_coverages, reliability, risk_curve, share
from teachback.infra.confidence.signals import signals
from teachback.infra.confidence.tallies import by_adapter, counts, days, histogram
from teachback.infra.history import AUDIT
from teachback.schemas.calibration import Term
from tests.infra.confidence import made


def test_an_interval_is_that_of_clopper_and_pearson() -> None:
    found = share(7, 90)
    assert found.low == pytest.approx(beta.ppf(0.025, 7, 84))
    assert found.high == pytest.approx(beta.ppf(0.975, 8, 83))
    assert share(0, 50).low == 0.0 and share(50, 50).high == 1.0
    assert share(0, 0)[2:] == (0.0, 1.0)


def test_bins_hold_every_answer_once_and_equal_confidences_share_one() -> None:
    lot = np.random.default_rng(3)
    confidence = np.round(lot.random(400), 1)
    right = lot.random(400) < confidence
    bins = reliability(confidence, right)
    assert sum(one.right.n for one in bins) == 400
    assert sum(one.right.k for one in bins) == right.sum()
    assert all(before.highest < after.lowest for before, after in pairwise(bins))
    assert reliability(np.array([]), np.array([], dtype=bool)) == ()


def test_few_answers_make_one_bin() -> None:
    (only,) = reliability(np.linspace(0.1, 0.9, 9), np.ones(9, dtype=bool))
    assert only.right == Share(9, 9, pytest.approx(0.664, abs=1e-3), 1.0)  # type: ignore[arg-type]


def test_the_risk_curve_counts_the_wrong_among_the_most_trusted() -> None:
    confidence = np.array([0.9, 0.9, 0.8, 0.7, 0.6])
    right = np.array([True, False, True, True, False])
    curve = risk_curve(confidence, right)
    assert [(p.coverage, p.threshold, p.wrong.k, p.wrong.n) for p in curve] == [
        (0.4, 0.9, 1, 2),
        (0.6, 0.8, 1, 3),
        (0.8, 0.7, 1, 4),
        (1.0, 0.6, 2, 5),
    ]
    assert [p.coverage for p in at_coverages(curve, (0.5, 1.0))] == [0.6, 1.0]


def test_a_long_curve_is_thinned_and_still_ends_at_all() -> None:
    lot = np.random.default_rng(5)
    curve = risk_curve(lot.random(5000), lot.random(5000) < 0.9)
    assert 50 < len(curve) <= 200 and curve[-1].coverage == 1.0


def test_a_signal_alone_is_judged_where_it_is_there() -> None:
    lot = np.random.default_rng(7)
    right = lot.random(500) < 0.7
    value = right + lot.normal(0, 1, 500)
    value[::5] = np.nan
    there = ~np.isnan(value)
    found = alone(value, right)
    assert found.n == 400
    assert found.value == pytest.approx(roc_auc_score(right[there], value[there]))
    assert (
        found.low is not None
        and found.high is not None
        and found.low < roc_auc_score(right[there], value[there]) < found.high
    )
    assert alone(value, np.ones(500, dtype=bool)).value is None


def test_parts_add_up_to_one_and_a_missing_signal_moves_nothing() -> None:
    terms = (
        Term(signal="qa_cosine", weight=2.0, centre=0.5, scale=0.2, missing=0.0),
        Term(signal="support", weight=9.0, centre=0.5, scale=0.2, missing=-1.0),  # nobody can give it
    )
    rows = {row.name: row for row in signals(made.history(1000), terms)}
    assert sum(row.part for row in rows.values() if row.part is not None) == pytest.approx(1.0)
    assert (rows["support"].part, rows["support"].missing) == (0.0, 1.0)
    assert rows["qa_cosine"].part == pytest.approx(1.0)
    assert rows["entropy"].part is None and rows["entropy"].missing == pytest.approx(0.3, abs=0.06)


def test_every_live_answer_is_counted_once_wherever_it_is_counted() -> None:
    past = made.history(3000)
    live, it = int(past.live.sum()), counts(past)
    assert it.live == live == it.accepted + it.reviewed + it.audits
    assert live == sum(row.live for row in by_adapter(past))
    told = histogram(past)
    assert live == sum(told.right) + sum(told.wrong) + sum(told.unseen)
    audits = int((past.live & (past.route == AUDIT)).sum())
    for span in (30, 200, 1500):
        assert sum(one.drawn for one in days(past, made.UNTIL - span * made.DAY, made.UNTIL)) == audits


def test_days_without_audits_are_shown_and_many_days_become_weeks() -> None:
    past = made.history(0)
    assert [one.drawn for one in days(past, made.SINCE, made.UNTIL)] == [0] * 30
    assert {one.days for one in days(past, made.UNTIL - 300 * made.DAY, made.UNTIL)} == {7}
