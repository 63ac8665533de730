"""What reviewers said of like questions: signals from the nearest entries of the index of reviewed answers."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from teachback.schemas import Exchange
from teachback.streams.signals.reading import figures
from teachback.streams.signals.similarity import Vectors

NEIGHBOURS = 8
LIKE = 0.5  # cosine from which two questions count as like; chosen on the wordings of the demo bank
SHARPNESS = 20.0  # a neighbour whose question is nearer by 0.05 counts e times as much


Halves = NDArray[np.float16]


class Neighbour(NamedTuple):
    """A reviewed question near the one asked: how near, whose it was, and what reviewers approved and rejected.

    The vectors are of length one; half precision costs a cosine less than 0.001.
    """

    cosine: float
    exchange: str
    answer: Halves
    rejected: Halves | None
    figures: frozenset[str]


class Reviewed(Protocol):
    """An index of reviewed answers. `teachback.streams.corpus` has the real one."""

    def refresh(self) -> None:
        """Take in what has come since; does not wait."""

    def near(self, bots: Sequence[str], questions: Vectors, count: int) -> list[list[Neighbour]]:
        """For each question the bot's nearest entries, the nearest first; `questions` has shape (n, d)."""


def reviewed_signals(exchange: Exchange, answer: Vectors | None, neighbours: Sequence[Neighbour]) -> dict[str, float]:
    """The signals that these neighbours can give; none when no question is like, and the own label does not count.

    `answer` is a unit vector; there is none when the answer has no text.

    near_approved    cosine of this answer with the approved answers of like questions, the nearer question the heavier
                     (a Nadaraya–Watson estimate with an exponential kernel)
    near_rejected    greatest cosine of this answer with a rejected answer to a like question
    figures_approved share of the answer's numbers that stand in approved answers to like questions
    """
    others = [each for each in neighbours if each.exchange != exchange.id][:NEIGHBOURS]
    like = [each for each in others if each.cosine >= LIKE]
    found: dict[str, float] = {}
    if answer is not None and like:
        found["near_approved"] = _weighted(answer, like)
        if rejected := [float(answer @ each.rejected) for each in like if each.rejected is not None]:
            found["near_rejected"] = max(rejected)
    known = frozenset[str]().union(*(each.figures for each in like))
    if known and (said := figures(exchange.answer)):
        found["figures_approved"] = len(said & known) / len(said)
    return found


def _weighted(answer: Vectors, like: Sequence[Neighbour]) -> float:
    nearest = max(each.cosine for each in like)
    weights = [math.exp(SHARPNESS * (each.cosine - nearest)) for each in like]
    return float(np.average([float(answer @ each.answer) for each in like], weights=weights))
