"""Where in a topic a time lies, and whether the topic still reaches back to it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec  # type: ignore[attr-defined]

from teachback.infra.history.errors import HistoryError
from teachback.infra.history.scan import Range
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import Cluster, admin

ANSWER_S = 20.0
SLACK_MS = 3_600_000  # what is advised still holds when it is asked a little later
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Bounds:
    """One topic's offsets. Every question is one request to the brokers; each raises KafkaException."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self.name = cluster.topic(topic)
        self._client: AdminClient = admin(cluster)
        self._partitions = range(cluster.partitions_of(topic))

    def between(self, since: int, until: int | None) -> list[Range]:
        """The offsets of the records with `since` ≤ time < `until` (ms), of each partition; None is now."""
        starts = self._at_time(since)
        ends = self._offsets(LATEST) if until is None else self._at_time(until)
        return [Range(*bounds) for bounds in zip(self._partitions, starts, ends, strict=True)]

    def whole(self) -> list[Range]:
        """All there is now."""
        starts, ends = self._offsets(EARLIEST), self._offsets(LATEST)
        return [Range(*bounds) for bounds in zip(self._partitions, starts, ends, strict=True)]

    def retention_ms(self) -> int | None:
        """The topic's own `retention.ms` as the cluster has it; None is for ever."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.name)
        found = self._client.describe_configs([resource])[resource].result(ANSWER_S)
        kept = int(found["retention.ms"].value)
        return None if kept < 0 else kept

    def beginnings(self) -> list[int]:
        """The time of the first record that is left, of each partition that has lost some."""
        lost = [offset > 0 for offset in self._offsets(EARLIEST)]
        if not any(lost):
            return []
        firsts = self._ask(OffsetSpec.for_timestamp(0))
        return [time for (_, time), cut in zip(firsts, lost, strict=True) if cut and time >= 0]

    def _at_time(self, moment: int) -> list[int]:
        found, latest = self._offsets(OffsetSpec.for_timestamp(moment)), self._offsets(LATEST)
        return [end if offset < 0 else offset for offset, end in zip(found, latest, strict=True)]

    def _offsets(self, spec: OffsetSpec) -> list[int]:
        return [offset for offset, _ in self._ask(spec)]

    def _ask(self, spec: OffsetSpec) -> list[tuple[int, int]]:
        """Offset and time of each partition; −1 where there is none."""
        places = {TopicPartition(self.name, partition): spec for partition in self._partitions}
        answers = self._client.list_offsets(
            places, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_S
        )
        found = {place.partition: future.result(ANSWER_S) for place, future in answers.items()}
        return [(found[partition].offset, found[partition].timestamp) for partition in self._partitions]


def refuse_beyond(topic: str, since: int, now: int, retention_ms: int | None, beginnings: Sequence[int]) -> None:
    """Raise HistoryError when records from `since` on (ms) have been deleted, or may have been.

    `beginnings` are the times of the first record left in partitions that lost some: they count too, because records
    also go when a topic's size is limited, or when somebody deletes them.
    """
    if retention_ms is not None and since < now - retention_ms:
        raise HistoryError(
            f"{topic} keeps {told_days(retention_ms)} days (its `retention.ms`), and {told_time(since)} was before "
            f"that; ask from {told_time(now - retention_ms + SLACK_MS)} or later"
        )
    if beginnings and since < max(beginnings):
        raise HistoryError(
            f"{topic} has lost its records from before {told_time(max(beginnings))}, and {told_time(since)} was before "
            f"that; ask from {told_time(max(beginnings) + 60_000)} or later"
        )


def told_days(ms: int) -> str:
    """A time in days, as one says it."""
    return f"{ms / DAY_MS:.3g}"


def told_time(ms: int) -> str:
    """A moment as it can be given back to a command."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%MZ}"
