"""Vectors are computed once for each text and model."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from teachback.trainer.dataset.embed import CachedEmbedder, EmbedderProcess, SentenceEmbedder, Vectors
from teachback.trainer.errors import BadEmbedder
from tests.trainer.fakes import embed


class Counting:
    """The fake embedder, and how many texts it was asked for."""

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return embed(texts)


def test_a_text_is_embedded_once_even_over_a_restart(tmp_path: Path) -> None:
    inner = Counting()
    texts = [f"text {n % 700}" for n in range(1_400)]
    for _ in range(2):
        cached = CachedEmbedder(inner, tmp_path / "vectors.sqlite", "model a")
        assert np.array_equal(cached(texts), embed(texts))
        cached.close()
    assert inner.texts == 700


def test_another_model_s_vectors_are_not_used(tmp_path: Path) -> None:
    inner = Counting()
    for model in ("model a", "model b"):
        cached = CachedEmbedder(inner, tmp_path / "vectors.sqlite", model)
        cached(["hello"])
        cached.close()
    assert inner.texts == 2


def test_no_texts_are_no_vectors(tmp_path: Path) -> None:
    cached = CachedEmbedder(embed, tmp_path / "vectors.sqlite", "model a")
    assert len(cached([])) == 0
    cached.close()


@pytest.mark.model
@pytest.mark.acceptance
def test_the_process_that_embeds_may_end_and_is_started_again(embedder: Path) -> None:
    embed_there = EmbedderProcess(embedder)
    first = embed_there(["hello"])
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    assert np.allclose(embed_there(["hello"]), first)
    (process,) = multiprocessing.active_children()
    embed_there.close()
    assert not process.is_alive()


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadEmbedder, match="no sentence-transformers model there"):
        SentenceEmbedder(tmp_path / "nothing")(["hello"])
    with pytest.raises(BadEmbedder, match="no sentence-transformers model there"):
        EmbedderProcess(tmp_path / "nothing")(["hello"])


@pytest.mark.model
def test_the_real_embedder_puts_like_questions_near_each_other(embedder: Path) -> None:
    texts = ["How do I block my card?", "how can i block my card", "Opening hours?"]
    near, again, far = SentenceEmbedder(embedder)(texts)
    assert near @ again > 0.9
    assert near @ far < 0.5
    assert abs(float(near @ near) - 1) < 1e-5
