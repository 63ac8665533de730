"""What a chatbot tells us: one question and the answer it gave, and what its users thought of it."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Event, Identifier, Part, Text

Source = Literal[
    "live",  # a customer asked; only these count for audits, guarantees and canaries
    "batch",  # imported from a file or another tool
    "replay",  # an old question asked again, of a newer adapter
    "synthetic",  # generated
    "gold",  # an item with a known answer, to measure reviewers
]

TopicLabel = Annotated[str, Meta(max_length=100, description="The chatbot's own label, such as `cards`.")]


class Message(Part, frozen=True, kw_only=True):
    """One chat message, as in the OpenAI chat API."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class TopLogprob(Part, frozen=True, kw_only=True):
    """One of the likeliest tokens at a position."""

    token: str
    logprob: float


class TokenLogprob(Part, frozen=True, kw_only=True):
    """A token of the answer and its natural-log probability, as in `choices[].logprobs.content[]`."""

    token: str
    logprob: float
    top_logprobs: tuple[TopLogprob, ...] = ()


class Passage(Part, frozen=True, kw_only=True):
    """A passage that retrieval put before the model."""

    id: Identifier
    content: str
    title: str | None = None
    score: float | None = None


class Exchange(Event, frozen=True, kw_only=True, tag="exchange/1"):
    """One turn of a conversation: the messages that the model saw, and the answer that it gave."""

    conversation: Identifier
    messages: Annotated[
        tuple[Message, ...], Meta(min_length=1, description="What the model was given, the user's last message last.")
    ]
    answer: str
    model: Annotated[Text, Meta(description="The base model, `gen_ai.request.model`.")]
    adapter: Annotated[Text, Meta(description="The adapter that answered, `bot@v3`; `bot@v0` is the bare base model.")]
    source: Source = "live"
    topic: TopicLabel | None = None
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    samples: Annotated[tuple[str, ...], Meta(description="Further answers to the same question, if sampled.")] = ()
    passages: tuple[Passage, ...] = ()
    subject: Annotated[str | None, Meta(description="A pseudonym of the user, for erasure. Never a name.")] = None
    replay_of: Annotated[str | None, Meta(description="The exchange whose question is asked again.")] = None
    escalated: Annotated[bool, Meta(description="The customer asked for a person, or was handed to one.")] = False

    @property
    def question(self) -> str:
        """The user's last message, or the last message when no user spoke."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), self.messages[-1].content)


class Feedback(Event, frozen=True, kw_only=True, tag="feedback/1"):
    """A user's thumb on an answer."""

    exchange: Identifier
    conversation: Identifier
    thumb: Literal["up", "down"]
    comment: str | None = None
