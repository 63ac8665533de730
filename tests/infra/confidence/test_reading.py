"""A certificate on a real log, earned, published and counted again by whoever reads it."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from teachback.infra.confidence.reading import lost_before, read_state
from teachback.infra.confidence.verify import verify
from teachback.schemas import Event, Outcome, Scored
from teachback.schemas.event import now
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import Cluster, encode, producer
from teachback.streams.calibration.claims import best
from teachback.streams.calibration.decide import State, certificate, claims_of
from tests.infra.confidence import made
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka
PARTITIONS = 2
NOW = int(time.time() * 1000)
ADAPTER = f"{made.BOT}@v2"


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    """Topics whose records have the times that the writer gives them."""
    topics = dict.fromkeys(("chat.scored", "review.outcomes"), PARTITIONS) | {"loop.policy": 1, "loop.calibration": 1}
    kafka.create_all(
        {prefix + name: count for name, count in topics.items()},
        message_timestamp_type="CreateTime",
        retention_ms=str(30 * DAY_MS),
    )
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=PARTITIONS)


def put(cluster: Cluster, *records: tuple[str, Event | bytes, str, int]) -> None:
    client = producer(cluster)
    for topic, event, key, at in records:
        value = event if isinstance(event, bytes) else encode(event)
        client.produce(cluster.topic(topic), value, key, timestamp=at)
    client.flush(10)


def audit(number: int) -> tuple[str, Event, str, int]:
    stated: dict[str, Any] = {
        "id": f"x{number}",
        "bot": made.BOT,
        "created": now(),
        "conversation": f"c{number}",
        "adapter": ADAPTER,
        "source": "live",
        "signals": {"qa_cosine": 1.0},
        "confidence": 0.9,
        "route": "audit",
        "reasons": ("audit",),
        "policy": 1,
        "calibration": 1,
    }
    return "chat.scored", Scored(**stated), f"c{number}", NOW - 500_000 + number


def approved(number: int, bot: str = made.BOT) -> tuple[str, Event, str, int]:
    stated: dict[str, Any] = {
        "id": f"x{number}",
        "bot": bot,
        "created": now(),
        "exchange": f"x{number}",
        "status": "labelled",
        "origin": "approved",
        "round": 0,
        "judgments": (),
    }
    return "review.outcomes", Outcome(**stated), f"x{number}", NOW - 400_000 + number


def earned(state: State) -> Event:
    policy = state.policy
    assert policy is not None
    claims, evidence = claims_of(state, policy, ADAPTER, NOW)
    claim = best(claims)
    assert claim is not None
    return certificate(made.BOT, ADAPTER, claim, evidence, policy)


def test_a_certificate_is_recounted_from_the_log_and_a_bent_one_is_found(cluster: Cluster) -> None:
    put(
        cluster,
        ("loop.policy", made.policy(), made.BOT, NOW - 600_000),
        ("loop.calibration", made.calibration(), made.BOT, NOW - 590_000),
        *map(audit, range(300)),
        *map(approved, range(300)),
        approved(301, "another"),
        ("chat.scored", b"\xffgarbage", "c1", NOW),
        ("review.outcomes", b"{}", "x1", NOW),
    )
    seen: list[tuple[int, int]] = []
    state = read_state(cluster, made.BOT, lambda done, total: seen.append((done, total)))
    assert (len(state.evidence.known), len(state.evidence.settled)) == (300, 300)
    assert seen[-1][0] == seen[-1][1] == 605

    put(cluster, ("loop.calibration", earned(state), made.BOT, NOW))
    (honest,) = verify(read_state(cluster, made.BOT), lost_before(cluster))
    assert (honest.finding, honest.stands) == ("holds", True)

    bent = msgspec.structs.replace(earned(state), id="bent", audits=999)
    put(cluster, ("loop.calibration", bent, made.BOT, NOW))
    assert [one.finding for one in verify(read_state(cluster, made.BOT), lost_before(cluster))] == ["holds", "fails"]
