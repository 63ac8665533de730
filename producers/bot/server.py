"""The chatbot's process: an OpenAI-compatible HTTP server around the model."""

import logging
from typing import Any

import uvicorn
from litestar import Litestar, MediaType, Response, get, post
from litestar.datastructures import State
from litestar.params import JSONBody
from litestar.response import ServerSentEvent

from teachback.producers.bot.batcher import Batcher, Full, Ungenerated
from teachback.producers.bot.champion import Champion
from teachback.producers.bot.chat import ChatCompletion, ChatRequest, ModelCard, ModelList, completion
from teachback.producers.bot.service import ChatService, NotServing, TooLong
from teachback.producers.bot.settings import BotSettings
from teachback.producers.bot.shapes import LanguageModel
from teachback.producers.client import Teachback
from teachback.schemas.base import describe
from teachback.schemas.lineage import bare
from teachback.schemas.stopping import stopped_by_signal
from teachback.schemas.training import Base
from teachback.schemas.wire import require_topics

log = logging.getLogger(__name__)
FLUSH_S = 10.0
GRACE_S = 10


@post("/v1/chat/completions", status_code=200)
async def chat_completions(data: JSONBody[ChatRequest], state: State) -> Response[Any]:
    """Answer the conversation. Its `model` names the adapter; `metadata` says where the exchange comes from."""
    service: ChatService = state.service
    try:
        admitted = service.admit(data)
    except Full as exc:
        return _problem(503, f"the chatbot is busy ({exc}); try again in a moment", {"Retry-After": "2"})
    except TooLong as exc:
        return _problem(400, str(exc))
    except NotServing as exc:
        return _problem(409, str(exc))
    if data.stream:
        return ServerSentEvent(service.stream(admitted))
    try:
        answered = await service.answer(admitted)
    except Ungenerated as exc:
        return _problem(500, f"the answer could not be generated: {exc}")
    body: ChatCompletion = completion(answered.exchange, answered.adapter, answered.completion, data.logprobs)
    return Response(body, media_type=MediaType.JSON)


@get("/v1/models")
async def models(state: State) -> ModelList:
    """The adapter in service first, then the bare base."""
    service: ChatService = state.service
    names = dict.fromkeys([service.serving, bare(state.bot)])
    return ModelList(data=tuple(ModelCard(id=name, created=0) for name in names))


@get("/healthz")
async def healthz(state: State) -> dict[str, Any]:
    """Ready as soon as it answers; with the SDK's counters."""
    return {"ready": True, "adapter": state.service.serving, "emitted": state.sdk.stats()}


def run(settings: BotSettings) -> None:
    """Serve until SIGTERM: finish the answers under way, flush the exchanges, exit.

    Raises TopicMismatch when a topic is missing, BadBase when the base model is, and whatever ended the following of
    `models.adapters`.
    """
    from teachback.producers.bot.model import ChatModel

    require_topics(settings.cluster, "chat.exchanges", "models.adapters")
    base = describe(settings.base)
    serve(settings, base, ChatModel(settings.base, settings.top_logprobs))


def serve(settings: BotSettings, base: Base, model: LanguageModel) -> None:
    """As `run`, with the model given."""
    batcher = Batcher(model, settings.batch, settings.waiting)
    champion = Champion(settings.bot, settings.cluster, settings.registry, base, model, batcher)
    sdk = Teachback(bot=settings.bot, cluster=settings.cluster)
    app = application(ChatService(settings, model, batcher, champion, sdk), sdk, settings.bot)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=GRACE_S
        )
    )
    deaths: list[BaseException] = []

    def die(error: BaseException) -> None:
        log.critical("models.adapters can't be followed any more, leaving: %s", error)
        deaths.append(error)
        server.should_exit = True

    stopped_by_signal()  # uvicorn raises a signal again once it has drained, for the handlers that were there before
    try:
        champion.start(die)
        server.run()
    finally:
        champion.close()
        batcher.close()
        sdk.close(FLUSH_S)
    if deaths:
        raise deaths[0]


def application(service: ChatService, sdk: Teachback, bot: str) -> Litestar:
    """The HTTP application."""
    return Litestar(
        route_handlers=[chat_completions, models, healthz],
        state=State({"service": service, "sdk": sdk, "bot": bot}),
        openapi_config=None,
        request_max_body_size=1 << 20,
    )


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response[Any]:
    body = {"error": {"message": detail, "type": "server_error", "code": status}}
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=headers)
