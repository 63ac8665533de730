"""When a broker is ready: not when its port opens, but when it would do what clients ask."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from teachback.infra.kafka.errors import StartError

PAUSE_S = 0.1
ANSWER_S = 2.0


def wait_ready(bootstrap: str, timeout_s: float, ended: Callable[[], str | None]) -> None:
    """Return once the broker would create a topic and every partition that exists has a leader.

    `ended` says why the broker's process ended, or None while it runs. Raises StartError then, and after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    client = AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,  # refused connections are what waiting looks like
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 200,
        }
    )
    why = "it has not been asked"
    while time.monotonic() < deadline:
        if reason := ended():
            raise StartError(f"Kafka did not start: {reason}")
        missing = unready(client)
        if missing is None:
            return
        why = missing
        time.sleep(PAUSE_S)
    raise StartError(f"Kafka at {bootstrap} was not ready within {timeout_s:g} s: {why}")


def unready(client: AdminClient) -> str | None:
    """What is missing, or None when the broker serves. Creates nothing: the topic is only validated."""
    try:
        topics = client.list_topics(timeout=ANSWER_S).topics
        leaderless = [name for name, topic in topics.items() for p in topic.partitions.values() if p.leader < 0]
        if leaderless:
            return f"{leaderless[0]} has a partition without a leader"
        probe = NewTopic("readiness-probe", num_partitions=1, replication_factor=1)
        for answer in client.create_topics([probe], validate_only=True, request_timeout=ANSWER_S).values():
            answer.result(ANSWER_S * 2)
    except (KafkaException, TimeoutError) as error:
        return str(error)
    return None
