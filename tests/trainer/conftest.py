"""What the trainer's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_base(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a base model of two layers, with the real tokenizer."""
    from tests.tiny import write_tiny_base

    return write_tiny_base(tmp_path_factory.mktemp("models") / "tiny", base_model)
