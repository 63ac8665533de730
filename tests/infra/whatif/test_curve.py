"""Risk–coverage, and the threshold that a promise would have certified."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from teachback.infra.history import AUDIT, REVIEW, WRONG, History
from teachback.infra.whatif.curve import risk_coverage
from teachback.infra.whatif.promise import promised
from teachback.infra.whatif.routes import as_it_was, weights_of_audits
from teachback.schemas import Rule
from teachback.schemas.policy import Promise
from teachback.schemas.topics import DAY_MS
from teachback.streams.guarantee import alpha_of, missing, side
from tests.infra.whatif.making import DAY_0, decisions, policy, traffic

RULED = policy(audit_rate=0.2, rules=(Rule(name="cards", topic="cards"),))
END = DAY_0 + 2 * DAY_MS


def test_each_point_counts_the_audits_at_or_above_its_threshold() -> None:
    history, known = traffic(1500, RULED).history(lambda number: number % 5 > 0), decisions(RULED)
    was = as_it_was(history, known)
    points = risk_coverage(history, was, weights_of_audits(history, known), steps=20)
    open_ = history.live & ~history.ruled
    for point in points:
        above = open_ & (history.confidence >= point.threshold)
        audits = above & (history.route == AUDIT) & history.settled
        assert point.coverage == pytest.approx(above.sum() / history.live.sum())
        assert (point.audits, point.errors) == (audits.sum(), (audits & (history.verdict == WRONG)).sum())
        assert point.risk == pytest.approx(point.errors / point.audits)
        assert point.low <= point.risk <= point.high
    coverages = [point.coverage for point in points]
    assert len(points) > 15 and coverages == sorted(coverages)
    assert coverages[-1] == pytest.approx(open_.sum() / history.live.sum())


def test_the_curve_passes_through_the_thresholds_accepted() -> None:
    history, known = traffic(1500, RULED).history(), decisions(RULED)
    was = as_it_was(history, known)
    trusted = history.live & was.trusted
    points = risk_coverage(history, was, weights_of_audits(history, known))
    before = [point for point in points if point.threshold >= 0.8]
    assert before[-1].coverage <= trusted.sum() / history.live.sum() <= points[len(before)].coverage


def test_without_settled_audits_there_is_no_curve() -> None:
    history, known = traffic(300, RULED).history(lambda _: False), decisions(RULED)
    was, weights = as_it_was(history, known), weights_of_audits(history, known)
    assert risk_coverage(history, was, weights) == ()
    nothing = history.rows(slice(0))
    assert risk_coverage(nothing, as_it_was(nothing, known), weights[:0]) == ()


def certifying(history: History) -> NDArray[np.bool_]:
    """Audits of live traffic that no calibration may see."""
    return (history.route == AUDIT) & np.array([side(one) == "certify" for one in history.ids])


def test_a_promise_walks_from_strict_to_loose_and_stops_where_audits_do_not_carry_it() -> None:
    all_audited = policy(audit_rate=1.0)
    history, known = traffic(4000, all_audited).history(), decisions(all_audited)
    was = as_it_was(history, known)
    promise = Promise(target=0.2, start=0.05, steps=20)
    found = promised(history, known, was, promise, END)
    assert found.threshold is not None and found.lacking > 0
    live = history.live & (history.confidence >= found.threshold)
    above = live & certifying(history)
    assert (found.audits, found.errors) == (above.sum(), (above & (history.verdict == WRONG)).sum())
    assert found.coverage == pytest.approx(live.sum() / history.live.sum(), abs=1e-6)
    assert found.errors / found.audits < 0.2
    looser = promised(history, known, was, msgspec.structs.replace(promise, target=0.3), END)
    assert looser.threshold is not None and looser.threshold < found.threshold


def test_without_enough_audits_it_says_how_many_are_lacking() -> None:
    history, known = traffic(600, RULED).history(), decisions(RULED)
    found = promised(history, known, as_it_was(history, known), Promise(), END)
    assert (found.threshold, found.coverage) == (None, 0.0)
    assert found.lacking == missing(found.audits, found.errors, 0.03, alpha_of(1, 0.05)) > 50


def test_an_audit_past_its_deadline_counts_as_wrong_and_one_that_is_open_does_not_count() -> None:
    all_audited = policy(audit_rate=1.0, audit_hours=24.0)
    history, known = traffic(2000, all_audited, days=2).history(lambda number: number % 4 > 0), decisions(all_audited)
    was = as_it_was(history, known)
    promise = Promise(target=0.9, confidence=0.6, start=0.99, steps=1)
    found = promised(history, known, was, promise, END)
    assert found.threshold is not None
    overdue = ~history.settled & (history.time < END - DAY_MS)
    counted = certifying(history) & (history.settled | overdue) & (history.confidence >= found.threshold)
    assert found.audits == counted.sum()
    assert found.unresolved == (counted & overdue).sum() > 100
    assert found.errors == (counted & (overdue | (history.verdict == WRONG))).sum()


def test_reviews_are_no_evidence() -> None:
    history, known = traffic(1500, RULED).history(), decisions(RULED)
    was, weights = as_it_was(history, known), weights_of_audits(history, known)
    points = risk_coverage(history, was, weights)
    history.verdict[history.route == REVIEW] = WRONG
    assert risk_coverage(history, was, weights) == points
    assert np.all(history.verdict[history.route == REVIEW] == WRONG)
