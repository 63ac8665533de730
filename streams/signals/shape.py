"""Signals from the form of the answer, whatever its language: how long, cut off or not, turning in circles or not."""

import math

from teachback.schemas import Exchange
from teachback.streams.signals.reading import words

GRAM = 4
TAIL = 128  # words; a loop, once entered, lasts to the end


def log_words(exchange: Exchange) -> float | None:
    """ln(1 + number of words): length is the baseline that every other signal has to beat. Saturates at 8 KB."""
    return math.log1p(len(words(exchange.answer)))


def cut_off(exchange: Exchange) -> float | None:
    """1 when generation stopped at the length limit, else 0; None when the chatbot did not say."""
    return None if exchange.finish_reason is None else float(exchange.finish_reason == "length")


def repetition(exchange: Exchange) -> float | None:
    """Share of four-word sequences that were there before: seq-rep-4 of Welleck et al. (2020).

    A small model that runs in circles has a high one. The last 128 words count; None for fewer than four.
    """
    said = words(exchange.answer)[-TAIL:]
    total = len(said) - GRAM + 1
    return 1 - len(set(zip(said, said[1:], said[2:], said[3:], strict=False))) / total if total > 0 else None
