"""Outputs exactly once: one transactional producer per input partition, the offset inside the transaction.

The `transactional.id` is the name of the input partition, so whoever is assigned it next fences whoever had it. The
offset goes with the metadata of a consumer that never joined the group (generation -1), which the group coordinator
accepts from a transactional producer: the fence, not the generation, is what keeps zombies out (Kafka's original
scheme, KIP-98, before KIP-447).
"""

import asyncio
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka import TopicPartition as Offset
from faust.types import TP

from teachback.schemas.offsets import send_offsets
from teachback.streams.batches.batch import Batch, Output
from teachback.streams.batches.delivery import write
from teachback.streams.batches.errors import DeliveryFailed, StaleBatch

CALL_SECONDS = 30.0  # for each call to the transaction coordinator
TRANSACTION_TIMEOUT_MS = 30_000  # a dead owner without a successor holds up readers no longer than this
FENCING_THREADS = 16


class ExactlyOnce:
    """Fences on assignment, then commits outputs and offset of each batch together."""

    commits_offsets = True

    def __init__(self, config: dict[str, Any], group: str, client: dict[str, Any]) -> None:
        self._config = {"transaction.timeout.ms": TRANSACTION_TIMEOUT_MS, **config}
        self._group = group
        never_joins = Consumer({**client, "group.id": group})
        self._metadata = never_joins.consumer_group_metadata()
        never_joins.close()
        self._epoch = 0
        self._producers: dict[TP, Producer] = {}
        self._pending: list[Future[Producer]] = []
        self._fencing = ThreadPoolExecutor(FENCING_THREADS, "fence")
        self._thread = ThreadPoolExecutor(1, "transact")

    async def assign(self, partitions: Collection[TP], epoch: int) -> None:
        """Fence every other owner of `partitions`: now their committed offsets are final. Raises DeliveryFailed."""
        await _settled(self._pending)  # an earlier, cancelled call may still be fencing, and would fence us
        fencing = {tp: self._fencing.submit(self._fence, tp) for tp in partitions}
        self._pending = list(fencing.values())
        await _settled(self._pending)
        retired, self._producers = self._producers, {tp: future.result() for tp, future in fencing.items()}
        self._epoch, self._pending = epoch, []
        self._fencing.submit(retired.clear)  # destroying a producer joins its threads: not on the event loop

    def _fence(self, tp: TP) -> Producer:
        producer = Producer({**self._config, "transactional.id": f"{self._group}-{tp.topic}-{tp.partition}"})
        try:
            producer.init_transactions(CALL_SECONDS)
        except KafkaException as exc:
            raise DeliveryFailed(f"cannot start transactions for {tp.topic}[{tp.partition}]: {exc.args[0]}") from exc
        return producer

    async def publish(self, batch: Batch, outputs: Sequence[Output]) -> None:
        """One transaction. Raises StaleBatch when the partition was rewound meanwhile, else DeliveryFailed."""
        if batch.epoch != self._epoch:
            raise StaleBatch(f"{batch!r} is from before epoch {self._epoch}")
        producer = self._producers[batch.tp]
        await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, producer, batch, outputs)

    def _commit(self, producer: Producer, batch: Batch, outputs: Sequence[Output]) -> None:
        offset = Offset(batch.tp.topic, batch.tp.partition, batch.next_offset)
        try:
            producer.begin_transaction()
            write(producer, outputs)
            send_offsets(producer, [offset], self._metadata, CALL_SECONDS)
            producer.commit_transaction(CALL_SECONDS)  # flushes, and fails if any output failed
        except KafkaException as exc:
            raise DeliveryFailed(f"the transaction of {batch!r} failed: {exc.args[0]}") from exc


async def _settled(futures: Sequence[Future[Producer]]) -> None:
    """Wait until every future is done, whatever came of it; cancelling the wait leaves them running."""
    waiting = [asyncio.wrap_future(future) for future in futures]
    for future in waiting:
        future.add_done_callback(lambda f: f.cancelled() or f.exception())  # its reader is the other future
    if waiting:
        await asyncio.wait(waiting)
