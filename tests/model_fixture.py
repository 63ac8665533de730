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
