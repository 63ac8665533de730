"""The stated prior: what it trusts before any label."""

from __future__ import annotations

import pytest

from teachback.streams.confidence import PRIOR, confidence
from teachback.streams.signals import SIGNALS

GOOD = {"qa_cosine": 0.65, "question_overlap": 0.5, "hedging": 0.0, "refusal": 0.0, "repetition": 0.0, "log_words": 4.0}
DEFAULT_THRESHOLD = 0.8
HARMFUL = ("hedging", "refusal", "cut_off", "repetition", "disagreement", "entropy", "near_rejected")
HELPFUL = (
    *("qa_cosine", "question_overlap", "mean_logprob", "support", "figures_cited"),
    *("near_approved", "figures_approved"),
)


def test_the_prior_weighs_signals_that_there_are_each_once() -> None:
    names = [term.signal for term in PRIOR.terms]
    assert len(names) == len(set(names))
    assert set(names) <= set(SIGNALS)


def test_an_answer_to_the_question_passes_without_anything_else_being_known() -> None:
    assert confidence(GOOD) > DEFAULT_THRESHOLD


@pytest.mark.parametrize(
    "flaw",
    [
        {"qa_cosine": 0.1, "question_overlap": 0.0},
        {"refusal": 1.0},
        {"cut_off": 1.0},
        {"repetition": 0.8},
        {"hedging": 1.0},
        {"mean_logprob": -2.5},
        {"disagreement": 0.9},
        {"figures_approved": 0.0, "near_rejected": 1.0},
    ],
    ids=lambda flaw: next(iter(flaw)),
)
def test_one_plain_flaw_sends_an_answer_to_people(flaw: dict[str, float]) -> None:
    assert confidence(GOOD | flaw) < DEFAULT_THRESHOLD


def test_an_answer_of_which_nothing_is_known_is_not_trusted() -> None:
    assert confidence({}) < 0.5


@pytest.mark.parametrize("name", [*HELPFUL, *HARMFUL])
def test_each_signal_moves_the_confidence_its_own_way(name: str) -> None:
    low, high = (confidence(GOOD | {name: value}) for value in (0.2, 0.4))
    assert (low < high) == (name in HELPFUL)


def test_a_signal_that_is_no_number_is_a_missing_one() -> None:
    assert confidence({"qa_cosine": float("nan")}) == confidence({})
