"""Texts to vectors: the protocol, a sentence-transformers model behind it, and rows of length one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
