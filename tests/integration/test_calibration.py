"""The calibration process on a real Kafka: one writer, each event once, whatever is killed and whatever it reads."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from teachback.schemas import Calibration, Certificate, Rule
from teachback.schemas.wire import TopicMismatch
from teachback.streams.calibration.process import CalibrationError, Calibrator, run
from teachback.streams.calibrations import Calibrations, in_force
from teachback.streams.policies import Policies
from tests.integration.calibration_process import (
    CERTIFY,
    ENOUGH,
    PATIENCE_SECONDS,
    TOPIC_OF,
    Bench,
    Point,
    wait_until,
)
from tests.kafka_fixture import KafkaCluster
from tests.streams.calibration.test_evidence import outcome, scored

pytestmark = pytest.mark.kafka
Make = Callable[[], Calibrator]


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> Bench:
    return Bench(kafka, prefix, tmp_path)


@pytest.fixture
def calibrator(bench: Bench) -> Iterator[Make]:
    """Calibrators within this process, stepped by hand; all are closed at the end."""
    made: list[Calibrator] = []

    def make() -> Calibrator:
        made.append(Calibrator(bench.settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def rest(calibrator: Calibrator) -> list[Calibration | Certificate]:
    """What it publishes until nothing is due."""
    events: list[Calibration | Certificate] = []
    while (event := calibrator.step()) is not None:
        events.append(event)
        assert len(events) < 10, "it does not come to rest"
    return events


def test_reviewed_answers_become_a_calibration_and_audits_a_certificate_that_workers_take_up(
    bench: Bench, calibrator: Make
) -> None:
    bench.ask()
    writer, view = calibrator(), Calibrations(bench.cluster)
    assert rest(writer) == [] and view.refresh() == {}
    bench.review()
    (first,) = rest(writer)
    bench.audit(CERTIFY[: ENOUGH - 1])
    assert rest(writer) == []
    bench.audit(CERTIFY[ENOUGH - 1 : ENOUGH])
    (proof,) = rest(writer)
    assert isinstance(first, Calibration) and first.version == 1
    assert isinstance(proof, Certificate) and (proof.audits, proof.errors, proof.calibration) == (ENOUGH, 0, 1)
    policies = Policies(bench.cluster)
    found = in_force(view.refresh()["demo"], policies.known["demo"], "base")
    assert (found.certificate, found.threshold, found.weights.version) == (proof.id, proof.threshold, 1)
    assert [record.event for record in bench.published()] == [first, proof]
    assert rest(calibrator()) == []  # another one, started later, finds nothing to add
    view.close()
    policies.close()


def test_a_change_of_rules_and_back_costs_a_share_of_alpha_and_brings_the_proof_back(
    bench: Bench, calibrator: Make
) -> None:
    bench.ask()
    bench.review()
    writer = calibrator()
    assert [type(event) for event in rest(writer)] == [Calibration]
    bench.audit(CERTIFY[:ENOUGH])
    assert [type(event) for event in rest(writer)] == [Certificate]
    bench.ask(version=2, rules=(Rule(name="fees", topic="fees"),))
    bench.audit(CERTIFY[100 : 100 + 2 * ENOUGH], policy=2)
    assert [getattr(event, "attempt", None) for event in rest(writer)] == [2]
    bench.ask(version=3)
    assert [getattr(event, "attempt", None) for event in rest(writer)] == [1]
    bench.audit(CERTIFY[300:340], policy=3, acceptable=False)
    assert [getattr(event, "state", None) for event in rest(calibrator())] == ["withdrawn"]
    assert bench.names() == ["version 1", "certified 1", "certified 2", "certified 1", "withdrawn 1"]


def test_who_is_fenced_publishes_nothing_and_the_successor_each_event_once(bench: Bench, calibrator: Make) -> None:
    zombie = calibrator()
    successor = calibrator()
    bench.ask()
    bench.review()
    with pytest.raises(CalibrationError, match="was not published"):
        zombie.step()
    assert bench.names() == []
    assert [type(event) for event in rest(successor)] == [Calibration]
    bench.audit(CERTIFY[:ENOUGH])
    assert [type(event) for event in rest(successor)] == [Certificate]
    assert zombie.step() is None  # it has read what the other one wrote
    bench.audit(CERTIFY[100:140], acceptable=False)
    with pytest.raises(CalibrationError):
        zombie.step()
    assert bench.names() == ["version 1", "certified 1"]


def test_each_version_stands_once_across_kill_9_before_and_after_every_commit(bench: Bench) -> None:
    bench.ask()
    bench.review()
    kills: tuple[tuple[Point, list[str]], ...] = (
        ("in the transaction", []),
        ("after publishing", ["version 1"]),
        ("in the transaction", ["version 1"]),
        ("after publishing", ["version 1", "certified 1"]),
    )
    for number, (point, stands) in enumerate(kills):
        if number == 2:
            bench.audit(CERTIFY[:ENOUGH])
        assert bench.start(point).wait(PATIENCE_SECONDS) == -signal.SIGKILL, bench.log.read_text()[-4000:]
        wait_until(lambda stands=stands: bench.names() == stands)  # type: ignore[misc]
    last = bench.start()
    try:
        bench.audit(CERTIFY[100:140], acceptable=False)
        wait_until(lambda: len(bench.names()) > 2)
        last.terminate()
        assert last.wait(PATIENCE_SECONDS) == 0
    finally:
        last.kill()
        last.wait()
    assert bench.names() == ["version 1", "certified 1", "withdrawn 1"]


def test_garbage_tombstones_repetitions_and_other_bots_on_every_topic_do_not_stop_it(
    bench: Bench, calibrator: Make
) -> None:
    def litter() -> None:
        for name in set(TOPIC_OF.values()):
            for value in (b"\xff\xfe", b"{}", b'{"event": "scored/1"}', b"", None):
                bench.send_raw(name, value)

    litter()
    bench.ask()
    bench.ask(version=7)
    bench.ask(bot="other")
    bench.send(scored("x", signals={"qa_cosine": -1.7e308, "entropy": 1.7e308}, route="review").event)
    bench.send(outcome("x", False).event)
    for _ in range(2):
        bench.review()
    bench.send_raw("review.outcomes", None, "r0")
    writer = calibrator()
    litter()
    events = rest(writer)
    for _ in range(2):
        bench.audit(CERTIFY[:ENOUGH])
    litter()
    events += rest(writer)
    assert [type(event) for event in events] == [Calibration, Certificate]
    assert isinstance(events[0], Calibration) and events[0].labels == 60  # of 61 one was erased
    assert isinstance(events[1], Certificate)
    bench.send(msgspec.structs.replace(events[1], id="lost", calibration=9))
    litter()
    assert rest(writer) == [] and rest(calibrator()) == []
    assert set(writer.state.policies) == {1}


def test_it_refuses_to_start_without_its_topics(bench: Bench, kafka: KafkaCluster) -> None:
    admin: AdminClient = kafka.admin
    topic = bench.cluster.topic("loop.policy")
    admin.delete_topics([topic])[topic].result(30)
    wait_until(lambda: topic not in admin.list_topics(timeout=10).topics)
    with pytest.raises(TopicMismatch, match=r"loop\.policy"):
        run(bench.settings)
