"""The margin of an answer's own question over the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.streams.signals.margin import LEAST, question_margin
from teachback.streams.signals.similarity import Vectors, unit_vectors

ASKED, OTHER, THIRD = (np.eye(4, dtype=np.float32)[i] for i in range(3))


def between(first: Vectors, second: Vectors, share: float) -> Vectors:
    """A unit vector that lies between two."""
    return unit_vectors([(1 - share) * first + share * second], 1)[0]


def crowd(*vectors: Vectors, of: int = LEAST) -> Vectors:
    """So many other questions: these, and some that nothing is near to."""
    return np.stack([*vectors, *[np.eye(4, dtype=np.float32)[3]] * (of - len(vectors))])


def test_an_answer_that_no_other_question_is_near_has_its_whole_cosine() -> None:
    answer = between(ASKED, THIRD, 0.3)
    assert question_margin(ASKED, answer, crowd()) == pytest.approx(float(ASKED @ answer))


def test_an_answer_that_belongs_to_another_question_falls_below_nought() -> None:
    answer = between(ASKED, OTHER, 0.7)  # its cosine with the question is 0.39, which alone would not tell
    margin = question_margin(ASKED, answer, crowd(OTHER))
    assert margin is not None and margin == pytest.approx(float((ASKED - OTHER) @ answer)) and margin < -0.4


def test_the_same_question_asked_by_others_is_no_rival() -> None:
    answer = between(ASKED, THIRD, 0.3)
    again = between(ASKED, THIRD, 0.2)  # nearer to the answer than the question itself, and all but the same
    assert question_margin(ASKED, answer, crowd(again, of=LEAST + 1)) == pytest.approx(float(ASKED @ answer))


def test_few_others_say_nothing() -> None:
    assert question_margin(ASKED, ASKED, crowd(of=LEAST - 1)) is None
    assert question_margin(ASKED, ASKED, np.empty((0, 0), np.float32)) is None
    same = np.stack([ASKED] * LEAST)
    assert question_margin(ASKED, ASKED, np.concatenate([crowd(of=LEAST - 1), same])) is None


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=LEAST + 2, max_size=LEAST + 20))
def test_more_questions_never_raise_it(rows: list[list[float]]) -> None:
    vectors = unit_vectors([[x + 2.0, y, z] for x, y, z in rows], len(rows))
    question, answer, others = vectors[0], vectors[1], vectors[2:]
    few, all_ = question_margin(question, answer, others[:LEAST]), question_margin(question, answer, others)
    assert few is None or (all_ is not None and all_ <= few + 1e-6)
