"""What the answer takes up of the question, and of the figures that it was given."""

from collections.abc import Mapping
from functools import lru_cache

from teachback.schemas import Exchange
from teachback.streams.signals.reading import KEPT, figures, pieces, word_set, words

SHORT = 4  # letters; shorter words are mostly `the`, `der`, `los`
NAME_WEIGHT = 6  # of `401k`, `IRA`, `B2B`: short, and yet what the question is about
MOST_PASSAGES = 32


def question_overlap(exchange: Exchange) -> float | None:
    """Share of the question's longer words that the answer repeats, each weighted by its length.

    Lexical overlap of question and answer (Yih et al. 2013), with length for inverse document frequency: rare words
    are long (Zipf 1935), and length needs no collection, so that two workers find the same. None without such words,
    or without an answer.
    """
    asked, known = _terms(exchange.question), word_set(exchange.answer)
    if not asked or not known:
        return None
    return sum(weight for word, weight in asked.items() if word in known) / sum(asked.values())


def figures_cited(exchange: Exchange) -> float | None:
    """Share of the answer's numbers that stand in the passages or in the messages before it.

    The entity check of Nan et al. (2021, section 3.1) for numbers: what stands nowhere was made up, or worked out. None
    without passages, and for an answer without numbers.
    """
    if not exchange.passages or not (said := figures(exchange.answer)):
        return None
    given = (passage.content for passage in exchange.passages[:MOST_PASSAGES])
    asked = (message.content for message in exchange.messages[-MOST_PASSAGES:])
    known = frozenset[str]().union(*map(figures, (*given, *asked)))
    return len(said & known) / len(said)


@lru_cache(KEPT)
def _terms(question: str) -> Mapping[str, int]:
    """The question's telling words and their weights."""
    shouted = question.isupper()
    found = {}
    for written, word in zip(pieces(question), words(question), strict=True):
        if weight := len(written) if len(written) >= NAME_WEIGHT else _short(written, shouted):
            found[word] = weight
    return found


def _short(piece: str, shouted: bool) -> int:
    """The weight of a short word."""
    size = len(piece)
    if size <= 2 and not piece.isascii():
        return size  # a pair of characters of a script without spaces
    named = size > 1 and (not piece.isalpha() or (piece.isupper() and not shouted))
    return NAME_WEIGHT if named else size if size >= SHORT else 0
