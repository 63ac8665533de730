"""The desk's writer on a real Kafka: who was replaced commits nothing, is told so each time, and disturbs nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from teachback.consumers.desk.errors import DeskError, Superseded, WriterFailed
from teachback.consumers.desk.writer import VerdictWriter
from teachback.schemas.log import Tail
from teachback.schemas.review import Verdict
from teachback.schemas.wire import Cluster, encode, producer
from tests.consumers.desk.making import BOT
from tests.kafka_fixture import KafkaCluster
from tests.streams.consensus.samples import verdict

pytestmark = pytest.mark.kafka
PATIENCE_SECONDS = 30.0


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    kafka.create(f"{prefix}review.verdicts", 4)
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix)


class Desk:
    """A writer that is open, and what it said to the desk that it belongs to."""

    def __init__(self, cluster: Cluster) -> None:
        self.failures: list[DeskError] = []
        self.writer = VerdictWriter(cluster, BOT, self.failures.append)
        self.writer.open()

    def write(self, *verdicts: Verdict) -> None:
        for written in [self.writer.submit(each) for each in verdicts]:
            written.result(PATIENCE_SECONDS)


Desks = Callable[[], Desk]


@pytest.fixture
def desk(cluster: Cluster) -> Iterator[Desks]:
    """Opens writers one after the other; all are closed at the end."""
    opened: list[Desk] = []

    def start() -> Desk:
        opened.append(Desk(cluster))
        return opened[-1]

    yield start
    for each in opened:
        each.writer.close()


def written(cluster: Cluster) -> list[str]:
    """The ids of all committed verdicts."""
    with Tail(cluster, "review.verdicts", (Verdict,)) as tail:
        ids = [record.event.id for record in tail.catch_up() if record.event is not None]
        assert tail.bad == 0
    return sorted(ids)


def test_a_replaced_writer_commits_nothing_and_refuses_everything_and_its_successor_goes_on(
    cluster: Cluster, desk: Desks
) -> None:
    mine, late, later, theirs = (verdict("a", name, "x1") for name in ("ana", "bo", "cem", "dora"))
    sleeper = desk()
    sleeper.write(mine)
    successor = desk()
    for each in (late, later, late):
        with pytest.raises(Superseded, match="taken over"):
            sleeper.write(each)
    assert [type(failure) for failure in sleeper.failures] == [Superseded]
    successor.write(theirs, late)
    assert successor.failures == []
    assert written(cluster) == sorted([mine.id, theirs.id, late.id])


def test_who_waits_hears_of_the_failure_after_the_desk_has(cluster: Cluster) -> None:
    """So a desk refuses everything before any client can answer to the refusal."""
    order: list[str] = []
    writer = VerdictWriter(cluster, BOT, lambda _: order.append("the desk"))
    writer.open()
    Desk(cluster).writer.close()
    late = writer.submit(verdict("a", "ana", "x1"))
    late.add_done_callback(lambda _: order.append("who waits"))
    assert isinstance(late.exception(PATIENCE_SECONDS), Superseded)
    writer.close()
    assert order == ["the desk", "who waits"]


@pytest.mark.parametrize("more", [(), (0,), (1,)], ids=["then commits", "writes more", "writes to another partition"])
def test_a_transaction_left_open_is_aborted_by_the_successor_and_its_owner_cannot_take_over_again(
    cluster: Cluster, desk: Desks, more: tuple[int, ...]
) -> None:
    """An abort may lead to a new epoch, and that would fence the successor: the owner must not get one."""
    topic = cluster.topic("review.verdicts")
    sleeper = owner(cluster)
    sleeper.begin_transaction()
    sleeper.produce(topic, encode(verdict("a", "ana", "x1")), b"x1", 0)
    assert sleeper.flush(PATIENCE_SECONDS) == 0
    successor = desk()
    kept, after = verdict("a", "bo", "x1"), verdict("a", "cem", "x1")
    successor.write(kept)
    for partition in more:
        sleeper.produce(topic, encode(verdict("a", "dora", "x1")), b"x1", partition)
    errors = [
        refused(step) for step in (sleeper.commit_transaction, sleeper.abort_transaction, sleeper.init_transactions)
    ]
    assert errors[0].fatal()
    assert not any(error.txn_requires_abort() for error in errors)
    successor.write(after)
    assert written(cluster) == sorted([kept.id, after.id])


def owner(cluster: Cluster) -> Producer:
    """A producer that owns the desk's transactional id, for now."""
    opened = producer(cluster, {"transactional.id": f"{cluster.prefix}desk-{BOT}", "linger.ms": 0})
    opened.init_transactions(PATIENCE_SECONDS)
    return opened


def refused(step: Callable[[float], None]) -> KafkaError:
    """Why a step of a transaction fails."""
    with pytest.raises(KafkaException) as raised:
        step(PATIENCE_SECONDS)
    error: KafkaError = raised.value.args[0]
    return error


def test_a_writer_that_breaks_down_leaves_nobody_without_an_answer(
    cluster: Cluster, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> bytes:
        raise BufferError("no room")

    one = desk()
    monkeypatch.setattr("teachback.consumers.desk.writer.encode", broken)
    for _ in range(2):
        with pytest.raises(WriterFailed, match="BufferError: no room"):
            one.write(verdict("a", "ana", "x1"))
    assert [type(failure) for failure in one.failures] == [WriterFailed]
