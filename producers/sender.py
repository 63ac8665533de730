"""The thread that empties the buffer into Kafka. The only module of the SDK that needs confluent-kafka."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from teachback.producers.buffer import Buffer, Item
from teachback.producers.settings import SdkSettings
from teachback.schemas.wire import Cluster, producer

IDLE_SECONDS = 0.2
POLL_SECONDS = 0.02
UNDER_WAY = 1000  # events that librdkafka may hold; the others wait in our buffer, where `drop` can choose
MAX_BYTES = 1_000_000  # refused here, alone; the broker would refuse its whole batch
Complain = Callable[[str, str], None]
"""Called with a kind of problem and its description; says each kind once."""


class Sender:
    """Owns the Kafka client and its thread, from its making to `stop`."""

    def __init__(self, buffer: Buffer, settings: SdkSettings, say: Complain) -> None:
        self._buffer, self._settings, self._say = buffer, settings, say
        self._under_way = 0
        self._stop = threading.Event()
        self._producer: Producer | None = None
        self._thread = threading.Thread(target=self._run, name="teachback", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End the thread; what waits is not sent any more."""
        self._stop.set()
        self._thread.join(timeout)

    def abandon(self) -> None:
        """In a forked child: the client's threads are not here, and to destroy it would wait for them for ever."""
        if self._producer is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))

    def _run(self) -> None:
        try:
            self._producer = self._connect()
        except KafkaException as exc:
            self._say(
                "configuration", f"nothing is sent: Kafka's client refuses its configuration: {exc.args[0].str()}"
            )
        while not self._stop.is_set():
            item = self._buffer.take(0.0 if self._under_way else IDLE_SECONDS)
            if item is not None:
                self._send(item)
            elif self._producer is not None and self._under_way:
                self._producer.poll(POLL_SECONDS)

    def _connect(self) -> Producer:
        settings = self._settings
        options = {
            "queue.buffering.max.messages": UNDER_WAY,
            "message.max.bytes": MAX_BYTES,
            "delivery.timeout.ms": int(settings.delivery_seconds * 1000),
            "error_cb": self._unwell,
            "log_level": 2,  # lost connections come to `error_cb`; standard error belongs to the chatbot
        }
        cluster = Cluster(bootstrap=settings.bootstrap, prefix=settings.prefix, options=settings.options)
        return producer(cluster, options)

    def _send(self, item: Item) -> None:
        """Hand an event to librdkafka, waiting while it has enough."""
        while not self._stop.is_set():
            try:
                if self._producer is None or not self._produced(self._producer, item):
                    self._buffer.settle(item, delivered=False)
                return
            except BufferError:
                if self._producer is not None:
                    self._producer.poll(POLL_SECONDS)

    def _produced(self, client: Producer, item: Item) -> bool:
        def settle(error: KafkaError | None, _: Message) -> None:
            self._under_way -= 1
            self._buffer.settle(item, delivered=error is None)
            if error is not None:
                self._say(error.name(), f"an event for {item.topic} was not delivered: {error.str()}")

        try:
            client.produce(item.topic, item.value, item.key, headers=[*item.headers], on_delivery=settle)
        except KafkaException as exc:
            self._say(exc.args[0].name(), f"an event for {item.topic} was refused: {exc.args[0].str()}")
            return False
        self._under_way += 1
        client.poll(0)
        return True

    def _unwell(self, error: KafkaError) -> None:
        self._say(error.name(), f"Kafka: {error.str()}; events wait, up to the buffer's bounds")
