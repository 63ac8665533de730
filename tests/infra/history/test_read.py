"""The history of a real log: several partitions and bots, repeats, garbage, transactions that were aborted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer, TopicPartition

from teachback.infra.history import ACCEPTABLE, UNSETTLED, WRONG, HistoryError, read_decisions, read_history
from teachback.infra.history.seconds import read_seconds
from teachback.schemas import Event, Outcome, ReviewRequest, Scored, Verdict
from teachback.schemas.event import now
from teachback.schemas.exchange import Message
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import Cluster, encode, producer
from tests.infra.whatif.making import BOT, policy
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka
PARTITIONS = 3
NOW = int(time.time() * 1000)


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    """Topics whose records have the times that the writer gives them."""
    shared = dict.fromkeys(("chat.scored", "review.outcomes", "review.verdicts"), PARTITIONS)
    topics = shared | {"loop.policy": 1, "loop.calibration": 1}
    kafka.create_all(
        {prefix + name: count for name, count in topics.items()},
        message_timestamp_type="CreateTime",
        retention_ms=str(30 * DAY_MS),
    )
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=PARTITIONS)


def scored(number: int, **fields: Any) -> Scored:
    stated: dict[str, Any] = {
        "id": f"x{number}",
        "bot": BOT,
        "created": now(),
        "conversation": f"c{number}",
        "adapter": f"{BOT}@v0",
        "source": "live",
        "signals": {"qa_cosine": number / 1000},
        "confidence": 0.9,
        "route": "accept",
        "reasons": (),
        "policy": 1,
        "calibration": 0,
    }
    return Scored(**(stated | fields))


def outcome(number: int, **fields: Any) -> Outcome:
    stated: dict[str, Any] = {
        "id": f"x{number}",
        "bot": BOT,
        "created": now(),
        "exchange": f"x{number}",
        "status": "labelled",
        "origin": "approved",
        "round": 0,
        "judgments": (),
    }
    return Outcome(**(stated | fields))


class Log:
    """Writes records with times of one's own, in the order of the calls."""

    def __init__(self, cluster: Cluster, transactional: str | None = None) -> None:
        self.cluster = cluster
        self.client: Producer = producer(cluster, {"transactional.id": transactional} if transactional else None)
        if transactional:
            self.client.init_transactions(10)

    def put(self, topic: str, event: Event | bytes, key: str, ago_ms: int = 1000) -> None:
        value = event if isinstance(event, bytes) else encode(event)
        self.client.produce(self.cluster.topic(topic), value, key, timestamp=NOW - ago_ms)

    def decide(self, number: int, ago_ms: int = 1000, **fields: Any) -> None:
        self.put("chat.scored", scored(number, **fields), f"c{number}", ago_ms)


@pytest.fixture
def log(cluster: Cluster) -> Iterator[Log]:
    found = Log(cluster)
    yield found
    found.client.flush(10)


def test_the_history_is_what_the_log_decided(cluster: Cluster, log: Log) -> None:
    for number in range(300):
        log.decide(number, ago_ms=300_000 - number * 1000)
    log.decide(7, ago_ms=500, confidence=0.1)  # decided already
    log.decide(300, ago_ms=2 * DAY_MS)  # before the window
    log.decide(301, ago_ms=DAY_MS + 600_000)
    log.decide(301, ago_ms=500)  # decided before the window began
    log.decide(302, bot="other")
    log.put("chat.scored", b"\xffgarbage", "c1")
    log.put("chat.scored", encode(scored(303)).replace(b'"route":"accept"', b'"route":"nowhere"'), "c303")
    for number, fields in ((1, {}), (2, {"status": "rejected"}), (3, {"status": "open"}), (4, {"bot": "other"})):
        log.put("review.outcomes", outcome(number, **fields), f"x{number}")
    log.client.flush(10)
    aborted = Log(cluster, f"{cluster.prefix}aborted")
    for end in ("abort_transaction", "commit_transaction", "abort_transaction"):
        aborted.client.begin_transaction()
        number = 400 if end == "commit_transaction" else 500
        for offset in range(50):
            aborted.decide(number + offset, ago_ms=100)
        getattr(aborted.client, end)(10)

    seen: list[tuple[int, int]] = []
    found = read_history(cluster, BOT, NOW - DAY_MS, progress=lambda done, total: seen.append((done, total)))

    assert found.ids.tolist()[:300] == [f"x{number}" for number in range(300)]
    assert sorted(found.ids.tolist()[300:]) == [f"x{number}" for number in range(400, 450)]
    assert found.confidence.min() == 0.9
    assert np.all(np.diff(found.time) >= 0) and found.time[0] == NOW - 300_000
    assert found.signals[:300, 0] == pytest.approx(np.arange(300) / 1000)
    assert found.verdict[:5].tolist() == [UNSETTLED, ACCEPTABLE, WRONG, UNSETTLED, UNSETTLED]
    assert found.bad == 2
    assert seen[-1][0] == seen[-1][1] > 350

    part = read_history(cluster, BOT, NOW - 200_000, NOW - 100_000)
    assert part.ids.tolist() == [f"x{number}" for number in range(100, 200)]
    assert len(read_history(cluster, "nobody", NOW - DAY_MS)) == 0


def test_a_time_that_the_topic_does_not_reach_back_to_is_refused(
    cluster: Cluster, log: Log, kafka: KafkaCluster
) -> None:
    for number in range(30):
        log.decide(number, ago_ms=60_000 - number * 1000)
    log.client.flush(10)
    with pytest.raises(HistoryError, match=r"keeps 30 days"):
        read_history(cluster, BOT, NOW - 31 * DAY_MS)
    with pytest.raises(HistoryError, match="ends before it begins"):
        read_history(cluster, BOT, NOW - 1000, NOW - 2000)
    assert len(read_history(cluster, BOT, NOW - 29 * DAY_MS)) == 30

    gone = [TopicPartition(cluster.topic("chat.scored"), partition, 3) for partition in range(PARTITIONS)]
    client = kafka.admin  # its answers are lost with it
    for future in client.delete_records(gone).values():
        future.result(10)
    with pytest.raises(HistoryError, match="has lost its records from before"):
        read_history(cluster, BOT, NOW - DAY_MS)
    assert 0 < len(read_history(cluster, BOT, NOW - 40_000)) < 30


def test_decisions_and_reviewers_times_are_read_too(cluster: Cluster, log: Log) -> None:
    for version in (1, 2, 2):
        log.put("loop.policy", policy(version), BOT)
    request = ReviewRequest(
        id="x1",
        bot=BOT,
        created=now(),
        conversation="c1",
        messages=(Message(role="user", content="q"),),
        answer="a",
        adapter=f"{BOT}@v0",
        source="live",
        route="audit",
        reasons=("audit",),
        confidence=0.5,
    )
    for number, seconds in enumerate((10.0, 40.0, 50.0, None)):
        verdict = Verdict(
            id=f"v{number}",
            bot=BOT,
            created=now(),
            exchange="x1",
            reviewer=f"r{number}",
            role="reviewer",
            round=0,
            decision="approve",
            request=request,
            seconds=seconds,
        )
        log.put("review.verdicts", verdict, "x1")
    log.put("review.verdicts", b"garbage", "x1")
    log.client.flush(10)
    assert [one.event.version for one in read_decisions(cluster, BOT).policies] == [1, 2]
    assert read_seconds(cluster, BOT, NOW - DAY_MS) == 40.0
    assert read_seconds(cluster, "other", NOW - DAY_MS) is None
