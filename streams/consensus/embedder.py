"""The sentence embedder: a sentence-transformers model in a folder, loaded when it is first needed."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from teachback.streams.consensus.agreement import Vectors
from teachback.streams.consensus.errors import NoEmbedder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceEmbedder:
    """Vectors of length one from the model in `folder`. Raises NoEmbedder at once when there is none."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise NoEmbedder(f"no sentence-transformers model at {folder}: fetch it, or mend the setting `embedder`")
        self._folder = folder

    def __call__(self, texts: list[str], /) -> Vectors:
        """The vectors of `texts`, shape (n, d)."""
        vectors: Vectors = self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return vectors

    @cached_property
    def _model(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer  # seconds, and most answers never need it

        return SentenceTransformer(str(self._folder), device="cpu")
