"""The walk from strict to loose thresholds, and how its thresholds are made from traffic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from teachback.streams.confidence import Floats
from teachback.streams.guarantee import Found, log_e_value, missing, walk, walk_of
from teachback.streams.guarantee.walk import Bools

TARGET, ALPHA = 0.1, 0.05
ENOUGH = missing(0, 0, TARGET, ALPHA)
STEPS = (0.9, 0.7, 0.5)


def found(confidences: list[float], wrong: list[bool]) -> Found:
    return walk(np.array(confidences), np.array(wrong, dtype=bool), STEPS, TARGET, ALPHA)


def traffic(seed: int, n: int) -> tuple[Floats, Bools]:
    """Confidences, and wrongness that is the likelier the lower they are."""
    drawn = np.random.default_rng(seed)
    confidences = np.round(drawn.random(n), 6)
    return confidences, drawn.random(n) < 0.35 * (1 - confidences) ** 2


def test_nothing_is_certified_without_audits_and_the_first_step_is_next() -> None:
    result = found([], [])
    assert result.certified is None
    assert result.next == (0, 0, 0, 0.0)


def test_one_audit_too_few_does_not_certify_and_the_last_one_does() -> None:
    short = found([0.95] * (ENOUGH - 1), [False] * (ENOUGH - 1))
    assert short.certified is None
    assert short.next is not None and short.next.audits == ENOUGH - 1
    full = found([0.95] * ENOUGH, [False] * ENOUGH)
    assert full.certified is not None and full.certified.audits == ENOUGH
    assert full.certified.step == 2  # all three classes hold the same audits
    assert full.next is None


def test_the_walk_stops_at_the_first_step_without_evidence_even_if_a_later_one_would_have_it() -> None:
    confidences = [0.95] * 10 + [0.6] * (3 * ENOUGH)
    wrong = [True] * 3 + [False] * (7 + 3 * ENOUGH)
    loose = walk(np.array(confidences), np.array(wrong), [0.5], TARGET, ALPHA)
    assert loose.certified is not None
    result = found(confidences, wrong)
    assert result.certified is None
    assert result.next is not None and (result.next.step, result.next.audits, result.next.errors) == (0, 10, 3)


def test_it_stops_between_a_good_class_and_a_bad_one() -> None:
    result = found([0.95] * ENOUGH + [0.8] * 20, [False] * ENOUGH + [True] * 20)
    # The wrong ones came after the evidence had sufficed for the looser classes too, so they stand.
    assert result.certified is not None and result.certified.step == 2
    result = found([0.8] * 20 + [0.95] * ENOUGH, [True] * 20 + [False] * ENOUGH)
    assert result.certified is not None and result.certified.step == 0
    assert result.next is not None and (result.next.step, result.next.errors) == (1, 20)


def test_a_step_once_certified_stays_certified_when_later_audits_are_wrong() -> None:
    clean = found([0.95] * ENOUGH, [False] * ENOUGH)
    later = found([0.95] * (ENOUGH + 50), [False] * ENOUGH + [True] * 50)
    assert later.certified == clean.certified
    assert float(log_e_value(ENOUGH + 50, 50, TARGET)) < -math.log(ALPHA)  # as it stands now it would not be enough


@pytest.mark.parametrize("seed", range(6))
def test_more_audits_never_take_a_step_back(seed: int) -> None:
    confidences, wrong = traffic(seed, 900)
    steps = []
    for n in range(0, 901, 30):
        certified = walk(confidences[:n], wrong[:n], np.linspace(0.9, 0.0, 10).tolist(), TARGET, ALPHA).certified
        steps.append(-1 if certified is None else certified.step)
    assert steps == sorted(steps)
    assert steps[0] == -1 < steps[-1]


def test_what_stands_for_a_step_is_counted_at_or_above_its_threshold() -> None:
    confidences, wrong = traffic(8, 60)
    thresholds = [0.4]
    result = walk(confidences, wrong, thresholds, 0.001, ALPHA).next
    assert result is not None
    assert result.audits == (confidences >= 0.4).sum()
    assert result.errors == wrong[confidences >= 0.4].sum()
    assert result.log_e == pytest.approx(float(log_e_value(result.audits, result.errors, 0.001)))


def test_without_thresholds_there_is_nothing_to_find() -> None:
    assert walk(np.array([0.9]), np.array([False]), [], TARGET, ALPHA) == Found(None, None)


@pytest.mark.parametrize("thresholds", [[0.5, 0.7], [0.9, 0.9], [0.9, 0.5, 0.6]])
def test_thresholds_that_do_not_fall_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="must fall"):
        walk(np.array([0.9]), np.array([False]), thresholds, TARGET, ALPHA)


def test_a_confidence_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        walk(np.array([0.9, np.nan]), np.array([False, False]), STEPS, TARGET, ALPHA)


def test_coverage_is_the_real_share_at_or_above_each_threshold() -> None:
    confidences, _ = traffic(3, 777)
    steps = walk_of(confidences, 0.2, 50)
    assert len(steps) == 50
    for step in steps:
        assert step.coverage == pytest.approx(float((confidences >= step.threshold).mean()), abs=1e-6)
    assert steps[0].coverage == pytest.approx(0.2, abs=2 / 777)
    assert steps[-1].coverage == 1.0
    assert np.allclose(np.diff([step.coverage for step in steps]), 0.8 / 49, atol=2 / 777)


def test_thresholds_fall_and_ties_make_fewer_steps() -> None:
    confidences = np.array([0.9] * 50 + [0.6] * 30 + [0.2] * 20)
    steps = walk_of(confidences, 0.2, 50)
    assert [(step.threshold, step.coverage) for step in steps] == [(0.9, 0.5), (0.6, 0.8), (0.2, 1.0)]


def test_a_walk_of_one_step_is_its_start_and_without_traffic_there_is_none() -> None:
    (only,) = walk_of(np.linspace(0.01, 1.0, 100), 0.2, 1)
    assert (only.threshold, only.coverage) == (0.81, 0.2)
    assert walk_of(np.zeros(0), 0.2, 50) == ()
