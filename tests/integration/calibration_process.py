"""A calibration process of its own, to be killed, and the topics for it.

`python -m tests.integration.calibration_process SETTINGS POINT` (JSON, and a name of `POINTS` or nothing): at that
point it kills itself by SIGKILL.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from teachback.schemas import Calibration, Certificate, Outcome, Policy, Promise, Scored
from teachback.schemas.event import Event, now
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster, encode, headers, producer
from teachback.streams.calibration import process
from teachback.streams.calibration.settings import CalibrationSettings
from teachback.streams.guarantee import alpha_of, missing, side
from tests.kafka_fixture import KafkaCluster
from tests.streams.calibration.test_evidence import outcome, scored

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
TARGET = 0.3  # lax, so that few audits are enough
ENOUGH = missing(0, 0, TARGET, alpha_of(1, 0.05))
CERTIFY = [id_ for id_ in (f"a{number}" for number in range(1000)) if side(id_) == "certify"]
Point = Literal["in the transaction", "after publishing"]
TOPIC_OF: dict[type[Event], str] = {
    Scored: "chat.scored",
    Outcome: "review.outcomes",
    Policy: "loop.policy",
    Calibration: "loop.calibration",
    Certificate: "loop.calibration",
}


class Bench:
    """The topics of one test, what is sent to them, and what came of it."""

    def __init__(self, kafka: KafkaCluster, prefix: str, folder: Path) -> None:
        soon = {"fetch.wait.max.ms": "20"}  # the end of a partition is told after so long, and tests ask for it often
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=2, options=soon)
        self.log = folder / "calibration.log"
        topics = {self.cluster.topic(name): self.cluster.partitions_of(name) for name in set(TOPIC_OF.values())}
        kafka.create_all(topics, message_timestamp_type="LogAppendTime")
        self._producer = producer(self.cluster)
        self.settings = CalibrationSettings(bot="demo", cluster=self.cluster, every_seconds=0.1)

    def send(self, *events: Event | None) -> None:
        """Each on its topic; all are delivered in the end."""
        for event in events:
            assert event is not None
            key = getattr(event, "exchange", event.id) if isinstance(event, Scored | Outcome) else event.bot
            self._producer.produce(
                self.cluster.topic(TOPIC_OF[type(event)]), encode(event), key, headers=[*headers(event, "test")]
            )
        assert self._producer.flush(30) == 0

    def send_raw(self, name: str, value: bytes | None, key: str = "k") -> None:
        self._producer.produce(self.cluster.topic(name), value, key)
        assert self._producer.flush(30) == 0

    def ask(self, **fields: Any) -> None:
        """Publish a policy with a promise."""
        given: dict[str, Any] = {"bot": "demo", "version": 1, "threshold": 0.8, "audit_rate": 0.1}
        promised = {"audit_salt": "salt-salt", "promise": Promise(target=TARGET, steps=5)}
        self.send(Policy(id="p", created=now(), **(given | promised | fields)))

    def review(self, count: int = 60) -> None:
        """Reviewed answers that are right exactly when the cosine is above a half."""
        cosines = [number / count for number in range(count)]
        asked = [scored(f"r{n}", route="review", signals={"qa_cosine": c}) for n, c in enumerate(cosines)]
        self.send(*(record.event for record in asked))
        self.send(*(outcome(f"r{n}", c > 0.5).event for n, c in enumerate(cosines)))

    def audit(self, ids: list[str], *, acceptable: bool = True, policy: int = 1) -> None:
        """Settled audits of trusted answers."""
        self.send(*(scored(id_, policy=policy, signals={"qa_cosine": 0.95}).event for id_ in ids))
        self.send(*(outcome(id_, acceptable).event for id_ in ids))

    def published(self) -> list[Record[Calibration | Certificate]]:
        """All that stands on `loop.calibration`."""
        with Tail[Calibration | Certificate](self.cluster, "loop.calibration", (Calibration, Certificate)) as tail:
            return list(tail.catch_up())

    def names(self) -> list[str]:
        """That, in a word or two each."""
        events = [record.event for record in self.published()]
        return [
            f"version {event.version}" if isinstance(event, Calibration) else f"{event.state} {event.attempt}"
            for event in events
            if event is not None
        ]

    def start(self, point: Point | Literal[""] = "") -> subprocess.Popen[bytes]:
        """A process of its own; its log is appended to `log`."""
        command = [sys.executable, "-m", "tests.integration.calibration_process"]
        with self.log.open("ab") as file:
            given = msgspec.json.encode(self.settings).decode()
            return subprocess.Popen([*command, given, point], cwd=ROOT, stderr=file)


def wait_until(done: Callable[[], bool]) -> None:
    """Patiently: how long it takes is not what is tested."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


class Doomed:
    """A producer that dies when it should commit: all is written, nothing of it holds."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit_transaction(self, *_: Any) -> None:
        self._inner.flush(30)
        os.kill(os.getpid(), signal.SIGKILL)


def _killed_at(point: str) -> None:
    make = process._fencing_producer
    if point == "in the transaction":
        process._fencing_producer = lambda settings: Doomed(make(settings))  # type: ignore[assignment,return-value]
    else:
        process.Calibrator._read_back = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    if sys.argv[2]:
        _killed_at(sys.argv[2])
    process.run(msgspec.json.decode(sys.argv[1], type=CalibrationSettings))
