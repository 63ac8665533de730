"""What happens to one request: admitted, pinned, generated, emitted."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from teachback.producers.bot.batcher import Batcher, Ungenerated
from teachback.producers.bot.champion import Champion
from teachback.producers.bot.chat import ChatRequest, chunk
from teachback.producers.bot.settings import BotSettings
from teachback.producers.bot.shapes import Completion, LanguageModel, Prompt, Sampling
from teachback.producers.client import Teachback
from teachback.schemas import Message


class TooLong(Exception):
    """The conversation has more tokens than the settings allow."""


class NotServing(Exception):
    """A replay is asked of an adapter that is not the one in service."""


class Answered(NamedTuple):
    """A finished request."""

    exchange: str
    adapter: str
    completion: Completion


class Admitted(NamedTuple):
    """A request that has been let in: its id and its adapter are settled."""

    exchange: str
    adapter: str
    messages: tuple[Message, ...]
    request: ChatRequest
    tokens: "asyncio.Queue[int | None]"
    future: "asyncio.Future[Completion]"


class ChatService:
    """Answers requests with the champion, and emits each exchange through the SDK."""

    def __init__(
        self, settings: BotSettings, model: LanguageModel, batcher: Batcher, champion: Champion, sdk: Teachback
    ) -> None:
        self._settings, self._model, self._batcher, self._champion, self._sdk = settings, model, batcher, champion, sdk

    @property
    def serving(self) -> str:
        """The adapter that the next request gets."""
        return self._champion.name

    def admit(self, request: ChatRequest) -> Admitted:
        """Pin the adapter and queue the request. Raises Full, TooLong, NotServing."""
        loop = asyncio.get_running_loop()
        name, adapter = self._champion.pin()
        if request.metadata.source == "replay" and request.model not in {None, name}:
            raise NotServing(f"{request.model} was asked, and {name} is in service")
        messages = self._with_system(request.messages)
        if (length := self._model.count(messages)) > self._settings.max_prompt_tokens:
            raise TooLong(f"the conversation has {length} tokens; at most {self._settings.max_prompt_tokens} are taken")
        tokens: asyncio.Queue[int | None] = asyncio.Queue()

        def tell(token: int | None) -> None:
            loop.call_soon_threadsafe(tokens.put_nowait, token)

        limit = request.max_completion_tokens or request.max_tokens or self._settings.max_new_tokens
        prompt = Prompt(messages, limit, tell if request.stream else None)
        future = self._batcher.submit(adapter, prompt, Sampling(request.temperature, request.top_p))
        if request.stream:
            future.add_done_callback(lambda _: tell(None))
        exchange = request.metadata.exchange or str(uuid.uuid4())
        return Admitted(exchange, name, messages, request, tokens, asyncio.wrap_future(future))

    async def answer(self, admitted: Admitted) -> Answered:
        """Wait for the answer, and emit the exchange."""
        completion = await admitted.future
        if admitted.request.store:
            self._emit(admitted, completion)
        return Answered(admitted.exchange, admitted.adapter, completion)

    async def stream(self, admitted: Admitted) -> AsyncIterator[str]:
        """The answer in pieces, as server-sent events' data. The exchange is emitted even if nobody listens on.

        The status has been sent by then: a batch that fails is told as an event with `error`.
        """
        finish = asyncio.ensure_future(self.answer(admitted))
        yield chunk(admitted.exchange, admitted.adapter, {"role": "assistant", "content": ""})
        ids: list[int] = []
        said = ""
        while (token := await admitted.tokens.get()) is not None:
            ids.append(token)
            text = self._model.text(ids)
            if not text.endswith("\N{REPLACEMENT CHARACTER}") and text != said:  # a character may take several tokens
                yield chunk(admitted.exchange, admitted.adapter, {"content": text[len(said) :]})
                said = text
        try:
            answered = await finish
        except Ungenerated as exc:
            yield msgspec.json.encode({"error": {"message": f"the answer could not be generated: {exc}"}}).decode()
            return
        rest = answered.completion.text[len(said) :]
        if rest:
            yield chunk(admitted.exchange, admitted.adapter, {"content": rest})
        yield chunk(admitted.exchange, admitted.adapter, {}, answered.completion.finish_reason)
        yield "[DONE]"

    def _with_system(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        prompt = self._settings.system_prompt
        if prompt is None or messages[0].role == "system":
            return messages
        return (Message(role="system", content=prompt), *messages)

    def _emit(self, admitted: Admitted, completion: Completion) -> None:
        metadata = admitted.request.metadata
        self._sdk.exchange(
            id=admitted.exchange,
            conversation=metadata.conversation or admitted.exchange,
            messages=admitted.messages,
            answer=completion.text,
            model=self._settings.base.name,
            adapter=admitted.adapter,
            logprobs=completion.logprobs,
            finish_reason=completion.finish_reason,
            source=metadata.source,
            topic=metadata.topic,
            subject=metadata.subject,
            replay_of=metadata.replay_of,
        )
