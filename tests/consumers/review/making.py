"""Offers for the client's tests, and text that would like to do more than be read."""

from __future__ import annotations

import unicodedata
from typing import Any

from teachback.consumers.desk.shapes import Leased, Offer
from teachback.schemas.event import now
from teachback.schemas.exchange import Message

HOSTILE = (
    "\x01",  # prompt_toolkit's ANSI: swallows what follows
    "\x01\x1b]0;title\x07\x02",  # and what it writes raw
    "\x1b]52;c;aGk=\x07",  # sets the clipboard
    "\x1b[8m",  # hides what follows
    "\x9b8m",  # the same, in one character
    "\x1b[2J\x7f\x08\r",
    "\u202egnp\u202c",  # reads backwards
    "\u2066\u2069",
    "\udcff",  # a byte that was no UTF-8
)


def raw(text: str) -> set[str]:
    """The characters of a text that a terminal would not show as themselves."""
    disguises = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
    return {c for c in text if c != "\n" and (unicodedata.category(c) in {"Cc", "Cs"} or c in disguises)}


def offer(exchange: str, **fields: Any) -> Offer:
    """An item as the desk offers it."""
    chosen: dict[str, Any] = {
        "lease": Leased(id=f"lease-{exchange}", token=1, expires=now(), seconds=300.0, exchange=exchange),
        "exchange": exchange,
        "conversation": "c",
        "round": 0,
        "acting": "reviewer",
        "messages": (Message(role="user", content="How much is a card?"),),
        "answer": "5 pounds",
        "adapter": "harbour@v0",
        "source": "live",
        "route": "review",
        "reasons": (),
        "confidence": 0.4,
        "weight": 1.0,
        "topic": None,
        "passages": (),
        "judgments": (),
        "waiting": 3,
    } | fields
    return Offer(**chosen)
