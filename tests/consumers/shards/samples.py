"""Labels for the tests of the shard writer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from teachback.schemas import Label, Message
from teachback.schemas.ids import label_id

CREATED = datetime(2026, 11, 23, 9, 30, 15, 250_000, tzinfo=UTC)


def label(number: int, bot: str = "harbour", **changes: Any) -> Label:
    """The label of the exchange `x<number>`."""
    exchange, revision = f"x{number}", changes.pop("revision", 1)
    fields: dict[str, Any] = {
        "id": label_id(exchange, revision),
        "bot": bot,
        "created": CREATED,
        "exchange": exchange,
        "conversation": f"c{number // 3}",
        "revision": revision,
        "messages": (
            Message(role="system", content="You are the bank's assistant."),
            Message(role="user", content=f"What does card number {number} cost abroad? Café, naïve, 日本 – ok?"),
        ),
        "answer": "Nothing in the euro area; 1.5 % elsewhere.",
        "origin": "edited",
        "adapter": f"{bot}@v0",
        "source": "live",
        "reviewers": ("ada", "grace"),
        "rejected": "It is free everywhere.",
        "topic": "cards",
    }
    return Label(**(fields | changes))
