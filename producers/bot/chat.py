"""The chat API's requests and answers: the part of OpenAI's that chatbots use, with where an exchange comes from."""

import time
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from teachback.producers.bot.shapes import Completion
from teachback.schemas import Message, TokenLogprob
from teachback.schemas.event import Identifier
from teachback.schemas.exchange import Source, TopicLabel


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller knows about the exchange beyond the messages. All of it is optional."""

    conversation: Identifier | None = None
    exchange: Identifier | None = None
    source: Source = "live"
    topic: TopicLabel | None = None
    subject: str | None = None
    replay_of: str | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/chat/completions`. Fields that are not listed here are ignored, as other servers do."""

    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    model: str | None = None
    """The champion answers whatever is named here; only a replay is refused when another adapter serves."""
    max_tokens: Annotated[int, Meta(ge=1, le=4096)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1, le=4096)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    stream: bool = False
    store: Annotated[bool, Meta(description="Whether the exchange is emitted; false keeps it off the log.")] = True
    logprobs: bool = False
    metadata: Metadata = Metadata()


class Choice(msgspec.Struct, kw_only=True):
    """The answer."""

    index: int = 0
    message: Message
    finish_reason: str
    logprobs: dict[str, tuple[TokenLogprob, ...]] | None = None


class ChatCompletion(msgspec.Struct, kw_only=True):
    """The whole answer; `id` is the exchange's id, `model` the adapter that answered."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: dict[str, int]
    object: Literal["chat.completion"] = "chat.completion"


class ModelCard(msgspec.Struct, kw_only=True):
    """One row of `GET /v1/models`."""

    id: str
    created: int
    owned_by: str = "teachback"
    object: Literal["model"] = "model"


class ModelList(msgspec.Struct, kw_only=True):
    """`GET /v1/models`: the adapter in service first, then the base."""

    data: tuple[ModelCard, ...]
    object: Literal["list"] = "list"


def completion(exchange: str, adapter: str, answer: Completion, with_logprobs: bool) -> ChatCompletion:
    """An answer as the API gives it."""
    choice = Choice(
        message=Message(role="assistant", content=answer.text),
        finish_reason=answer.finish_reason,
        logprobs={"content": answer.logprobs} if with_logprobs else None,
    )
    written = len(answer.logprobs)
    return ChatCompletion(
        id=exchange,
        created=int(time.time()),
        model=adapter,
        choices=(choice,),
        usage={
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": answer.prompt_tokens + written,
        },
    )


def chunk(exchange: str, adapter: str, delta: dict[str, Any], finish_reason: str | None = None) -> str:
    """One `chat.completion.chunk`, as the data of a server-sent event."""
    body = {
        "id": exchange,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": adapter,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return msgspec.json.encode(body).decode()
