"""The margin of an answer's own question over the others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.streams.signals.margin import LEAST, SAME, question_margin

CROWD = [0.0] * LEAST  # cosines of questions that are near to nothing


def margin(own: float, *others: tuple[float, float], crowd: list[float] = CROWD) -> float | None:
    """Of an answer among a crowd and others, of which each has a cosine with the answer and one with the question."""
    answered, asked = ([*crowd, *(pair[side] for pair in others)] for side in (0, 1))
    return question_margin(own, np.array(answered, np.float32), np.array(asked, np.float32))


def test_an_answer_that_no_other_question_is_near_has_its_whole_cosine() -> None:
    assert margin(0.6) == pytest.approx(0.6)


def test_an_answer_that_belongs_to_another_question_falls_below_nought() -> None:
    assert margin(0.6, (0.9, 0.7)) == pytest.approx(-0.3)


def test_the_same_question_asked_by_others_is_no_rival() -> None:
    assert margin(0.6, (0.9, 1.0), (0.8, SAME)) == pytest.approx(0.6)


def test_few_others_say_nothing() -> None:
    assert margin(1.0, crowd=CROWD[1:]) is None
    assert margin(1.0, (1.0, 1.0), (1.0, 1.0), crowd=CROWD[1:]) is None
    assert margin(1.0, crowd=[]) is None


@given(st.floats(-1, 1), st.lists(st.tuples(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32))))
def test_more_questions_never_raise_it(own: float, others: list[tuple[float, float]]) -> None:
    found = [margin(own, *others[:count]) for count in range(len(others) + 1)]
    assert all(more <= few for few, more in pairwise(found) if few is not None and more is not None)
    assert None not in found
