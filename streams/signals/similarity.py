"""Texts to vectors: the protocol, a sentence-transformers model behind it, and the cosine of question and answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teachback.schemas import Exchange

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to vectors, shape (number of texts, dimensions)."""

    def __call__(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEmbedder:
    """A sentence-transformers model on the CPU, loaded at once. Raises OSError when the folder holds none."""

    def __init__(self, folder: Path, batch: int) -> None:
        from sentence_transformers import SentenceTransformer

        self._model: Any = SentenceTransformer(str(folder), device="cpu")
        self._batch = batch

    def __call__(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._model.encode(
            list(texts), batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors


def unit_vectors(found: ArrayLike, count: int) -> Vectors:
    """What an embedder gave for `count` texts, as rows of length one; a row without a direction is NaN throughout.

    Raises ValueError for another shape, and for what are no numbers.
    """
    rows = np.asarray(found, dtype=np.float32)
    if rows.ndim != 2 or len(rows) != count or not rows.size:
        raise ValueError(
            f"the embedder gave an array of shape {rows.shape} for {count} texts, not ({count}, dimensions)"
        )
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        units: Vectors = np.where(np.isfinite(lengths) & (lengths > 0), rows / lengths, np.nan).astype(np.float32)
    return units


def qa_cosine(exchanges: Sequence[Exchange], embed: Embedder) -> list[float | None]:
    """Cosine of each question with its answer; None where either has no text. One pass for the whole batch."""
    asked = [i for i, e in enumerate(exchanges) if e.question.strip() and e.answer.strip()]
    found: list[float | None] = [None] * len(exchanges)
    if not asked:
        return found
    vectors = embed([exchanges[i].question for i in asked] + [exchanges[i].answer for i in asked])
    cosines = np.einsum("ij,ij->i", vectors[: len(asked)], vectors[len(asked) :])
    for i, cosine in zip(asked, cosines, strict=True):
        found[i] = round(float(cosine), 6) if np.isfinite(cosine) else None
    return found
