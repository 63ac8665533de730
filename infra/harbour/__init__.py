"""Harbour Bank, the demo's fictional bank: what it knows, what its customers ask, and how an answer is checked.

The bank's rules and its customers' messages are data (`facts/<topic>.toml`, `smalltalk.toml`), written to be read by a
person; `bank` loads them, `figures` decides whether an answer states the right fees, days and limits.
"""

from teachback.infra.harbour.bank import TOPICS, Ask, Fact, SmallTalk, Topic, facts, held_out, smalltalk, traffic
from teachback.infra.harbour.figures import has_figures

__all__ = [
    "TOPICS",
    "Ask",
    "Fact",
    "SmallTalk",
    "Topic",
    "facts",
    "has_figures",
    "held_out",
    "smalltalk",
    "traffic",
]
