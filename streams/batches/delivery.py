"""Outputs at least once: one idempotent producer; a batch is done when Kafka has confirmed all of it."""

import asyncio
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from faust.types import TP

from teachback.streams.batches.batch import Batch, Output
from teachback.streams.batches.errors import DeliveryFailed

FLUSH_SECONDS = 60.0


class Delivery(Protocol):
    """How outputs reach Kafka. `commits_offsets`: publishing a batch commits its offset too, so Faust must not."""

    commits_offsets: bool

    async def assign(self, partitions: Collection[TP], epoch: int) -> None:
        """Called before the committed offsets of `partitions` are read, at the start of each epoch."""

    async def publish(self, batch: Batch, outputs: Sequence[Output]) -> None:
        """Write the outputs of a batch; return when Kafka has them. Raises DeliveryFailed or StaleBatch."""


def write(producer: Producer, outputs: Sequence[Output]) -> None:
    """Queue the outputs on a producer, waiting where its queue is full. Raises KafkaException."""
    for output in outputs:
        while True:
            try:
                producer.produce(output.topic, output.value, output.key, headers=list(output.headers))
                break
            except BufferError:
                producer.poll(0.1)


class AtLeastOnce:
    """Every output is delivered before its batch is done; after a crash in between it is delivered again."""

    commits_offsets = False

    def __init__(self, config: dict[str, Any]) -> None:
        self._errors: list[KafkaError] = []
        only_errors = {"delivery.report.only.error": True, "on_delivery": self._on_delivery}
        self._producer = Producer({**config, **only_errors})
        self._thread = ThreadPoolExecutor(1, "deliver")

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._errors.append(error)

    async def assign(self, partitions: Collection[TP], epoch: int) -> None:
        """Nothing to fence: a zombie may repeat outputs here."""

    async def publish(self, batch: Batch, outputs: Sequence[Output]) -> None:
        """Write and flush, off the event loop. Raises DeliveryFailed."""
        if outputs:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._publish, outputs)

    def _publish(self, outputs: Sequence[Output]) -> None:
        try:
            write(self._producer, outputs)
            left = self._producer.flush(FLUSH_SECONDS)
        except KafkaException as exc:
            raise DeliveryFailed(f"Kafka refused an output: {exc.args[0]}") from exc
        if left or self._errors:
            reasons = ", ".join(sorted({error.str() for error in self._errors})) or "no answer"
            raise DeliveryFailed(f"{left + len(self._errors)} outputs were not delivered: {reasons}")
