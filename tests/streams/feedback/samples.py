"""Exchanges, decisions, thumbs and policies for the tests of feedback, as events and as records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from teachback.schemas import Exchange, Feedback, Message, Policy, Scored
from teachback.schemas.event import Event
from teachback.schemas.scored import Route
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import encode, headers
from teachback.streams.feedback.batch import EXCHANGES, FEEDBACK, SCORED, Raw

CREATED = datetime(2026, 3, 4, 12, 30, 15, 123000, tzinfo=UTC)
BOT = "harbour"
WINDOW = 1000  # ms
TOPIC_OF: dict[type[Event], str] = {Exchange: EXCHANGES, Scored: SCORED, Feedback: FEEDBACK}


def policy(window_ms: float = WINDOW, version: int = 1, **fields: Any) -> Policy:
    given: dict[str, Any] = {"threshold": 0.6, "audit_rate": 0.0, "audit_salt": "0123456789", "bot": BOT}
    days = {"feedback_days": window_ms / DAY_MS}
    return Policy(id=f"p{version}", created=CREATED, version=version, **(given | days | fields))


def exchange(name: str = "x1", **fields: Any) -> Exchange:
    given: dict[str, Any] = {
        "messages": (Message(role="user", content="What does a transfer cost?"),),
        "answer": "A transfer costs £5.",
        "conversation": f"c-{name}",
        "model": "m",
        "adapter": "harbour@v0",
        "bot": BOT,
    }
    return Exchange(id=name, created=CREATED, **(given | fields))


def scored(name: str = "x1", route: Route = "accept", **fields: Any) -> Scored:
    given: dict[str, Any] = {
        "conversation": f"c-{name}",
        "adapter": "harbour@v0",
        "source": "live",
        "signals": {"qa_cosine": 0.8},
        "confidence": 0.9,
        "reasons": () if route == "accept" else (route,),
        "policy": 1,
        "calibration": 0,
        "bot": BOT,
    }
    return Scored(id=name, created=CREATED, route=route, **(given | fields))


def thumb(name: str = "x1", way: Literal["up", "down"] = "down", id_: str | None = None, **fields: Any) -> Feedback:
    given: dict[str, Any] = {"bot": BOT, "conversation": f"c-{name}"}
    return Feedback(id=id_ or f"f-{name}-{way}", created=CREATED, exchange=name, thumb=way, **(given | fields))


def record(event: Event | bytes, time: int = 0, offset: int = 0, topic: str | None = None, partition: int = 0) -> Raw:
    """The record of an event; of bytes, one of feedback."""
    if isinstance(event, bytes):
        return Raw(topic or FEEDBACK, partition, offset, time, b"k", event, [])
    return Raw(topic or TOPIC_OF[type(event)], partition, offset, time, b"k", encode(event), [*headers(event, "test")])
