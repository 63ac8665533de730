"""All the bad input there is, through one real scoring worker: a decision or a dead letter each, and it works on.

`python -m tests.integration.test_bad_input CLUSTER` (JSON) is that worker; its embedder fails two times in three.
"""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from confluent_kafka import Consumer, TopicPartition

from teachback.schemas import Policy, ReviewRequest, Rule, Scored
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, consumer, encode, producer
from teachback.streams.batches import Leg, StreamSettings, make_app, run
from teachback.streams.calibrations import Calibrations
from teachback.streams.policies import Policies
from teachback.streams.scoring import Scorer
from teachback.streams.signals.similarity import Vectors
from tests.integration.calibration_process import ROOT, wait_until
from tests.integration.scoring_process import GROUP
from tests.kafka_fixture import KafkaCluster
from tests.streams.bad_input import BAD, GOOD, PLAIN, changed, said
from tests.streams.test_scoring import POLICY, exchange

pytestmark = pytest.mark.kafka
PARTITIONS = 2
TOPICS = ("chat.exchanges", "chat.exchanges.dlq", "chat.scored", "review.requests", "loop.policy", "loop.calibration")
SLOW = tuple(Rule(name=f"slow {n}", pattern=pattern) for n, pattern in enumerate((r"(a+)+$", r"\s+$", r"(.*a){30}z")))
HEALTHY = 20


def policy() -> Policy:
    """One whose patterns backtrack: it came past the command that refuses them."""
    return msgspec.structs.replace(POLICY, rules=SLOW)


def odd() -> dict[str, bytes]:
    """Id → an odd exchange: those of the unit tests, and questions against the policy's rules."""
    named = {f"g{number}": value for number, value in enumerate(GOOD.values())}
    plain = f'"id": "{PLAIN["id"]}"'.encode()
    found = {name: value.replace(plain, f'"id": "{name}"'.encode(), 1) for name, value in named.items()}
    slow = {f"s{n}": text for n, text in enumerate(("a" * 200_000 + "?", " " * 200_000 + "x", "ab" * 100_000))}
    return found | {name: changed(id=name, messages=said(text)) for name, text in slow.items()}


def test_each_gives_a_decision_or_a_dead_letter_and_the_worker_scores_on(
    kafka: KafkaCluster, prefix: str, tmp_path: Path
) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=PARTITIONS)
    topics = {cluster.topic(name): cluster.partitions_of(name) for name in TOPICS}
    kafka.create_all(topics, message_timestamp_type="LogAppendTime")
    out, source = producer(cluster), cluster.topic("chat.exchanges")
    out.produce(cluster.topic("loop.policy"), encode(policy()), POLICY.bot)
    good, bad = odd(), [value for value, _ in BAD.values()]
    for value in itertools.chain.from_iterable(itertools.zip_longest(good.values(), bad)):
        if value is not None:
            out.produce(source, value, b"\xff not a name")
    out.produce(source, None, b"a tombstone")
    assert out.flush(30) == 0
    log = tmp_path / "log"
    command = [sys.executable, "-m", "tests.integration.test_bad_input", msgspec.json.encode(cluster).decode()]
    with log.open("wb") as file, Outcome(cluster) as came:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
        try:
            wait_until(lambda: came.letters() > len(bad) and came.decided() >= len(good))
            healthy = [exchange(f"h{number}", conversation=f"c{number}") for number in range(HEALTHY)]
            for event in healthy:
                out.produce(source, encode(event), event.conversation)
            assert out.flush(30) == 0
            wait_until(lambda: came.decided() >= len(good) + HEALTHY)
            assert process.poll() is None, log.read_text()[-5000:]
            process.terminate()
            assert process.wait(30) == 0, log.read_text()[-5000:]
        finally:
            process.kill()
            process.wait()
        came.settle()
    ids = {msgspec.json.decode(value)["id"] for value in good.values()} | {event.id for event in healthy}
    assert sorted(event.id for event in came.scores) == sorted(ids)
    assert sorted(came.asked) == sorted(event.id for event in came.scores if event.route != "accept")
    assert len(came.reasons) == len(bad) + 1 and all(came.reasons)
    assert sorted(came.values) == sorted([*bad, b""])  # as they came
    undecided = {event.id for event in came.scores if any(said.startswith("undecided:") for said in event.reasons)}
    assert {"s0", "s1"} <= undecided and undecided.isdisjoint(event.id for event in healthy)
    assert "failed (logged once" in log.read_text()  # the embedder did


class Outcome:
    """What came out of the worker, as far as it was asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._scored = Tail(cluster, "chat.scored", (Scored,))
        self._requests = Tail(cluster, "review.requests", (ReviewRequest,))
        self._dead: Consumer = consumer(cluster, "dead")
        self._dead.assign([TopicPartition(cluster.topic("chat.exchanges.dlq"), p, 0) for p in range(PARTITIONS)])
        self.scores: list[Scored] = []
        self.asked: list[str] = []
        self.reasons: list[bytes] = []
        self.values: list[bytes] = []

    def decided(self) -> int:
        self.scores += [record.event for record in self._scored.poll(0.05) if record.event is not None]
        return len(self.scores)

    def letters(self) -> int:
        for message in self._dead.consume(1000, 0.05):
            assert message.error() is None
            self.values.append(bytes(message.value() or b""))
            self.reasons.append(bytes(dict(message.headers() or [])["dlq_reason"] or b""))
        return len(self.reasons)

    def settle(self) -> None:
        """Read the rest."""
        self.asked = [record.event.id for record in self._requests.catch_up() if record.event is not None]
        self.scores += [record.event for record in self._scored.catch_up() if record.event is not None]
        self.letters()

    def __enter__(self) -> Outcome:
        return self

    def __exit__(self, *_: object) -> None:
        self._scored.close()
        self._requests.close()
        self._dead.close()


class Failing:
    """An embedder that raises, gives no numbers, and works, by turns."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self._calls += 1
        if self._calls % 3 == 1:
            raise RuntimeError("out of memory, said the card")
        fill = np.nan if self._calls % 3 == 2 else 1.0
        return np.full((len(texts), 4), fill, dtype=np.float32)


def score(cluster: Cluster) -> None:
    """Score until SIGTERM, in small batches."""
    scorer = Scorer(cluster, Policies(cluster), Calibrations(cluster), Failing())
    settings = StreamSettings(cluster=cluster, group=GROUP, max_batch=20, session_timeout=6.0)
    run(make_app(settings, Leg(cluster.topic("chat.exchanges"), scorer.decode, scorer.handle)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    score(msgspec.json.decode(sys.argv[1], type=Cluster))
