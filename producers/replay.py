"""`teachback replay FILE --rate`: the exchanges of a file, emitted as a chatbot would emit them.

The id of an exchange derives from the bot, its place in the file and its text: the same file again is the same events
again, and changes nothing, unless `salt` differs. They carry `source=batch`: they count for no audit and no guarantee.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.producers.buffer import Stats
from teachback.producers.client import Teachback
from teachback.producers.errors import NotReplayed
from teachback.producers.files import Pair, read_pairs
from teachback.schemas.exchange import Source
from teachback.schemas.ids import derived
from teachback.schemas.wire import Cluster

FLUSH_SECONDS = 60.0
AT_ONCE = 2000  # events that may wait: a replay slows down rather than drop any


class ReplaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """A replay of one file."""

    bot: str
    cluster: Cluster
    file: Path
    rate: Annotated[float, Meta(ge=0)] = 10.0
    """Exchanges a second; 0 is as fast as Kafka takes them."""
    question: str | None = None
    """The column with the questions; None finds it."""
    answer: str | None = None
    """The column with the answers; None finds it."""
    limit: int | None = None
    source: Source = "batch"
    model: str = "unknown"
    adapter: str | None = None
    salt: str = ""
    """Makes the same file other events."""


def replay(
    settings: ReplaySettings,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: threading.Event | None = None,
) -> Stats:
    """Emit the file's exchanges and return when Kafka has them, or early when `stop` is set.

    The whole file is read and checked before the first one leaves. `progress` is told how many of how many are out.
    Raises BadFile and NotReplayed.
    """
    stop = stop or threading.Event()
    read = partial(read_pairs, settings.file, settings.question, settings.answer, settings.limit)
    total = sum(1 for _ in read())
    sdk = Teachback(bot=settings.bot, cluster=settings.cluster, model=settings.model, strict=True, environ={})
    try:
        started = time.monotonic()
        for done, pair in enumerate(read()):
            due = started + done / settings.rate if settings.rate else started
            if stop.wait(max(0.0, due - time.monotonic())):
                break
            if sdk.stats().waiting >= AT_ONCE:
                sdk.flush(FLUSH_SECONDS)
            _emit(sdk, settings, done, pair)
            progress(done + 1, total)
        sdk.flush(FLUSH_SECONDS)
        stats = sdk.stats()
    finally:
        sdk.close(0.0)
    if stats.delivered < stats.accepted:
        raise NotReplayed(
            f"Kafka at {settings.cluster.bootstrap} took {stats.delivered} of {stats.accepted} exchanges of "
            f"{settings.file}: {stats.failed} were refused, {stats.waiting} unanswered. Replay it again: ids repeat"
        )
    return stats


def _emit(sdk: Teachback, settings: ReplaySettings, number: int, pair: Pair) -> None:
    name = derived("batch", settings.bot, settings.salt, number, pair.question, pair.answer)
    conversation = pair.conversation and derived("conversation", settings.bot, settings.salt, pair.conversation)
    sdk.exchange(
        id=name,
        conversation=conversation,
        messages=[{"role": "user", "content": pair.question}],
        answer=pair.answer,
        adapter=settings.adapter,
        source=settings.source,
        topic=pair.topic,
    )
