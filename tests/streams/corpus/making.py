"""Labels, and a topic of them that a test writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from teachback.schemas import Label, Message
from teachback.schemas.log import Record


def label(name: str, question: str = "What does it cost?", answer: str = "It costs 5", **fields: object) -> Label:
    """A label of the bot `b`, of the exchange `e-<name>`."""
    given: dict[str, object] = {
        "id": name,
        "bot": "b",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "exchange": f"e-{name}",
        "conversation": "c1",
        "revision": 1,
        "messages": (Message(role="user", content=question),),
        "answer": answer,
        "origin": "approved",
        "adapter": "b@v0",
        "source": "live",
        "reviewers": ("r1", "r2"),
    }
    return Label(**(given | fields))  # type: ignore[arg-type]


def record(event: Label | str) -> Record[Label]:
    """A label as a record; a name is the tombstone of that label."""
    if isinstance(event, str):
        return Record(None, event, 0, 0, 0)
    return Record(event, event.id, 0, 0, 0)


class Topic:
    """A source of labels: what is in `first` before the start, what is put into `more` after it."""

    def __init__(self, *first: Label | str) -> None:
        self.first, self.more, self.bad, self.closed = list(first), list[Label | str](), 0, False

    def catch_up(self) -> Iterator[Record[Label]]:
        return iter([record(event) for event in self.first])

    def poll(self, timeout: float) -> list[Record[Label]]:
        assert timeout == 0.0, "a refresh must not wait"
        some, self.more = self.more, []
        return [record(event) for event in some]

    def close(self) -> None:
        self.closed = True
