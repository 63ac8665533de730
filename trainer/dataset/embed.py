"""Sentences as unit vectors, by one pinned model, each computed once."""

import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from teachback.trainer.errors import BadEmbedder

Vectors = NDArray[np.float32]
LOOKUP = 500  # SQLite's limit on parameters of one statement is 999 in old builds


class Embedder(Protocol):
    """Turns texts into vectors of length 1, one row a text: float32, shape (texts, dimensions)."""

    def __call__(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEmbedder:
    """A sentence-transformers model from a folder, on the CPU, loaded at its first use."""

    def __init__(self, folder: Path, batch: int = 32) -> None:
        self.folder, self.batch = folder, batch
        self._model: object | None = None

    def __call__(self, texts: Sequence[str]) -> Vectors:
        from sentence_transformers import SentenceTransformer

        if self._model is None:
            try:
                self._model = SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)
            except (OSError, ValueError) as exc:
                raise BadEmbedder(f"{self.folder}: not a sentence-transformers model: {exc}") from exc
        model = cast(SentenceTransformer, self._model)
        vectors = model.encode(list(texts), batch_size=self.batch, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class CachedEmbedder:
    """Keeps the vectors of another embedder in a file, by the hash of the text; deleting the file costs only time.

    `model` names the embedder: vectors of another one are not used.
    """

    def __init__(self, inner: Embedder, file: Path, model: str) -> None:
        self.inner, self.model = inner, model
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file)
        self._db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def __call__(self, texts: Sequence[str]) -> Vectors:
        keys = [sha256(f"{self.model}\0{text}".encode()).digest() for text in texts]
        known = self._lookup(set(keys))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            fresh = dict(zip(missing, self.inner(list(missing.values())), strict=True))
            with self._db:
                self._db.executemany(
                    "INSERT OR IGNORE INTO vectors VALUES (?, ?)", [(k, v.tobytes()) for k, v in fresh.items()]
                )
            known |= fresh
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _lookup(self, keys: Iterable[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), LOOKUP):
            some = wanted[start : start + LOOKUP]
            marks = ",".join("?" * len(some))
            for key, vector in self._db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some):
                found[key] = np.frombuffer(vector, np.float32)
        return found
