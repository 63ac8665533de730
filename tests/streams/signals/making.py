"""Exchanges and embedders, as small as can be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from teachback.schemas import Exchange, Message, Passage
from teachback.streams.signals.similarity import Vectors

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
DIMENSIONS = 64


def exchange(answer: str = "It costs £5.", question: str = "What does it cost?", **fields: Any) -> Exchange:
    """An exchange of the bot `b`."""
    given = {
        "id": "e1",
        "bot": "b",
        "created": WHEN,
        "conversation": "c1",
        "messages": (Message(role="user", content=question),),
        "answer": answer,
        "model": "m",
        "adapter": "b@v0",
    }
    return Exchange(**(given | fields))


def passages(*texts: str) -> tuple[Passage, ...]:
    """Passages with these contents."""
    return tuple(Passage(id=f"p{i}", content=text) for i, text in enumerate(texts))


class ByWords:
    """An embedder that counts words: texts that share words are near. Remembers what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().replace(".", " ").replace("?", " ").split():
                row[sum(word.encode()) % DIMENSIONS] += 1.0
        return rows
