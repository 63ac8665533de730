"""Signals from the form of the answer, whatever its language: how long, cut off or not, saying things twice or not."""

import math

from teachback.schemas import Exchange
from teachback.streams.signals.reading import words

TAIL = 128  # words; a loop, once entered, lasts to the end


def log_words(exchange: Exchange) -> float | None:
    """ln(1 + number of words): length is the baseline that every other signal has to beat. Saturates at 8 KB."""
    return math.log1p(len(words(exchange.answer)))


def cut_off(exchange: Exchange) -> float | None:
    """1 when generation stopped at the length limit, else 0; None when the chatbot did not say."""
    return None if exchange.finish_reason is None else float(exchange.finish_reason == "length")


def repetition(exchange: Exchange) -> float | None:
    """Share of the answer's four-word sequences that were there before, in the answer or in the question.

    seq-rep-4 of Welleck et al. (2020), with what was asked as part of what came before: a small model that runs in
    circles has a high one, and so has one that gives the question back. The answer's last 128 words count, and the
    question's; None for fewer than four.
    """
    said, asked = words(exchange.answer)[-TAIL:], words(exchange.question)[-TAIL:]
    found = _sequences(said)
    return 1 - len(set(found).difference(_sequences(asked))) / len(found) if found else None


def _sequences(said: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All runs of four neighbouring words."""
    return list(zip(said, said[1:], said[2:], said[3:], strict=False))
