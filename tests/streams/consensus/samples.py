"""Judgments and verdicts for tests, and a sameness that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from teachback.schemas import Judgment, Message, ReviewRequest, Verdict
from teachback.schemas.ids import verdict_id
from teachback.schemas.review import Decision, Role

CREATED = datetime(2026, 3, 4, 12, tzinfo=UTC)
BOT_ANSWER = "Our cards are free."


class ByLetter:
    """Texts that begin with the same letter say the same; the shortest says it best."""

    def same(self, one: str, other: str, /) -> bool:
        return one[0] == other[0]

    def medoid(self, texts: Sequence[str], /) -> str:
        return min(texts, key=lambda text: (len(text), text))


def judgments(shorthand: str) -> list[Judgment]:
    """`a e:X r f` by persons p0, p1, …; an adjudicator's in capitals: `A`, `E:X`, `R`, `F`."""
    return [_judgment(i, word) for i, word in enumerate(shorthand.split())]


def _judgment(i: int, word: str) -> Judgment:
    decision, role, answer = _read(word)
    return Judgment(verdict=f"v{i}", reviewer=f"p{i}", role=role, decision=decision, answer=answer)


def _read(word: str) -> tuple[Decision, Role, str | None]:
    decisions: dict[str, Decision] = {"a": "approve", "e": "edit", "r": "reject", "f": "flag"}
    letter, _, answer = word.partition(":")
    role: Role = "adjudicator" if letter.isupper() else "reviewer"
    return decisions[letter.lower()], role, answer or None


def request(exchange: str = "x1", overlap: int = 2, bot: str = "harbour", answer: str = BOT_ANSWER) -> ReviewRequest:
    return ReviewRequest(
        id=exchange,
        bot=bot,
        created=CREATED,
        conversation=f"c-{exchange}",
        messages=(Message(role="user", content=f"What does a card cost? ({exchange})"),),
        answer=answer,
        adapter=f"{bot}@v0",
        source="live",
        route="review",
        reasons=("confidence<0.60",),
        confidence=0.4,
        overlap=overlap,
        topic="cards",
        subject="u-7",
    )


def verdict(
    word: str,
    reviewer: str = "ana",
    exchange: str = "x1",
    *,
    round_: int = 0,
    overlap: int = 2,
    answer: str = BOT_ANSWER,
) -> Verdict:
    """A verdict in the shorthand of `judgments`."""
    decision, role, text = _read(word)
    return Verdict(
        id=verdict_id(exchange, reviewer, round_),
        bot="harbour",
        created=CREATED,
        exchange=exchange,
        reviewer=reviewer,
        role=role,
        round=round_,
        decision=decision,
        answer=text,
        request=request(exchange, overlap, answer=answer),
    )
