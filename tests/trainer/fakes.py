"""Small stand-ins: labels, a table of them, an embedder that counts words, a trainer's settings in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from teachback.schemas import Label, Message, SplitAssigned
from teachback.schemas.arrow import label_schema, to_table
from teachback.schemas.training import DatasetRef
from teachback.schemas.wire import Cluster
from teachback.trainer.dataset.embed import Vectors
from teachback.trainer.settings import TrainerSettings
from teachback.trainer.spec import GateSettings
from tests.trainer.leavings import BASE, BOT, gate, write_adapter

__all__ = [
    "BASE",
    "BOT",
    "MOMENT",
    "append",
    "dataset_ref",
    "decided",
    "embed",
    "gate",
    "label",
    "pairs",
    "settings",
    "write_adapter",
]

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def embed(texts: Sequence[str]) -> Vectors:
    """Each text as the sum of its words' random directions: the same words lie near, others do not."""
    found = np.zeros((len(texts), 64), np.float32)
    for row, text in enumerate(texts):
        for word in text.casefold().split() or [""]:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4])
            found[row] += np.random.default_rng(seed).normal(size=64).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def label(name: str, question: str | None = None, answer: str | None = None, **fields: Any) -> Label:
    """A label called `name`, about itself unless told otherwise."""
    values = {
        "id": name,
        "bot": BOT,
        "created": MOMENT,
        "exchange": f"x-{name}",
        "conversation": f"c-{name}",
        "revision": 1,
        "messages": (Message(role="user", content=question or f"about {name} please"),),
        "answer": answer or f"the answer of {name}",
        "origin": "edited",
        "adapter": f"{BOT}@v0",
        "source": "live",
        "reviewers": ("r1", "r2"),
    }
    return Label(**(values | fields))


def pairs(count: int, start: int = 0) -> list[Label]:
    """Labels about different things, each answer sharing a rare word with its own question only."""
    return [
        label(f"l{n:04}", f"what about topic{n} and topic{n} now", f"topic{n} costs {n} pounds", topic=f"t{n % 4}")
        for n in range(start, start + count)
    ]


def decided(one: Label, leader: str, side: str, *, quarantined: bool = False) -> SplitAssigned:
    """A decision about a label."""
    values: Any = {"leader": leader, "side": side, "quarantined": quarantined}
    return SplitAssigned(id=one.id, bot=one.bot, created=MOMENT, **values)


def append(table: Path, labels: Sequence[Label]) -> int:
    """Add labels to the table as the shard writer does; returns the table's version."""
    start = 0
    if DeltaTable.is_deltatable(str(table)):
        start = DeltaTable(str(table)).to_pyarrow_table(columns=["id"]).num_rows
    rows: pa.Table = to_table(
        labels, label_schema(), _partition=[0] * len(labels), _offset=list(range(start, start + len(labels)))
    )
    write_deltalake(str(table), rows, partition_by=["bot"], mode="append")
    return DeltaTable(str(table)).version()


def settings(folder: Path, cluster: Cluster | None = None, **fields: Any) -> TrainerSettings:
    """A small trainer that works in `folder`."""
    values: dict[str, Any] = {
        "bot": BOT,
        "cluster": cluster or Cluster(bootstrap="nowhere:1"),
        "table": str(folder / "table"),
        "registry": folder / "registry",
        "work": folder / "work",
        "base": folder / "base",
        "embedder": folder / "embedder",
        "split_salt": "a salt for tests",
        "label_threshold": 20,
        "min_clusters": 5,
        "min_eval": 2,
        "gate": GateSettings(min_clusters=2),
        "retry_seconds": 0.1,
        "heartbeat_seconds": 0.3,
    }
    return TrainerSettings(**(values | fields))


def dataset_ref(**fields: Any) -> DatasetRef:
    """A data set's reference."""
    values: dict[str, Any] = {
        "table_version": 1,
        "sha256": "d" * 64,
        "train": 20,
        "eval": 5,
        "labels": 20,
        "splits": 25,
    }
    return DatasetRef(**(values | fields))
