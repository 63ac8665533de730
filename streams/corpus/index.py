"""One bot's reviewed answers by their questions: exact nearest neighbours by faiss.

Exact, because it is cheap here (50,000 questions of 384 numbers are 40 MB in half precision, and a search of a batch
takes a small part of what embedding the batch takes), and because an index that forgets must forget for certain.
"""

from collections.abc import Sequence
from itertools import count, islice
from typing import Any, NamedTuple

import faiss
import numpy as np

from teachback.streams.signals.reviewed import Halves, Neighbour
from teachback.streams.signals.similarity import Vectors

SPARE = 1  # neighbours asked for beyond the wanted: an exchange's own label is among them when it is scored again


class Entry(NamedTuple):
    """What is kept of a label beside its question's vector. The vectors are of length one."""

    label: str
    exchange: str
    answer: Halves
    rejected: Halves | None
    figures: frozenset[str]


class Index:
    """Entries by the vector of their question, `dimensions` long; beyond `limit` the oldest go."""

    def __init__(self, dimensions: int, limit: int) -> None:
        half = faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._dimensions = dimensions
        self._questions: Any = faiss.IndexIDMap2(half)
        self._keys = count()
        self._by_key: dict[int, Entry] = {}
        self._by_label: dict[str, int] = {}
        self._limit = limit

    def add(self, entries: Sequence[Entry], questions: Vectors) -> None:
        """Put entries of different labels in, with their questions, shape (n, d); one that is there is replaced.

        Raises ValueError for another dimension.
        """
        if questions.shape != (len(entries), self._dimensions):
            raise ValueError(f"questions of shape {questions.shape} for an index of {self._dimensions} dimensions")
        self.remove([entry.label for entry in entries])
        keyed = {next(self._keys): entry for entry in entries}
        self._questions.add_with_ids(np.ascontiguousarray(questions, dtype=np.float32), np.array(list(keyed), np.int64))
        self._by_key |= keyed
        self._by_label |= {entry.label: key for key, entry in keyed.items()}
        self.remove([entry.label for entry in islice(self._by_key.values(), max(0, len(self) - self._limit))])

    def remove(self, labels: Sequence[str]) -> None:
        """Take the entries of these labels out; unknown ones are ignored."""
        keys = [key for label in labels if (key := self._by_label.pop(label, None)) is not None]
        for key in keys:
            del self._by_key[key]
        if keys:
            self._questions.remove_ids(np.array(keys, np.int64))

    def near(self, questions: Vectors, count: int) -> list[list[Neighbour]]:
        """For each question, shape (n, d), the nearest entries, the nearest first."""
        if not len(self):
            return [[] for _ in questions]
        wanted = min(count + SPARE, len(self))
        cosines, keys = self._questions.search(np.ascontiguousarray(questions, dtype=np.float32), wanted)
        return [
            [self._neighbour(int(key), float(cosine)) for key, cosine in zip(*row, strict=True) if key >= 0]
            for row in zip(keys, cosines, strict=True)
        ]

    def _neighbour(self, key: int, cosine: float) -> Neighbour:
        entry = self._by_key[key]
        return Neighbour(cosine, entry.exchange, entry.answer, entry.rejected, entry.figures)

    def __len__(self) -> int:
        return len(self._by_key)
