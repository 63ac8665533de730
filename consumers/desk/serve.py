"""The process: bind, fence any desk before this one, rebuild, serve; drain on SIGTERM; end when superseded."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from teachback.consumers.desk.api import app
from teachback.consumers.desk.feed import TOPICS, Feed
from teachback.consumers.desk.service import Service
from teachback.consumers.desk.settings import DeskSettings
from teachback.consumers.desk.state import DeskState
from teachback.consumers.desk.writer import VerdictWriter
from teachback.schemas.review import Verdict
from teachback.schemas.wire import require_topics

log = logging.getLogger(__name__)
DRAIN_SECONDS = 15


def serve(settings: DeskSettings) -> None:
    """Run the desk until SIGTERM or SIGINT. Raises TopicMismatch, DeskError, or whatever ended it."""
    require_topics(settings.cluster, *TOPICS)
    if not any(who.may_adjudicate for who in settings.reviewers):
        log.warning(
            "nobody at the desk of %s may adjudicate: items that reviewers differ about will wait", settings.bot
        )
    with _signals_taken():
        asyncio.run(Process(settings).run())


class Process:
    """Everything that lives while the desk runs."""

    def __init__(self, settings: DeskSettings) -> None:
        self.settings = settings
        self.service = Service(settings)
        self.failure: Exception | None = None
        self._writer = VerdictWriter(settings.cluster, settings.bot, self._fail_soon)
        self._feed: Feed | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app(self.service),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    async def run(self) -> None:
        """Serve until told to stop. Raises what ended it, if that was no signal."""
        self._loop = asyncio.get_running_loop()
        # A daemon thread: it may wait for Kafka for long, and a signal must still end the process.
        threading.Thread(target=self._start, name="desk start", daemon=True).start()
        await self._server.serve()
        if self._feed is not None:
            await asyncio.to_thread(self._feed.close)
        if self.failure is not None:
            raise self.failure
        await asyncio.to_thread(self._writer.close)

    def _start(self) -> None:
        """Fence first, then read: so the topics hold all that an earlier desk ever committed."""
        try:
            self._writer.open()
            feed = Feed(self.settings.cluster, self.settings.bot)
            # The wall clock only spaces the tokens of successive desks; what fences desks is Kafka.
            state = DeskState(self.settings, first_token=time.time_ns() // 1_000_000)
            feed.rebuild(state)
        except Exception as exc:  # noqa: BLE001 (the thread's outermost edge: the process must hear of it)
            self._fail_soon(exc)
            return
        self._in_loop(lambda: self._open(state, feed))

    def _open(self, state: DeskState, feed: Feed) -> None:
        self._feed = feed
        feed.follow(state, self._in_loop, self._fail_soon)
        self.service.open(state, self._submit)
        log.info("the desk of %s is ready: %d items that can be given", self.settings.bot, state.free)

    def _submit(self, verdict: Verdict) -> "asyncio.Future[None]":
        return asyncio.wrap_future(self._writer.submit(verdict), loop=self._loop)

    def _in_loop(self, step: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process is ending
            self._loop.call_soon_threadsafe(step)

    def _fail_soon(self, exc: Exception) -> None:
        self._in_loop(lambda: self._fail(exc))

    def _fail(self, exc: Exception) -> None:
        self.failure = self.failure or exc
        self.service.end(exc)
        self._server.should_exit = True


@contextmanager
def _signals_taken() -> Iterator[None]:
    """uvicorn drains at a signal and then raises it again, for the handlers before it: here, to no effect."""

    def drained(*_: Any) -> None:
        log.info("stopped by a signal; all that was acknowledged is in Kafka")

    before = {number: signal.signal(number, drained) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
