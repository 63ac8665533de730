"""Signals from the wording of the answer alone."""

import math
import re
from itertools import combinations

from teachback.schemas import Exchange

# English only, and said so: an answer in another language simply never matches.
HEDGES = re.compile(
    r"\b(i'?m not sure|i am not sure|i (do not|don'?t) know|i can(no|')t (help|answer|access|provide)|i'?m unable|"
    r"i am unable|as an ai|i'?m sorry,? but|it depends|might be|may be|possibly|perhaps|i think|i believe|"
    r"please (check|contact|consult)|you should (check|contact|consult))\b",
    re.IGNORECASE,
)


def log_words(exchange: Exchange) -> float | None:
    """ln(1 + number of words): length is the baseline that every other signal has to beat."""
    return math.log1p(len(exchange.answer.split()))


def cut_off(exchange: Exchange) -> float | None:
    """1 when generation stopped at the length limit, else 0; None when the chatbot did not say."""
    return None if exchange.finish_reason is None else float(exchange.finish_reason == "length")


def hedging(exchange: Exchange) -> float | None:
    """Hedging and refusing phrases per sentence, at most 1. English phrases only."""
    sentences = max(1, len(re.findall(r"[.!?]+(?:\s|$)", exchange.answer)))
    return min(1.0, len(HEDGES.findall(exchange.answer)) / sentences)


def disagreement(exchange: Exchange) -> float | None:
    """Mean pairwise Jaccard distance between the words of the answer and of further samples; None without samples.

    The lexical form of self-consistency (Lin, Trivedi & Sun 2023, section 4.1).
    """
    texts = [set(text.casefold().split()) for text in (exchange.answer, *exchange.samples)]
    pairs = [(a, b) for a, b in combinations(texts, 2) if a | b]
    if not exchange.samples or not pairs:
        return None
    return sum(1 - len(a & b) / len(a | b) for a, b in pairs) / len(pairs)
