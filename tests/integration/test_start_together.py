"""Workers of one group that start at once: each one's first seek meets the rebalances that the others cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.schemas import Scored
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, producer
from tests.integration.calibration_process import wait_until
from tests.integration.scoring_process import workers
from tests.kafka_fixture import KafkaCluster
from tests.streams.feedback.samples import BOT, exchange, policy

pytestmark = pytest.mark.kafka
TOPICS = ("chat.exchanges", "chat.exchanges.dlq", "chat.scored", "review.requests", "loop.policy", "loop.calibration")
EXCHANGES = 100


def test_workers_that_start_together_all_go_to_work_and_none_ends(
    kafka: KafkaCluster, prefix: str, tmp_path: Path
) -> None:
    """There is no supervisor. (One that a rebalance finds in a transaction is fenced, and does end.)"""
    cluster, log = Cluster(bootstrap=kafka.bootstrap, prefix=prefix), tmp_path / "scoring.log"
    kafka.create_all({cluster.topic(name): cluster.partitions_of(name) for name in TOPICS})
    writer, topic, scored = producer(cluster), cluster.topic("chat.exchanges"), list[str]()
    writer.produce(cluster.topic("loop.policy"), encode(policy()), BOT)
    assert writer.flush(30) == 0
    with workers(cluster, 3, log) as together, Tail(cluster, "chat.scored", (Scored,)) as tail:
        for number in range(EXCHANGES):
            writer.produce(topic, encode(exchange(f"e{number}")), f"c-e{number}")
        assert writer.flush(30) == 0

        def all_scored() -> bool:
            scored.extend(record.event.id for record in tail.poll(0.05) if record.event is not None)
            return len(scored) >= EXCHANGES

        wait_until(all_scored)
        assert [process.poll() for process in together] == [None] * 3, log.read_text()
    assert sorted(scored) == sorted(f"e{number}" for number in range(EXCHANGES))
