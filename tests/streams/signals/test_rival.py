"""The nearest other question to an answer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.streams.signals.rival import LEAST, SAME, rival_cosine

CROWD = [0.0] * LEAST  # cosines of questions that are near to nothing


def rival(*others: tuple[float, float], crowd: list[float] = CROWD) -> float | None:
    """Of an answer among a crowd and others, of which each has a cosine with the answer and one with the question."""
    answered, asked = ([*crowd, *(pair[side] for pair in others)] for side in (0, 1))
    return rival_cosine(np.array(answered, np.float32), np.array(asked, np.float32))


def test_an_answer_that_no_other_question_is_near_has_none() -> None:
    assert rival() == 0.0


def test_the_nearest_other_question_counts() -> None:
    assert rival((0.5, 0.1), (0.9, 0.7), (0.2, 0.9)) == pytest.approx(0.9)


def test_the_same_question_asked_by_others_is_no_rival() -> None:
    assert rival((0.9, 1.0), (0.8, SAME)) == 0.0


def test_few_others_say_nothing() -> None:
    assert rival(crowd=CROWD[1:]) is None
    assert rival((1.0, 1.0), (1.0, 1.0), crowd=CROWD[1:]) is None
    assert rival(crowd=[]) is None


@given(st.lists(st.tuples(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32))))
def test_more_questions_never_lower_it(others: list[tuple[float, float]]) -> None:
    found = [rival(*others[:count]) for count in range(len(others) + 1)]
    assert all(more >= few for few, more in pairwise(found) if few is not None and more is not None)
    assert None not in found
