"""The topics, read into the desk's state: whole at first, then as they grow.

Any number of bots may share the topics; only this desk's bot is taken in.

A desk notes its verdicts before it writes them, and reads the topics only after it has fenced the desk before it. So a
verdict that is news to a desk at work was written by its successor: a desk that slept through being replaced learns of
it here (Superseded), even when nobody asks it to write anything.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from teachback.consumers.desk.errors import SUCCESSOR, Superseded
from teachback.consumers.desk.state import DeskState
from teachback.schemas.log import Record, Tail
from teachback.schemas.policy import Policy
from teachback.schemas.review import Outcome, ReviewRequest, Verdict
from teachback.schemas.topics import TopicName
from teachback.schemas.wire import Cluster

TOPICS: tuple[TopicName, ...] = ("loop.policy", "review.requests", "review.verdicts", "review.outcomes")
POLL_SECONDS = 0.1  # Tail.poll fills a batch for so long, so it is also how old news can be

Records = list[Record[Any]]
Call = Callable[[Callable[[], None]], object]
Fail = Callable[[Exception], object]


class Source(NamedTuple):
    """A topic, and what to do with its records."""

    tail: Tail[Any]
    fold: Callable[[DeskState, Record[Any]], None]


def _policy(state: DeskState, record: Record[Policy]) -> None:
    if record.event is not None:
        state.note_policy(record.event)


def _request(state: DeskState, record: Record[ReviewRequest]) -> None:
    state.note_request(record.key, record.event, record.timestamp)


def _verdict(state: DeskState, record: Record[Verdict]) -> None:
    if record.event is not None:
        state.note_verdict(record.event, record.timestamp)


def _foreign_verdict(state: DeskState, record: Record[Verdict]) -> None:
    if record.event is not None and state.note_verdict(record.event, record.timestamp):
        raise Superseded(SUCCESSOR)


def _outcome(state: DeskState, record: Record[Outcome]) -> None:
    state.note_outcome(record.key, record.event)


class Feed:
    """Reads the topics. `rebuild` once, then `follow`, which polls in threads until `close`."""

    def __init__(self, cluster: Cluster, bot: str) -> None:
        self.bot = bot
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._verdicts = Source(Tail(cluster, "review.verdicts", (Verdict,)), _verdict)
        self._others = (
            Source(Tail(cluster, "loop.policy", (Policy,)), _policy),
            Source(Tail(cluster, "review.requests", (ReviewRequest,)), _request),
            Source(Tail(cluster, "review.outcomes", (Outcome,)), _outcome),
        )

    def rebuild(self, state: DeskState) -> None:
        """Fold everything there is into `state`, which nobody else may use meanwhile."""
        for source in (self._verdicts, *self._others):
            for record in source.tail.catch_up():
                self._fold(source, state, [record])

    def follow(self, state: DeskState, call: Call, fail: Fail) -> None:
        """Go on reading in the background; `call` runs a fold where `state` lives, `fail` hears of a fatal error."""
        following = self._verdicts._replace(fold=_foreign_verdict)
        for source in (following, *self._others):
            name = f"feed {source.tail.topic}"
            thread = threading.Thread(target=self._follow, args=(source, state, call, fail), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for source in (self._verdicts, *self._others):
            source.tail.close()

    def _follow(self, source: Source, state: DeskState, call: Call, fail: Fail) -> None:
        def fold(records: Records) -> None:
            try:
                self._fold(source, state, records)
            except Superseded as exc:
                fail(exc)

        try:
            while not self._stop.is_set():
                if records := source.tail.poll(POLL_SECONDS):
                    call(partial(fold, records))
        except Exception as exc:  # noqa: BLE001 (the thread's outermost edge: the process must hear of it)
            fail(exc)

    def _fold(self, source: Source, state: DeskState, records: Records) -> None:
        for record in records:
            if record.event is None or record.event.bot == self.bot:
                source.fold(state, record)
