"""Support of an answer by the passages that retrieval put before the model: what is embedded, and the arithmetic."""

from collections.abc import Sequence

import numpy as np

from teachback.schemas import Exchange
from teachback.streams.signals.reading import sentences
from teachback.streams.signals.similarity import Vectors

MOST_SENTENCES = 16
MOST_CHUNKS = 32
CHUNK = 400  # characters: two or three sentences, well within what a sentence embedder reads


def parts(exchange: Exchange) -> tuple[list[str], list[str]]:
    """The answer's sentences and the passages' chunks; both empty where there is nothing to compare."""
    if not exchange.passages:
        return [], []
    said = [sentence[:CHUNK] for sentence in sentences(exchange.answer, MOST_SENTENCES)]
    given = [chunk for passage in exchange.passages[:MOST_CHUNKS] for chunk in chunks(passage.content)][:MOST_CHUNKS]
    return (said, given) if said and given else ([], [])


def chunks(text: str) -> list[str]:
    """Neighbouring sentences together, up to `CHUNK` characters; a longer sentence is cut there."""
    found: list[str] = []
    for sentence in sentences(text, MOST_CHUNKS * 4):
        if found and len(found[-1]) + len(sentence) < CHUNK:
            found[-1] += f" {sentence}"
        elif len(found) < MOST_CHUNKS:
            found.append(sentence[:CHUNK])
        else:
            break
    return found


def support(said: Sequence[str], given: Vectors, spoken: Vectors) -> float:
    """Mean over the answer's sentences of the greatest cosine to a chunk of the passages, weighted by length.

    The zero-shot form of SummaC (Laban et al. 2022, section 3.1), with the cosine in place of entailment. Length is
    the weight, so that a greeting that no passage holds costs little. `spoken` and `given` are unit vectors of `said`
    and of the chunks, shapes (sentences, d) and (chunks, d).
    """
    best = (spoken @ given.T).max(axis=1)
    return float(np.average(best, weights=[len(sentence) for sentence in said]))
