"""Small real events for the desk's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from teachback.consumers.desk.settings import DeskSettings, Reviewer, token_sha256
from teachback.schemas.exchange import Message
from teachback.schemas.policy import Policy
from teachback.schemas.review import Judgment, Outcome, ReviewRequest, Verdict
from teachback.schemas.wire import Cluster

BOT = "harbour"
MOMENT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def person(name: str, **fields: Any) -> Reviewer:
    """A reviewer whose token is `token-<name>`."""
    return Reviewer(name=name, token_sha256=token_sha256(f"token-{name}"), **fields)


ANN, BEN, CEM = person("ann"), person("ben"), person("cem")
ADA = person("ada", role="adjudicator")


def settings(*people: Reviewer, **fields: Any) -> DeskSettings:
    """Settings of a desk that is on no network."""
    chosen = {"cluster": Cluster(bootstrap="nowhere:0"), "bot": BOT} | fields
    return DeskSettings(reviewers=people or (ANN, BEN, CEM, ADA), **chosen)


def request(exchange: str, **fields: Any) -> ReviewRequest:
    """A request for review of one short answer. No two are alike, unless `messages` says so."""
    chosen: dict[str, Any] = {
        "conversation": f"c-{exchange}",
        "messages": (Message(role="user", content=f"How much is a replacement card? My case is {exchange}."),),
        "answer": "A replacement card costs 5 pounds.",
        "adapter": f"{BOT}@v0",
        "source": "live",
        "route": "review",
        "reasons": ("confidence<0.60",),
        "confidence": 0.4,
    } | fields
    return ReviewRequest(id=exchange, bot=BOT, created=MOMENT, **chosen)


def policy(version: int, budget: int | None = None, **fields: Any) -> Policy:
    """A version of the bot's policy."""
    chosen = {"threshold": 0.8, "audit_rate": 0.1, "audit_salt": "salt-of-tests"} | fields
    return Policy(id=f"p{version}", bot=BOT, created=MOMENT, version=version, budget=budget, **chosen)


def outcome(exchange: str, status: str, verdicts: Sequence[Verdict] = (), **fields: Any) -> Outcome:
    """What consensus says after these verdicts."""
    judgments = tuple(
        Judgment(verdict=v.id, reviewer=v.reviewer, role=v.role, decision=v.decision, answer=v.answer) for v in verdicts
    )
    chosen: dict[str, Any] = {"round": 0, "judgments": judgments} | fields
    return Outcome(id=f"o-{exchange}", bot=BOT, created=MOMENT, exchange=exchange, status=status, **chosen)


def fold(verdicts: Sequence[Verdict]) -> Outcome:
    """A tiny stand-in for consensus over one exchange's verdicts: two alike settle it, three need the adjudicator."""
    assert verdicts
    exchange = verdicts[0].exchange
    if any(v.role == "adjudicator" for v in verdicts):
        return outcome(exchange, "labelled", verdicts, agreed=False)
    said = [(v.decision, v.answer) for v in verdicts]
    if len(said) < 2:
        return outcome(exchange, "open", verdicts, need="reviewer")
    alike = max(said.count(each) for each in said) >= 2
    if alike:
        return outcome(exchange, "labelled", verdicts, agreed=said[0] == said[1])
    return outcome(exchange, "open", verdicts, need="reviewer" if len(said) < 3 else "adjudicator", agreed=False)
