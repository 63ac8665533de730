"""Records in: of each topic only what the join needs. Exchanges are the bulk: only id and bot are decoded."""

from typing import Any, NamedTuple

import msgspec

from teachback.schemas import Exchange, Feedback, Scored
from teachback.schemas.event import Identifier, Moment, Ratio
from teachback.schemas.scored import Route
from teachback.schemas.wire import BadEvent, Headers, decode
from teachback.streams.batches.batch import Output
from teachback.streams.batches.deadletters import REASON, REASON_BYTES, SOURCE
from teachback.streams.feedback.join import Decision, Place, Thumb

EXCHANGES, SCORED, FEEDBACK = INPUTS = "chat.exchanges", "chat.scored", "chat.feedback"
Position = tuple[str, int]
"""A topic's full name and a partition."""


class Raw(NamedTuple):
    """One record as it came; `timestamp` is the broker's in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class _Exchange(msgspec.Struct, tag_field="event", tag=Exchange.__struct_config__.tag):
    id: Identifier
    bot: Identifier


class _Scored(msgspec.Struct, tag_field="event", tag=Scored.__struct_config__.tag):
    id: Identifier
    bot: Identifier
    created: Moment
    route: Route
    confidence: Ratio


class _Owner(msgspec.Struct):
    bot: Identifier


_exchange = msgspec.json.Decoder(_Exchange)
_scored = msgspec.json.Decoder(_Scored)
_owner = msgspec.json.Decoder(_Owner)


class Batch:
    """What some records say, the records of `bot` only; `positions` says where to read on.

    Exchanges and scores that cannot be decoded are passed over: scoring has the first, and wrote the second.
    """

    def __init__(self, bot: str, prefix: str = "") -> None:
        self._bot = bot
        self._takes = {
            prefix + EXCHANGES: self._take_exchange,
            prefix + SCORED: self._take_scored,
            prefix + FEEDBACK: self._take_feedback,
        }
        self.exchanges: list[Place] = []
        self.decisions: list[Decision] = []
        self.thumbs: list[Thumb] = []
        self.dead: list[Output] = []
        self.positions: dict[Position, int] = {}

    def take(self, raw: Raw) -> None:
        """Take one record in; those of a partition in the order of their offsets."""
        self._takes[raw.topic](raw)
        self.positions[raw.topic, raw.partition] = raw.offset + 1

    def _take_exchange(self, raw: Raw) -> None:
        exchange = _decoded(_exchange, raw)
        if exchange is not None and exchange.bot == self._bot:
            self.exchanges.append(Place(exchange.id, raw.partition, raw.offset, raw.timestamp))

    def _take_scored(self, raw: Raw) -> None:
        scored = _decoded(_scored, raw)
        if scored is not None and scored.bot == self._bot:
            created = scored.created.isoformat()
            self.decisions.append(Decision(scored.id, scored.route, scored.confidence, created, raw.timestamp))

    def _take_feedback(self, raw: Raw) -> None:
        try:
            feedback = decode(raw.value, Feedback)
        except BadEvent as bad:
            owner = _decoded(_owner, raw)
            if owner is None or owner.bot == self._bot:  # another's process says it of another's
                self.dead.append(_dead_letter(raw, str(bad)))
            return
        if feedback.bot == self._bot:
            down = feedback.thumb == "down"
            thumb = Thumb(feedback.exchange, feedback.id, down, raw.timestamp, "waiting" if down else "up")
            self.thumbs.append(thumb)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: Raw) -> Any:
    """What the decoder makes of a record's value; None when it makes nothing of it."""
    try:
        return decoder.decode(raw.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _dead_letter(raw: Raw, reason: str) -> Output:
    source = f"{raw.topic}:{raw.partition}:{raw.offset}"
    kept = [(name, value) for name, value in raw.headers if name not in (REASON, SOURCE)]
    marks = [(REASON, reason.encode(errors="replace")[:REASON_BYTES]), (SOURCE, source.encode())]
    return Output(f"{raw.topic}.dlq", raw.key, raw.value, [*kept, *marks])
