"""What people agreed on, and where it is kept."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Identifier, Text
from teachback.schemas.exchange import Message, Source

Origin = Literal[
    "approved",  # the bot's own words, found right
    "edited",  # a person's words
]
Side = Literal["train", "eval"]


class Label(Event, frozen=True, kw_only=True, tag="label/1"):
    """A question and the answer that reviewers agreed on; one row of the training table."""

    exchange: Identifier
    conversation: Identifier
    revision: Annotated[int, Meta(ge=1)]
    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    answer: Text
    origin: Origin
    adapter: Annotated[Text, Meta(description="The adapter whose answer was judged.")]
    source: Source
    reviewers: tuple[str, ...]
    rejected: Annotated[
        str | None, Meta(description="The bot's answer, when people changed it: a preference pair.")
    ] = None
    supersedes: Annotated[str | None, Meta(description="The label that this revision replaces.")] = None
    topic: str | None = None
    subject: str | None = None

    @property
    def question(self) -> str:
        """The user's last message, or the last message when no user spoke."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), self.messages[-1].content)


class ShardCommitted(Event, frozen=True, kw_only=True, tag="shard/1"):
    """A Parquet file is part of the table. Emitted again, with the same id, on assignment."""

    table_version: Count
    path: Annotated[str, Meta(description="Relative to the table.")]
    rows: Count
    bytes: Count
    partition: Annotated[Count, Meta(description="Partition of `labels.approved` that it holds.")]
    first_offset: Count
    last_offset: Count


class SplitAssigned(Event, frozen=True, kw_only=True, tag="split/1"):
    """Which side a label is on, decided once; `id` is the label's. Ids only: no text."""

    leader: Annotated[Identifier, Meta(description="The label that leads its cluster of like questions and answers.")]
    side: Side
    quarantined: Annotated[
        bool, Meta(description="Its conversation stands on the other side too: used on neither.")
    ] = False
