"""What a job leaves: a gate's record and an adapter. Apart from the other fakes, to keep the fake job light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from teachback.schemas.training import Base, GateRecord

BOT = "harbour"
BASE = Base(model="tiny", sha256="0" * 64, quantization="nf4-double-bf16")


def gate(outcome: Any = "promoted", champion: str = f"{BOT}@v0", challenger: str = f"{BOT}@v1") -> GateRecord:
    """A gate's record without tests."""
    return GateRecord(
        outcome=outcome,
        champion=champion,
        challenger=challenger,
        base=BASE,
        confidence=0.95,
        seed=1,
        tests=(),
        explanation=f"{outcome}, for the test's sake",
    )


def write_adapter(folder: Path, weights: bytes = b"weights") -> Path:
    """A folder with what looks like an adapter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    (folder / "adapter_config.json").write_text('{"r": 1}')
    return folder
