"""Whether further samples of the same model say the same."""

from itertools import combinations

from teachback.schemas import Exchange
from teachback.streams.signals.reading import word_set

MOST = 8


def disagreement(exchange: Exchange) -> float | None:
    """Mean pairwise Jaccard distance between the words of the answer and of further samples; None without samples.

    The lexical form of self-consistency (Lin, Trivedi & Sun 2023, section 4.1). The first eight samples count.
    """
    if not exchange.samples:
        return None
    texts = [word_set(text) for text in (exchange.answer, *exchange.samples[:MOST])]
    pairs = [(a, b) for a, b in combinations(texts, 2) if a | b]
    return sum(1 - len(a & b) / len(a | b) for a, b in pairs) / len(pairs) if pairs else None
