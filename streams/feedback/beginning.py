"""Where reading begins, by the broker's time, when there is no store; and whether a store's offsets are still there."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import ListOffsetsResultInfo, OffsetSpec  # type: ignore[attr-defined]

from teachback.schemas.wire import Cluster, admin
from teachback.streams.feedback.batch import EXCHANGES, FEEDBACK, INPUTS, SCORED, Position
from teachback.streams.feedback.errors import FeedbackError

CALL_SECONDS = 20.0
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
NEWEST: OffsetSpec = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
WINDOWS = {EXCHANGES: 2, SCORED: 2, FEEDBACK: 1}
"""How many windows back: the oldest feedback that is read again may be of an exchange one window before it."""

log = logging.getLogger(__name__)


class Offsets:
    """The offsets of every partition of the three topics. Each question raises FeedbackError when Kafka is silent."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin = admin(cluster)
        try:
            self._admin.list_topics(timeout=CALL_SECONDS)  # a client that does not know the leaders takes seconds
        except KafkaException as exc:
            raise FeedbackError(f"Kafka at {cluster.bootstrap} does not answer: {exc.args[0].str()}") from exc
        self.partitions: dict[Position, str] = {
            (cluster.topic(name), partition): name
            for name in INPUTS
            for partition in range(cluster.partitions_of(name))
        }

    def firsts(self) -> dict[Position, int]:
        """The oldest offsets that are still there."""
        return {each: found.offset for each, found in self._ask(EARLIEST).items()}

    def ends(self) -> dict[Position, int]:
        """The offsets behind the newest records, up to which nothing is undecided."""
        return {each: found.offset for each, found in self._ask(LATEST).items()}

    def newest(self) -> int:
        """The broker's time of the newest record of all, in ms; 0 without any. It stands for now, without a clock."""
        return max(0, *(found.timestamp for found in self._ask(NEWEST).values()))

    def since(self, times: Mapping[str, int]) -> dict[Position, int]:
        """The first offsets at or after a time of each topic (name → ms); the end where there is nothing so new."""
        ends = self.ends()  # asked first: what comes between the two questions is new, and found by its time
        specs = {each: OffsetSpec.for_timestamp(max(0, times[name])) for each, name in self.partitions.items()}
        found = self._list(specs)
        return {each: ends[each] if found[each].offset < 0 else found[each].offset for each in self.partitions}

    def _ask(self, spec: OffsetSpec) -> dict[Position, ListOffsetsResultInfo]:
        return self._list(dict.fromkeys(self.partitions, spec))

    def _list(self, specs: Mapping[Position, OffsetSpec]) -> dict[Position, ListOffsetsResultInfo]:
        request = {TopicPartition(*each): spec for each, spec in specs.items()}
        answers: dict[TopicPartition, Future[ListOffsetsResultInfo]] = self._admin.list_offsets(
            request, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=CALL_SECONDS
        )
        try:
            return {(tp.topic, tp.partition): future.result(CALL_SECONDS) for tp, future in answers.items()}
        except (KafkaException, TimeoutError) as exc:
            raise FeedbackError(f"Kafka at {self._cluster.bootstrap} does not tell its offsets: {exc}") from exc


def beginning(offsets: Offsets, window: int, slack: int) -> dict[Position, int]:
    """Where to read from to know all that a store would (`window` and `slack` in ms)."""
    now = offsets.newest()
    return offsets.since({name: now - windows * window - slack for name, windows in WINDOWS.items()})


def still_there(positions: Mapping[Position, int], firsts: Mapping[Position, int]) -> dict[Position, int]:
    """The positions, moved up to the oldest records that are there: what came before can be read by nobody."""
    for (topic, partition), next_ in positions.items():
        if next_ < firsts[topic, partition]:
            log.warning("%s[%d]: %d was next, %d is the oldest", topic, partition, next_, firsts[topic, partition])
    return {each: max(next_, firsts[each]) for each, next_ in positions.items()}
