"""Reading a stretch of a topic as fast as the client can, without joining a group."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from teachback.schemas.wire import Cluster, consumer, is_fatal

Progress = Callable[[int, int], None]
"""Called with how many records were read, and of how many at most."""
BATCH = 10_000
WAIT_S = 0.05  # a batch waits for so long to be full, also at the end of all there is
QUIET_S = 60.0
FETCHING = {
    "fetch.wait.max.ms": 20,  # the broker says sooner that there is no more
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 131_072,  # librdkafka fetches ahead while Python decodes
    "max.partition.fetch.bytes": 8 << 20,
}


class Range(NamedTuple):
    """Offsets of one partition, `end` excluded."""

    partition: int
    start: int
    end: int


def scan(
    cluster: Cluster, topic: str, ranges: Sequence[Range], progress: Progress | None = None
) -> Iterator[list[Message]]:
    """The committed records in the ranges, in batches; those of one partition in the order of their offsets.

    Raises TimeoutError when nothing comes for a minute, KafkaException when the client can't go on.
    """
    ends = {one.partition: one.end for one in ranges if one.start < one.end}
    total, done = sum(one.end - one.start for one in ranges), 0
    name = cluster.topic(topic)
    reader = consumer(cluster, f"history-{topic}", FETCHING)
    try:
        reader.assign([TopicPartition(name, one.partition, one.start) for one in ranges if one.partition in ends])
        quiet_since = time.monotonic()
        while ends:
            messages = reader.consume(BATCH, WAIT_S)
            if messages:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > QUIET_S:
                raise TimeoutError(f"{name}: no record and no end of the topic in {QUIET_S:.0f} s")
            inside, finished = sorted_out(messages, ends)
            for partition in finished:
                del ends[partition]
            if finished and ends:  # what lies behind an end need not be fetched
                reader.incremental_unassign([TopicPartition(name, partition) for partition in finished])
            done += len(inside)
            if progress is not None:
                progress(done if ends else total, total)
            if inside:
                yield inside
    finally:
        reader.close()


def sorted_out(messages: Sequence[Message], ends: dict[int, int]) -> tuple[list[Message], set[int]]:
    """The records before their partition's end, and the partitions that were read up to it.

    Behind the last record there may be transaction markers, so a partition has ended when a later record comes, or when
    the client reports the end of all there is; never by comparing the last record's offset with the end.
    """
    inside: list[Message] = []
    finished: set[int] = set()
    for message in messages:
        partition, error = message.partition(), message.error()
        if error is None:
            if message.offset() < ends.get(partition, 0):  # type: ignore[operator,arg-type]  # records have both
                inside.append(message)
            elif partition in ends:
                finished.add(partition)
        elif error.code() == KafkaError._PARTITION_EOF:
            if partition in ends:
                finished.add(partition)
        elif is_fatal(error):
            raise KafkaException(error)
    return inside, finished
