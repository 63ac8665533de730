"""What a fit says with no labels, with few and with many; and that both forms of a confidence agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from teachback.streams.calibration.fit import fit
from teachback.streams.calibration.quality import auroc, ece
from teachback.streams.confidence import PRIOR, Floats, Weights, confidence, confidences

NAMES = ("cut_off", "entropy", "hedging", "mean_logprob", "qa_cosine")
NO_LABELS = (np.zeros((0, len(NAMES))), np.zeros(0, dtype=bool))


def traffic(seed: int, n: int = 500) -> Floats:
    """Signals as a chatbot's exchanges give them; one in five has no log-probabilities."""
    drawn = np.random.default_rng(seed)
    found: Floats = np.column_stack(
        [
            drawn.random(n) < 0.1,
            drawn.gamma(4, 0.2, n),
            np.where(drawn.random(n) < 0.2, drawn.random(n), 0.0),
            -drawn.gamma(4, 0.17, n),
            drawn.beta(6, 4, n),
        ]
    ).astype(np.float64)
    found[drawn.random(n) < 0.2, 3] = np.nan
    return found


def log_odds(scores: Floats) -> Floats:
    found: Floats = np.log(scores / (1 - scores))
    return found


@pytest.mark.parametrize("kind", ["prior", "fitted"])
def test_one_confidence_and_many_are_the_same_numbers(kind: str) -> None:
    crowd = traffic(1, 300)
    crowd[np.random.default_rng(2).random(crowd.shape) < 0.2] = np.nan
    weights = PRIOR if kind == "prior" else fit(crowd, crowd[:, 1] < 0.8, NAMES, crowd, 1)
    one_by_one = [
        confidence({name: float(value) for name, value in zip(NAMES, row, strict=True) if not np.isnan(value)}, weights)
        for row in crowd
    ]
    assert np.abs(confidences(crowd, NAMES, weights) - np.array(one_by_one)).max() <= 1e-6  # one unit of rounding


def test_a_signal_that_no_row_has_is_missing_in_both_forms() -> None:
    assert confidences(np.zeros((1, 0)), (), PRIOR)[0] == confidence({}) == confidence({"unknown": 3.0})


def test_a_confidence_stays_between_0_and_1_for_any_signal() -> None:
    assert confidence({"qa_cosine": 1e6}) == 1.0
    assert confidence({"qa_cosine": -1e6}) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_without_labels_the_fit_follows_the_priors_order(seed: int) -> None:
    crowd = traffic(seed)
    weights = fit(*NO_LABELS, NAMES, crowd, 1)
    scores, prior = confidences(crowd, NAMES, weights), confidences(crowd, NAMES, PRIOR)
    assert spearmanr(scores, prior)[0] > 0.9
    assert np.abs(scores - prior).mean() < 0.1


@pytest.mark.parametrize("seed", range(6))
def test_twenty_random_outcomes_move_confidences_little_and_explode_nowhere(seed: int) -> None:
    crowd, drawn = traffic(0), np.random.default_rng(seed)
    few = drawn.choice(len(crowd), 20, replace=False)
    weights = fit(crowd[few], drawn.random(20) < 0.5, NAMES, crowd, 1)
    moved = np.abs(log_odds(confidences(crowd, NAMES, weights)) - log_odds(confidences(crowd, NAMES, PRIOR)))
    assert moved.mean() < 1.0
    assert moved.max() < 5.0


def test_twenty_outcomes_that_are_all_right_do_not_make_it_sure_of_everything() -> None:
    crowd = traffic(0)
    scores = confidences(crowd, NAMES, fit(crowd[:20], np.ones(20, dtype=bool), NAMES, crowd, 1))
    assert scores.min() < 0.8
    assert scores.mean() > confidences(crowd, NAMES, PRIOR).mean()


def test_many_labels_overrule_a_prior_that_is_wrong() -> None:
    """Here a high cosine is a bad sign, against the prior."""
    crowd, drawn = traffic(5, 4000), np.random.default_rng(6)
    truth = 1 / (1 + np.exp(8 * (crowd[:, 4] - 0.6)))
    acceptable = drawn.random(4000) < truth
    weights = fit(crowd[:3000], acceptable[:3000], NAMES, crowd[:3000], 7)
    scores, prior = confidences(crowd[3000:], NAMES, weights), confidences(crowd[3000:], NAMES, PRIOR)
    learnt, before = auroc(scores, acceptable[3000:]), auroc(prior, acceptable[3000:])
    assert learnt is not None and before is not None
    assert learnt > 0.7
    assert before < 0.5
    assert ece(scores, acceptable[3000:]) < 0.06
    assert weights.version == 7


def test_that_a_signal_is_missing_can_itself_be_a_sign() -> None:
    crowd = traffic(5, 1000)
    weights = fit(crowd, ~np.isnan(crowd[:, 3]), NAMES, crowd, 1)
    term = next(term for term in weights.terms if term.signal == "mean_logprob")
    assert term.missing < -1.0
    assert all(other.missing == 0.0 for other in weights.terms if other.signal != "mean_logprob")


def test_a_signal_that_never_varies_has_no_part() -> None:
    crowd = traffic(5, 200)
    crowd[:, 0] = 1.0
    assert "cut_off" not in {term.signal for term in fit(*NO_LABELS, NAMES, crowd, 1).terms}


@pytest.mark.parametrize("right", [40, 13, 0])
def test_where_no_signal_varies_there_is_only_an_intercept(right: int) -> None:
    same = np.full((40, 2), 0.5)
    same[:, 1] = np.nan
    weights = fit(same, np.arange(40) < right, ("qa_cosine", "entropy"), same, 3)
    assert (weights.version, weights.terms) == (3, ())
    prior = confidence({"qa_cosine": 0.5})
    assert confidence({"qa_cosine": 0.5}, weights) == pytest.approx((right + 20 * prior) / 60, abs=1e-5)


def test_without_any_signal_there_is_only_an_intercept() -> None:
    weights = fit(np.zeros((30, 0)), np.ones(30, dtype=bool), (), np.zeros((5, 0)), 1)
    assert weights.terms == () and confidence({}, weights) > 0.7


@pytest.mark.parametrize("absurd", [-1e6, 1e6])
def test_one_absurd_value_spoils_no_fit(absurd: float) -> None:
    crowd = traffic(5, 200)
    labels = crowd[:, 4] > 0.6
    spoilt = crowd.copy()
    spoilt[7, 4] = absurd
    scores = confidences(crowd, NAMES, fit(spoilt, labels, NAMES, spoilt, 1))
    assert (auroc(scores, labels) or 0) > 0.97
    assert float(np.mean((scores - labels) ** 2)) < 0.08  # 0.035 without it; a coin has 0.25


def test_a_rare_signal_stays_a_signal() -> None:
    rows = np.zeros((400, 1))
    rows[:3] = 1.0
    assert fit(rows, rows[:, 0] < 0.5, ("cut_off",), rows, 1).terms[0].weight < 0


def test_the_same_labels_give_the_same_weights() -> None:
    crowd = traffic(3)
    made: list[Weights] = [fit(crowd[:50], crowd[:50, 4] > 0.5, NAMES, crowd, 1) for _ in range(2)]
    assert made[0] == made[1]


def test_no_rows_and_infinite_signals_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one exchange"):
        fit(*NO_LABELS, NAMES, np.zeros((0, len(NAMES))), 1)
    with pytest.raises(ValueError, match="finite"):
        fit(*NO_LABELS, NAMES, np.full((3, len(NAMES)), np.inf), 1)
