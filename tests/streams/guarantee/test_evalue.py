"""The e-value against its definition, against every possible run of audits, and against simulated traffic."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom

from teachback.streams.guarantee import alpha_of, log_e_value, missing
from teachback.streams.guarantee.evalue import LEAN


@pytest.mark.parametrize("target", [0.01, 0.03, 0.2])
@pytest.mark.parametrize(("audits", "errors"), [(0, 0), (1, 0), (1, 1), (40, 0), (40, 3), (300, 2), (300, 12)])
def test_the_closed_form_is_the_integral_that_defines_it(audits: int, errors: int, target: float) -> None:
    def ratio(p: float) -> float:
        density = beta.pdf(p, 1, LEAN / target) / beta.cdf(target, 1, LEAN / target)
        return float((p / target) ** errors * ((1 - p) / (1 - target)) ** (audits - errors) * density)

    integral, _ = quad(ratio, 0.0, target, epsabs=0.0, epsrel=1e-11, limit=200)
    assert float(log_e_value(audits, errors, target)) == pytest.approx(math.log(integral), abs=1e-8)


def test_without_audits_there_is_no_evidence_either_way() -> None:
    assert float(log_e_value(0, 0, 0.03)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("target", [0.03, 0.2, 0.5])
@pytest.mark.parametrize("factor", [1.0, 1.2, 1.9])
@pytest.mark.parametrize("audits", range(13))
def test_its_mean_is_at_most_one_when_the_target_is_not_met(audits: int, factor: float, target: float) -> None:
    errors = np.arange(audits + 1)
    mean = float((binom.pmf(errors, audits, factor * target) * np.exp(log_e_value(audits, errors, target))).sum())
    assert mean <= 1 + 1e-9
    if factor == 1.0:
        assert mean == pytest.approx(1.0, abs=1e-9)  # a fair bet on the boundary, so none of α is wasted


@pytest.mark.parametrize("wrong", [0.2, 0.25, 0.6, 1.0])
def test_from_every_state_one_more_audit_does_not_raise_its_mean(wrong: float) -> None:
    target = 0.2
    for audits in range(12):
        errors = np.arange(audits + 1)
        here = np.exp(log_e_value(audits, errors, target))
        clean, bad = (np.exp(log_e_value(audits + 1, errors + more, target)) for more in (0, 1))
        assert ((1 - wrong) * clean + wrong * bad <= here * (1 + 1e-9)).all()


def test_looking_after_every_audit_certifies_too_bad_traffic_no_more_often_than_alpha() -> None:
    streams, target, alpha = 400, 0.03, 0.05
    wrong = np.random.default_rng(11).random((streams, 1000)) < 1.02 * target
    log_e = log_e_value(np.arange(1, 1001), np.cumsum(wrong, axis=1), target)
    certified = float((log_e.max(axis=1) >= -math.log(alpha)).mean())
    assert certified <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / streams)
    assert certified > 0  # a test that can never certify would pass the line above


def test_good_traffic_is_certified_nearly_always() -> None:
    wrong = np.random.default_rng(12).random((200, 1500)) < 0.005
    log_e = log_e_value(np.arange(1, 1501), np.cumsum(wrong, axis=1), 0.03)
    assert (log_e.max(axis=1) >= -math.log(0.05)).mean() > 0.95


def test_clean_audits_raise_it_and_wrong_ones_lower_it() -> None:
    assert (np.diff(log_e_value(np.arange(500), 0, 0.03)) > 0).all()
    assert (np.diff(log_e_value(100, np.arange(101), 0.03)) < 0).all()


def test_many_errors_are_minus_infinity_and_not_a_warning() -> None:
    assert float(log_e_value(5000, 5000, 0.001)) < -1000


@pytest.mark.parametrize(("audits", "errors"), [(0, 0), (50, 0), (120, 0), (100, 2), (400, 9), (30, 5)])
@pytest.mark.parametrize(("target", "alpha"), [(0.03, 0.05), (0.1, 0.01), (0.03, alpha_of(2, 0.05))])
def test_missing_is_the_least_number_of_clean_audits_that_suffices(
    audits: int, errors: int, target: float, alpha: float
) -> None:
    more = missing(audits, errors, target, alpha)
    assert float(log_e_value(audits + more, errors, target)) >= -math.log(alpha)
    if more:
        assert float(log_e_value(audits + more - 1, errors, target)) < -math.log(alpha)


def test_from_nothing_124_clean_audits_are_missing_and_none_once_there_is_enough() -> None:
    assert missing(0, 0, 0.03, 0.05) == 124
    assert missing(124, 0, 0.03, 0.05) == 0
    assert missing(123, 0, 0.03, 0.05) == 1


@pytest.mark.parametrize("target", [0.01, 0.03, 0.1, 0.5])
def test_it_needs_fewer_clean_audits_than_a_uniform_density_and_more_than_any_bet_can_do_with(target: float) -> None:
    needed = missing(0, 0, target, 0.05)
    uniform = (1 - (1 - target) ** (needed + 1)) / (needed + 1) / target / (1 - target) ** needed
    assert uniform < 1 / 0.05
    assert (1 - target) ** -(needed - 1) > 1 / 0.05  # all on "none is wrong": no bet gains more by a clean audit


def test_all_attempts_together_spend_at_most_alpha() -> None:
    spent = [alpha_of(attempt, 0.05) for attempt in range(1, 20_001)]
    assert sum(spent) <= 0.05
    assert sum(spent) > 0.0499
    assert all(later < earlier for earlier, later in pairwise(spent))


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_a_target_that_is_no_share_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="target"):
        log_e_value(10, 0, target)


@pytest.mark.parametrize(
    ("audits", "errors"), [(10, 11), (10, -1), (-1, 0), (math.nan, 0), (10, math.nan), (math.inf, 0)]
)
def test_errors_that_are_not_among_the_audits_are_refused(audits: float, errors: float) -> None:
    with pytest.raises(ValueError, match="errors"):
        log_e_value(audits, errors, 0.03)


@pytest.mark.parametrize("attempt", [0, -3])
def test_attempts_count_from_one(attempt: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        alpha_of(attempt, 0.05)
