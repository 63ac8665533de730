"""Sentences as unit vectors, by one pinned model, each computed once."""

import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from teachback.trainer.errors import BadEmbedder

Vectors = NDArray[np.float32]
IDLE = 15.0  # seconds; starting again takes some ten seconds of a core
GRACE = 10.0  # seconds in which an idle process must have ended
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
        if not (self.folder / "modules.json").is_file():
            raise BadEmbedder(f"{self.folder}: no sentence-transformers model there; its folder holds a modules.json")
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        if self._model is None:
            disable_progress_bar()  # type: ignore[no-untyped-call]
            try:
                self._model = SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)
            except (OSError, ValueError) as exc:
                raise BadEmbedder(f"{self.folder}: not a sentence-transformers model: {exc}") from exc
        model = cast(SentenceTransformer, self._model)
        vectors = model.encode(list(texts), batch_size=self.batch, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class EmbedderProcess:
    """The same model in a process of its own, started when it is needed and gone when it is not.

    Torch and a model take some 700 MB, and the trainer needs them for moments only. The process ends after `IDLE`
    seconds without work, at `close`, and when the trainer ends, however that ends; the next call starts it again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work: Connection | None = None
        self._process: BaseProcess | None = None

    def __call__(self, texts: Sequence[str]) -> Vectors:
        for _ in range(2):
            try:
                return self._ask(list(texts))
            except (EOFError, ConnectionError):  # it was just ending; the next one has all its time
                self.close()
        raise BadEmbedder(f"{self.folder}: the process that embeds ended without an answer, twice; is memory short?")

    def close(self) -> None:
        """Let the process end, and wait for it: it has semaphores to give back."""
        if self._work is not None and self._process is not None:
            self._work.close()
            self._process.join(GRACE)
            self._process.kill()
            self._process.join()
            self._work = self._process = None

    def _ask(self, texts: list[str]) -> Vectors:
        if self._work is None:
            context = get_context("spawn")
            self._work, theirs = context.Pipe()
            self._process = context.Process(target=answer, args=(theirs, self.folder), daemon=True, name="embedder")
            self._process.start()
            theirs.close()
        self._work.send(texts)
        found = self._work.recv()
        if isinstance(found, str):
            self.close()
            raise BadEmbedder(found)
        vectors: Vectors = found
        return vectors


def answer(work: Connection, folder: Path) -> None:
    """Embed what comes, until nothing comes any more."""
    embed = SentenceEmbedder(folder)
    try:
        while work.poll(IDLE):
            texts = work.recv()
            try:
                work.send(embed(texts))
            except BadEmbedder as exc:
                work.send(str(exc))
    except (EOFError, ConnectionError):  # the trainer is gone
        return


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
