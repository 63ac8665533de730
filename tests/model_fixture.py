"""The small real models for tests, fetched and converted once a machine. Tests that use them get the marker `model`."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.infra.cache import default_cache
from teachback.infra.models import ensure_base, ensure_embedder


@pytest.fixture(scope="session")
def base_model() -> Path:
    """Folder of the dense base language model and its tokenizer."""
    return ensure_base(default_cache())


@pytest.fixture(scope="session")
def embedder() -> Path:
    """Folder of the sentence embedder."""
    return ensure_embedder(default_cache())


@pytest.fixture(scope="session", params=["tiny", pytest.param("real", marks=pytest.mark.acceptance)])
def chat_base(request: pytest.FixtureRequest, base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base for a chatbot: by default two layers with random weights, under the real one's tokenizer and template."""
    from tests.tiny import write_tiny_base

    if request.param == "real":
        return base_model
    return write_tiny_base(tmp_path_factory.mktemp("base") / "tiny", base_model, spread=0.3)


@pytest.fixture(scope="session")
def chat_adapters(chat_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two adapters for it, name → folder in a registry; each of them changes answers."""
    from tests.tiny import write_adapters

    return write_adapters(tmp_path_factory.mktemp("registry"), chat_base, ("harbour@v1", "harbour@v2"))
