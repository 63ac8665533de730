"""Answers that disagree and rows that repeat each other: counted and named for people; nothing is removed."""

import re
from collections.abc import Sequence

import msgspec
import numpy as np

from teachback.schemas.label import Label
from teachback.trainer.dataset.embed import Embedder, Vectors

SAME_QUESTION = 0.9
SAME_ANSWER = 0.97
EXAMPLES = 20
CHUNK = 1_024
NUMBER = re.compile(r"\d[\d.,:]*")


class Conflicts(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs of label ids, the first few of each kind, and how many there are."""

    contradictions: int
    """The same question, answered with other figures."""
    contradicting: tuple[tuple[str, str], ...]
    near_copies: int
    """The same question and nearly the same answer."""
    copying: tuple[tuple[str, str], ...]


def figures(text: str) -> frozenset[str]:
    """The numbers in a text, written one way: `1,000.50` is `1000.5`."""
    return frozenset(_plain(found) for found in NUMBER.findall(text))


def conflicts(labels: Sequence[Label], embed: Embedder) -> Conflicts:
    """Compare every pair of labels whose questions are alike (cosine of at least 0.9)."""
    contradicting: list[tuple[str, str]] = []
    copying: list[tuple[str, str]] = []
    if labels:
        questions = embed([label.question for label in labels])
        answers = embed([label.answer for label in labels])
        said = [figures(label.answer) for label in labels]
        for one, other in _alike(questions):
            names = (labels[one].id, labels[other].id)
            if said[one] != said[other]:
                contradicting.append(names)
            elif float(answers[one] @ answers[other]) >= SAME_ANSWER:
                copying.append(names)
    return Conflicts(
        contradictions=len(contradicting),
        contradicting=tuple(contradicting[:EXAMPLES]),
        near_copies=len(copying),
        copying=tuple(copying[:EXAMPLES]),
    )


def _alike(questions: Vectors) -> list[tuple[int, int]]:
    """Index pairs, the smaller first, of questions within the cosine."""
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(questions), CHUNK):
        cosines = questions[start : start + CHUNK] @ questions.T
        for row, column in zip(*np.nonzero(cosines >= SAME_QUESTION), strict=True):
            if start + row < column:
                pairs.append((int(start + row), int(column)))
    return pairs


def _plain(number: str) -> str:
    number = number.rstrip(".,:").replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number
