"""A change of the policy or the calibration while two workers score: every later score names it, no earlier one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from teachback.schemas import Calibration, Policy, Scored
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster, encode, producer
from tests.integration.calibration_process import wait_until
from tests.integration.scoring_process import workers
from tests.kafka_fixture import KafkaCluster
from tests.streams.feedback.samples import BOT, exchange, policy
from tests.streams.test_calibrations import calibration

pytestmark = pytest.mark.kafka
PARTITIONS = 4
TOPICS = ("chat.exchanges", "chat.exchanges.dlq", "chat.scored", "review.requests", "loop.policy", "loop.calibration")
A_PHASE = 200  # exchanges
QUICK = 20  # changes, each with an exchange at its heels
ON_THEIR_WAY = 60  # of them, still to be scored when the next change comes


class Versions(NamedTuple):
    """What a score names."""

    policy: int
    calibration: int


class Stream:
    """Exchanges in, changes between them, scores out."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.phase_of: dict[str, int] = {}
        self.phases: list[Versions] = []
        self.times: dict[tuple[str, int], int] = {}  # (topic, version) → broker time of the change
        self.scores: list[Record[Scored]] = []
        self._producer = producer(cluster)
        self._tail = Tail(cluster, "chat.scored", (Scored,))

    def change(self, event: Policy | Calibration) -> None:
        """Publish it; it is acknowledged when this returns."""
        name = "loop.policy" if isinstance(event, Policy) else "loop.calibration"
        acknowledged: list[int] = []
        self._producer.produce(
            self.cluster.topic(name),
            encode(event),
            event.bot,
            on_delivery=lambda error, message: acknowledged.append(message.timestamp()[1]),
        )
        assert self._producer.flush(30) == 0
        (self.times[name, event.version],) = acknowledged
        before = self.phases[-1] if self.phases else Versions(0, 0)
        after = {("policy" if isinstance(event, Policy) else "calibration"): event.version}
        self.phases.append(before._replace(**after))

    def send(self, count: int = A_PHASE) -> None:
        """Exchanges that are produced after the newest change."""
        for _ in range(count):
            name = f"e{len(self.phase_of)}"
            self.phase_of[name] = len(self.phases) - 1
            event = exchange(name, conversation=f"c{len(self.phase_of) % 50}")
            self._producer.produce(self.cluster.topic("chat.exchanges"), encode(event), event.conversation)
        self._producer.flush(30)

    def scored_but(self, some: int) -> bool:
        """Whether all but some of what was sent is scored."""
        self.scores += self._tail.poll(0.05)
        return len(self.scores) >= len(self.phase_of) - some

    def close(self) -> None:
        self._tail.close()


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    soon = {"fetch.wait.max.ms": "20"}  # workers ask for the ends of topics at every batch
    found = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=PARTITIONS, options=soon)
    topics = {found.topic(name): found.partitions_of(name) for name in TOPICS}
    kafka.create_all(topics, message_timestamp_type="LogAppendTime")
    return found


def test_every_exchange_after_a_change_is_scored_by_it_on_every_worker_and_none_before(
    cluster: Cluster, tmp_path: Path
) -> None:
    stream = Stream(cluster)
    changes: list[Policy | Calibration] = [
        policy(version=1),
        calibration(1, BOT),
        policy(version=2, threshold=0.9),
        calibration(2, BOT),
        policy(version=3, threshold=0.1),
    ]
    stream.change(changes[0])
    with workers(cluster, 2, tmp_path / "scoring.log") as both:
        for change in changes[1:]:
            stream.send()
            wait_until(lambda: stream.scored_but(ON_THEIR_WAY))
            stream.send(ON_THEIR_WAY)
            stream.change(change)
        stream.send()
        wait_until(lambda: stream.scored_but(0))
        for version in range(4, 4 + QUICK):  # and now with nothing on its way: the next batch must have it
            stream.change(policy(version=version))
            stream.send(1)
            wait_until(lambda: stream.scored_but(0))
        assert [process.poll() for process in both] == [None, None], (tmp_path / "scoring.log").read_text()
    stream.close()
    decided = [(record, record.event) for record in stream.scores if record.event is not None]
    assert sorted(event.id for _, event in decided) == sorted(stream.phase_of)  # each once
    for record, event in decided:
        least = stream.phases[stream.phase_of[event.id]]
        assert event.policy >= least.policy and event.calibration >= least.calibration
        for name, version in (("loop.policy", event.policy), ("loop.calibration", event.calibration)):
            assert version == 0 or stream.times[name, version] <= record.timestamp
    assert {event.policy for _, event in decided} == set(range(1, 4 + QUICK))
    assert {event.calibration for _, event in decided} == {0, 1, 2}
    for partition in range(PARTITIONS):
        named = [Versions(e.policy, e.calibration) for r, e in decided if r.partition == partition]
        assert named, f"nothing was scored to partition {partition}"
        assert all(a.policy <= b.policy and a.calibration <= b.calibration for a, b in pairwise(named))
