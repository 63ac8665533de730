"""What the writer sends: dead letters and announcements, each confirmed by Kafka before anything relies on it."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message

from teachback.consumers.shards.errors import NotDelivered
from teachback.consumers.shards.table import LabelTable
from teachback.schemas import ShardCommitted
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, headers, producer

REASON, SOURCE = "dlq_reason", "dlq_source"  # the dead letters' headers, the same from every reader
REASON_BYTES = 1000
CONFIRM_SECONDS = 60.0

Data = bytes | str | None
Marks = list[tuple[str, Data]]


class Outbox:
    """Sends, and on `confirm` waits until Kafka has it all."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer = producer(cluster)
        self._failed: set[str] = set()

    def dead_letter(self, topic: str, message: Message, reason: str) -> None:
        """Send a record as it came to the dead letters of `topic`, with the reason and where it stood."""
        source = f"{message.topic()}:{message.partition()}:{message.offset()}"
        came_with: Marks = message.headers() or []  # type: ignore[assignment]  # a list, whatever the annotation says
        kept = [(name, value) for name, value in came_with if name not in (REASON, SOURCE)]
        marks: Marks = [(REASON, reason.encode(errors="replace")[:REASON_BYTES]), (SOURCE, source.encode())]
        self._send(f"{topic}.dlq", message.key(), message.value(), [*kept, *marks])

    def announce(self, shards: Iterable[ShardCommitted]) -> None:
        """Send announcements, in the order given."""
        for shard in shards:
            self._send("labels.shards", shard.bot.encode(), encode(shard), [*headers(shard, "shards")])

    def confirm(self) -> None:
        """Wait for all that was sent. Raises NotDelivered."""
        left = self._producer.flush(CONFIRM_SECONDS)
        if left or self._failed:
            reasons = ", ".join(sorted(self._failed)) or f"{left} records unconfirmed after {CONFIRM_SECONDS:.0f} s"
            raise NotDelivered(f"Kafka at {self._cluster.bootstrap} did not take what the shard writer sent: {reasons}")

    def _send(self, topic: str, key: Data, value: Data, marks: Marks) -> None:
        try:
            self._producer.produce(self._cluster.topic(topic), value, key, headers=marks, on_delivery=self._delivered)
        except (BufferError, KafkaException) as exc:
            raise NotDelivered(f"cannot send to {self._cluster.topic(topic)}: {exc}") from exc

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.add(error.str())


class Announced:
    """The ids that stand on `labels.shards` already, so that a restart repeats only what is missing there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def missing(self, table: LabelTable, partitions: Iterable[int]) -> list[ShardCommitted]:
        """What the table's commits for `partitions` should have announced and did not, oldest first.

        A partition's announcements are sent in order and confirmed, so those missing are its last ones: the search ends
        at the first that is known of each partition. Two writers may still send the same one; its id is the same.
        """
        with Tail(self._cluster, "labels.shards", (ShardCommitted,)) as tail:
            known = {record.event.id for record in tail.catch_up() if record.event is not None}
        wanted, found = set(partitions), list[ShardCommitted]()
        for shard in table.announcements():
            if shard.partition in wanted and shard.id in known:
                wanted.discard(shard.partition)
            elif shard.partition in wanted:
                found.append(shard)
            if not wanted:
                break
        return found[::-1]
