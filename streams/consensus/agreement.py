"""Do two free-text answers say the same?

    the same  =  equal figures  and  nothing opposed  and  (equal but for typing  or  close in meaning)

Embeddings alone cannot tell: sentences that differ in one digit or in a `not` have cosines well above 0.9. So figures
with their limits (`figures`), denials (`polarity`) and contrary words (`opposites`) are compared strictly, and only
then the meaning.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from teachback.streams.consensus.figures import figures
from teachback.streams.consensus.polarity import opposed

Vectors = NDArray[np.floating]
WORDS_AT_ONCE = 120  # what a small sentence model reads of a text; it is blind to the rest (256 word pieces)


class Embedder(Protocol):
    """Turns n texts into n vectors, shape (n, d), of any length but zero."""

    def __call__(self, texts: list[str], /) -> Vectors:
        """The vectors of `texts`, in their order."""


def normalised(text: str) -> str:
    """The text without differences of typing: Unicode form, case, punctuation, white space. Figures aren't kept."""
    plain = re.sub(r"(?<=\w)['’](?=\w)", "", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in plain).split())


def compatible(one: str, other: str) -> bool:
    """Whether nothing that can be counted speaks against two texts saying the same: figures, denials, opposites."""
    return figures(one) == figures(other) and not opposed(one, other)


class Agreement:
    """Sameness of answers by words, figures and meaning (see `decide.Sameness`)."""

    def __init__(self, embed: Embedder, threshold: float) -> None:
        self._embed = embed
        self._threshold = threshold
        self._closeness = lru_cache(4096)(self._measure)

    def same(self, one: str, other: str, /) -> bool:
        """Whether two answers say the same. Symmetric."""
        if one == other:
            return True
        return compatible(one, other) and self._close(one, other) >= self._threshold

    def medoid(self, texts: Sequence[str], /) -> str:
        """The text that is closest to all the others together; of equals the shortest, then by alphabet."""
        if len(set(texts)) == 1:
            return texts[0]
        return min(texts, key=lambda text: (-round(sum(self._close(text, t) for t in texts), 6), len(text), text))

    def _close(self, one: str, other: str) -> float:
        if normalised(one) == normalised(other) != "":
            return 1.0
        return self._closeness(*sorted((one, other)))

    def _measure(self, one: str, other: str) -> float:
        """The least cosine between corresponding parts of two texts; each is cut so that the model reads all of it."""
        count = max(1, *(-(-len(text.split()) // WORDS_AT_ONCE) for text in (one, other)))
        vectors = np.asarray(self._embed(_parts(one, count) + _parts(other, count)), dtype=np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return float(np.min(np.sum(vectors[:count] * vectors[count:], axis=1)))


def _parts(text: str, count: int) -> list[str]:
    """The text in `count` runs of words, as even as can be."""
    words = text.split()
    bounds = [round(i * len(words) / count) for i in range(count + 1)]
    return [" ".join(words[start:end]) for start, end in pairwise(bounds)]
