"""The chatbot's SDK: `from teachback import Teachback`.

    teachback = Teachback(bot="support", bootstrap="kafka:9092")     # or TEACHBACK_BOT, TEACHBACK_KAFKA_BOOTSTRAP
    exchange = teachback.exchange(messages=messages, answer=answer, conversation="c-81", model="gpt-4o-mini")
    teachback.feedback(exchange=exchange, conversation="c-81", thumb="down", comment="That fee is out of date.")

Neither call blocks or raises into the chatbot, whatever it is given and whether or not Kafka is there: an event is
checked, encoded and put into a bounded buffer, which a background thread empties. What could not be sent is counted
(`stats()`) and each kind of problem is logged once, under `teachback`. `strict=True` raises instead, for development.

At the end of the process the buffer is flushed, for at most `exit_seconds`. A process killed by a signal does not run
that: servers that handle SIGTERM should call `flush()`. After a fork (gunicorn, multiprocessing) the child starts with
an empty buffer and a connection of its own; what the parent had buffered stays the parent's.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import uuid
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import msgspec

from teachback.producers.buffer import Buffer, Item, Stats
from teachback.producers.errors import BadEvent, NotConfigured, ProducerError
from teachback.producers.openai import logprobs_of, mended, messages_of, text_of
from teachback.producers.settings import Drop, SdkSettings, resolve
from teachback.schemas.event import Event, now
from teachback.schemas.exchange import Exchange, Feedback, Source
from teachback.schemas.topics import TopicName

if TYPE_CHECKING:
    from teachback.producers.sender import Sender
    from teachback.schemas.wire import Cluster

E = TypeVar("E", bound=Event)
log = logging.getLogger("teachback")
DISABLED = SdkSettings(bot="-", bootstrap="-", max_messages=1, max_bytes=1)


class Teachback:
    """Emits what a chatbot says and what its users think of it. Thread-safe; one for the process is enough.

    What is not given is read from the environment (see `producers.settings`). `cluster` gives a whole Kafka
    configuration instead of `bootstrap`, `prefix` and `options`.
    """

    _sender: Sender | None

    def __init__(
        self,
        *,
        bot: str | None = None,
        bootstrap: str | None = None,
        prefix: str | None = None,
        options: dict[str, str] | None = None,
        cluster: Cluster | None = None,
        model: str | None = None,
        max_messages: int | None = None,
        max_bytes: int | None = None,
        drop: Drop | None = None,
        delivery_seconds: float | None = None,
        exit_seconds: float | None = None,
        strict: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.strict = strict
        self._said: Counter[str] = Counter()
        given: dict[str, Any] = {"bot": bot, "bootstrap": bootstrap, "prefix": prefix, "options": options}
        if cluster is not None:
            given |= {"bootstrap": cluster.bootstrap, "prefix": cluster.prefix, "options": cluster.options}
        given |= {"model": model, "max_messages": max_messages, "max_bytes": max_bytes, "drop": drop}
        given |= {"delivery_seconds": delivery_seconds, "exit_seconds": exit_seconds}
        self._problem: NotConfigured | None = None
        try:
            self.settings = resolve(given, environ)
            _require_client()
        except NotConfigured as exc:
            self.settings, self._problem = DISABLED, exc
            self._complain(exc)
        self._begin()
        atexit.register(self._at_exit)
        me = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _after_fork(me))

    def exchange(
        self,
        *,
        messages: Iterable[Any],
        answer: Any,
        conversation: str | None = None,
        model: str | None = None,
        adapter: str | None = None,
        logprobs: Any = None,
        id: str | None = None,  # noqa: A002 - the field's name
        source: Source = "live",
        topic: str | None = None,
        finish_reason: str | None = None,
        samples: Iterable[str] = (),
        passages: Iterable[Any] = (),
        subject: str | None = None,
        replay_of: str | None = None,
        escalated: bool = False,
    ) -> str:
        """Emit one turn, and return its id (the given one, or a new UUID): `feedback` wants it.

        `messages`, `answer` and `logprobs` may be as the OpenAI chat API has them: messages with `role` and `content`;
        the answer's text or its message; `choices[].logprobs`. Without a conversation the turn is one of its own;
        without an adapter it is the bare base model's. `passages` have `id` and `content`, maybe `title` and `score`.
        `escalated`: the customer asked for a person, or was handed to one.
        """
        name = _named(id)
        try:
            fields = {
                "messages": messages_of(messages),
                "answer": text_of(answer),
                "conversation": conversation or name,
                "model": model or self.settings.model,
                "adapter": adapter or f"{self.settings.bot}@v0",
                "logprobs": logprobs_of(logprobs),
                "source": source,
                "topic": topic,
                "finish_reason": finish_reason,
                "samples": list(samples),
                "passages": list(passages),
                "subject": subject,
                "replay_of": replay_of,
                "escalated": escalated,
            }
            self._emit("chat.exchanges", Exchange, name, fields)
        except Exception as exc:  # noqa: BLE001 - the edge to someone else's program: nothing may get through
            self._refused("exchange", exc)
        return name

    def feedback(
        self,
        *,
        exchange: str,
        thumb: Literal["up", "down"],
        conversation: str | None = None,
        comment: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
    ) -> str:
        """Emit a user's thumb on the answer of `exchange`, in the conversation that the exchange was given."""
        name = _named(id)
        try:
            owner = conversation or exchange
            fields = {"exchange": exchange, "thumb": thumb, "conversation": owner, "comment": comment}
            self._emit("chat.feedback", Feedback, name, fields)
        except Exception as exc:  # noqa: BLE001 - as above
            self._refused("feedback", exc)
        return name

    def stats(self) -> Stats:
        """What became of everything up to now."""
        return self._buffer.stats()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all is delivered or given up; False when something still waits after `timeout` seconds."""
        return self._buffer.wait_empty(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Flush and end the thread; what still waits then is given up. Not needed at the end of a process."""
        atexit.unregister(self._at_exit)
        self.flush(timeout)
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.stop(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _emit(self, topic: TopicName, kind: type[Event], name: str, fields: dict[str, Any]) -> None:
        """Check, encode, buffer. Raises ProducerError and whatever odd arguments make the encoder raise."""
        from teachback.schemas.wire import encode, headers

        if self._problem is not None:
            raise self._problem
        fields |= {"id": name, "bot": self.settings.bot, "created": now()}
        try:
            event = _event(kind, fields)
        except (BadEvent, TypeError):
            if not fields.get("logprobs"):
                raise
            event = _event(kind, fields | {"logprobs": mended(fields["logprobs"])})
        key = fields["conversation"].encode()
        item = Item(self.settings.prefix + topic, key, encode(event), headers(event, "sdk"))
        self._wake()
        if not self._buffer.put(item):
            self._say("full", "the buffer is full: events are dropped; see stats()")

    def _refused(self, what: str, exc: Exception) -> None:
        self._buffer.refuse()
        if isinstance(exc, ProducerError):
            self._complain(exc)
            return
        problem = BadEvent(f"{what}(): {type(exc).__name__}: {exc}")
        problem.__cause__ = exc
        self._complain(problem)

    def _complain(self, problem: ProducerError) -> None:
        if self.strict:
            raise problem
        self._say(f"{type(problem).__name__} {type(problem.__cause__).__name__}", str(problem))

    def _say(self, kind: str, words: str) -> None:
        """Log the first of each kind."""
        self._said[kind] += 1
        if self._said[kind] == 1:
            log.warning("%s (said once; the rest is counted)", words)

    def _begin(self) -> None:
        """An empty buffer and no thread: at the start, and in a forked child."""
        self._lock = threading.Lock()
        self._buffer = Buffer(self.settings.max_messages, self.settings.max_bytes, self.settings.drop)
        self._sender = None

    def _wake(self) -> None:
        """Start the thread with the first event, so that a server that forks before it starts one thread a worker."""
        with self._lock:
            if self._sender is None:
                from teachback.producers.sender import Sender

                self._sender = Sender(self._buffer, self.settings, self._say)

    def _at_exit(self) -> None:
        if not self.flush(self.settings.exit_seconds):
            log.warning("%d events were not delivered before the end of the process", self.stats().waiting)


def _after_fork(sdk: weakref.ref[Teachback]) -> None:
    me = sdk()
    if me is not None:
        if me._sender is not None:
            me._sender.abandon()
        me._begin()


def _require_client() -> None:
    """Import confluent-kafka now, while the chatbot starts, and not in its first request. Raises NotConfigured."""
    try:
        import_module("teachback.producers.sender")
    except ImportError as exc:
        raise NotConfigured(f"teachback emits nothing: {exc}; install teachback[producers]") from exc


def _named(given: str | None) -> str:
    """The id that was given, whatever it is worth (checked with the rest of the event), or a new one."""
    return str(uuid.uuid4()) if given is None or (isinstance(given, str) and not given) else given


def _event(kind: type[E], fields: dict[str, Any]) -> E:
    """The event, checked as its readers will check it. Raises BadEvent."""
    raw = _encoder.encode({name: value for name, value in fields.items() if value is not None})
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as exc:
        raise BadEvent(f"no valid {kind.__name__.lower()}: {exc}") from exc


def _plain(value: Any) -> Any:
    """Objects of client libraries, as what they hold."""
    if (dump := getattr(value, "model_dump", None)) is not None:
        return dump()
    raise TypeError(f"{type(value).__name__} cannot be JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
