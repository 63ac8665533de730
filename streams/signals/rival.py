"""How well an answer fits another question that was asked lately: better than its own?

A chatbot that takes one matter for another gives somebody else's answer: close to its own question, and closer still to
the one that it belongs to. The cosine of question and answer alone can't see that.
"""

from collections.abc import Sequence
from typing import Protocol

from teachback.schemas import Exchange
from teachback.streams.signals.similarity import Vectors

SAME = 0.95  # cosine from which another question is the same one, but for a word; other wordings are further off
LEAST = 20  # other questions without which being beaten by none of them says nothing


class Recent(Protocol):
    """The questions asked lately. `teachback.streams.recent` has the real one."""

    def note(self, exchanges: Sequence[Exchange], questions: Vectors) -> None:
        """Remember these exchanges' questions, unit vectors of shape (n, d)."""

    def cosines(self, exchanges: Sequence[Exchange], vectors: Vectors) -> list[Vectors]:
        """For each exchange its vector's cosines with the questions of the bot's other conversations, shape (m,).

        `vectors` are unit vectors, shape (n, d). The order of the questions is the same in every call until `note`.
        """


def rival_cosine(answered: Vectors, asked: Vectors) -> float | None:
    """The answer's greatest cosine with another question that asks something else.

    `answered` and `asked` are the cosines of other questions with the answer, and with the question, shape (m,). None
    where fewer than `LEAST` ask something else. Beside `qa_cosine` it makes the margin by which Artetxe & Schwenk
    (2019) tell translations from near misses, and speaker verification an impostor (cohort normalisation, Rosenberg et
    al. 1992). It is a signal of its own because where it is missing the weight of `qa_cosine` must stand by itself.
    """
    unlike = answered[asked < SAME]
    return float(unlike.max()) if len(unlike) >= LEAST else None
