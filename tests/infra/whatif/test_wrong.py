"""Estimates from audits: intervals that cover the truth, and what is said where there are too few."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy.stats import binom, binomtest

from teachback.infra.history import Decisions, History
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.effect import effect
from teachback.infra.whatif.wrong import clopper_pearson, interval, wrong
from teachback.schemas.topics import DAY_MS
from tests.infra.whatif.making import DAY_0, Traffic, decisions, policy, traffic


@pytest.mark.parametrize(("errors", "trials"), [(0, 1), (0, 59), (1, 1), (3, 210), (30, 60), (60, 60)])
def test_the_interval_is_clopper_and_pearsons(errors: int, trials: int) -> None:
    expected = binomtest(errors, trials).proportion_ci(method="exact")
    assert clopper_pearson(errors, trials) == pytest.approx((expected.low, expected.high))


def test_with_one_audit_rate_weights_change_nothing() -> None:
    errors = np.arange(80) < 7
    assert interval(np.full(80, 12.5), errors) == pytest.approx(clopper_pearson(7, 80))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    for share in (0.01, 0.05, 0.3):
        counts = np.arange(101)
        bounds = [clopper_pearson(float(k), 100) for k in counts]
        covered = np.array([low <= share <= high for low, high in bounds])
        assert binom.pmf(counts, 100, share)[covered].sum() >= 0.95


def test_under_two_audit_rates_the_estimate_is_not_drawn_to_the_one_that_audits_more() -> None:
    dice = np.random.default_rng(7)
    estimates, covered, runs = [], 0, 300
    for _ in range(runs):
        # half of the answers are audited at 5 % and 4 % wrong, half at 40 % and 20 % wrong: 12 % in all
        few, many = dice.binomial(2000, 0.05), dice.binomial(2000, 0.4)
        errors = np.concatenate([dice.random(few) < 0.04, dice.random(many) < 0.2])
        weights = np.concatenate([np.full(few, 20.0), np.full(many, 2.5)])
        found = wrong(4000, weights, errors, np.ones(len(errors), bool))
        estimates.append(found.share)
        covered += found.low <= 0.12 <= found.high
    assert np.mean(estimates) == pytest.approx(0.12, abs=0.003)
    assert covered / runs >= 0.93  # its own error is 1.3 % here


def test_open_audits_widen_the_interval_and_move_no_estimate() -> None:
    errors, settled = np.arange(60) < 3, np.arange(60) < 50
    found = wrong(1000, np.ones(60), errors, settled)
    assert (found.audits, found.errors, found.unresolved, found.share) == (50, 3, 10, 0.06)
    assert (found.low_open, found.high_open) == pytest.approx((clopper_pearson(3, 60)[0], clopper_pearson(13, 60)[1]))
    assert found.low_open < found.low < found.share < found.high < found.high_open
    assert found.count == pytest.approx(60) and found.count_high == pytest.approx(1000 * found.high)


def test_without_a_settled_audit_nothing_is_known() -> None:
    found = wrong(1000, np.ones(2), np.zeros(2, bool), np.zeros(2, bool))
    assert (found.share, found.count, found.low, found.high, found.unresolved) == (None, None, 0.0, 1.0, 2)
    assert not found.enough
    assert wrong(0, np.ones(0), np.zeros(0, bool), np.zeros(0, bool)).enough  # of nothing, nothing is wrong


def truly_wrong(made: Traffic, history: History, routes: list[str]) -> int:
    """Live answers that were accepted and wrong, as only the maker of the traffic knows."""
    return sum(
        route == "accept" and exchange.source == "live" and not right
        for exchange, route, right in zip(made.exchanges, routes, made.right, strict=True)
    )


def test_the_estimate_of_wrong_answers_let_through_is_near_the_truth_and_its_interval_covers_it() -> None:
    asked = {"threshold": 0.5, "audit_rate": 0.02}
    covered, ratios, runs = 0, [], 40
    for seed in range(runs):
        first, second = policy(1, audit_rate=0.05), policy(2, threshold=0.7, audit_rate=0.2)
        made = traffic(1500, first, second, seed=seed)
        history = made.history()
        found = effect(history, decisions(first, second), Change(**asked), DAY_0, DAY_0 + 2 * DAY_MS).then.wrong
        truth = truly_wrong(made, history, made.routed(**asked))
        covered += found.count_low <= truth <= found.count_high
        ratios.append((found.count or 0) / truth)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)
    assert covered >= 0.9 * runs


def test_what_a_budget_leaves_out_is_estimated_too() -> None:
    strict = policy(threshold=0.95, audit_rate=0.3)
    made = traffic(4000, strict)
    history = made.history()
    known: Decisions = decisions(strict)
    found = effect(history, known, Change(budget=400), DAY_0, DAY_0 + 2 * DAY_MS)
    assert found.was.overflow_wrong is None
    missed = found.then.overflow_wrong
    assert missed is not None and found.then.overflow > 2000
    assert missed.answers + found.then.wrong.answers == found.then.unseen_wrong.answers
    limited = msgspec.structs.replace(strict, budget=400)
    again = effect(traffic(4000, limited).history(), decisions(limited), Change(), DAY_0, DAY_0 + 2 * DAY_MS)
    assert again.was.overflow_wrong == missed == again.then.overflow_wrong
    right = {exchange.id: right for exchange, right in zip(made.exchanges, made.right, strict=True)}
    order = sorted(range(len(history)), key=lambda row: (history.time[row] // DAY_MS, history.confidence[row]))
    truth, served = 0, dict.fromkeys((history.time // DAY_MS).tolist(), 0)
    for row in order:  # the least trusted are served first
        if history.route[row] == 1:
            day = int(history.time[row]) // DAY_MS
            served[day] += 1
            truth += served[day] > 400 and bool(history.live[row]) and not right[history.ids[row]]
    assert missed.count_low <= truth <= missed.count_high
