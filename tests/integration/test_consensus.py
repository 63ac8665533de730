"""Consensus on a real Kafka: every verdict counted once and every agreement labelled once, whatever is killed."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from teachback.schemas import Outcome, Verdict
from teachback.schemas.wire import TopicMismatch, consumer, decode, encode, headers, producer
from teachback.streams.consensus import run
from teachback.streams.consensus.decide import Sameness
from teachback.streams.consensus.errors import BadState, Fenced, NoEmbedder
from teachback.streams.consensus.fold import fold
from teachback.streams.consensus.processor import Processor
from teachback.streams.consensus.settings import ConsensusSettings
from teachback.streams.consensus.transaction import PartitionWriter
from tests.integration.consensus_bench import PATIENCE_SECONDS, Bench
from tests.integration.consensus_process import start
from tests.kafka_fixture import KafkaCluster
from tests.stall import stall, wake
from tests.streams.consensus.samples import BOT_ANSWER, ByLetter, verdict

pytestmark = pytest.mark.kafka


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> Bench:
    return Bench(kafka, prefix, tmp_path)


Members = Callable[..., Processor]


@pytest.fixture
def member() -> Iterator[Members]:
    """Processors in this process, which the test steps by hand; those left are closed at the end."""
    made: list[Processor] = []

    def make(settings: ConsensusSettings, sameness: Sameness | None = None) -> Processor:
        made.append(Processor(settings, sameness or ByLetter()))
        return made[-1]

    yield make
    for each in made:
        each.close()


def step_until(processor: Processor, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "the processor did not get there"
        processor.step()


def step_through(processor: Processor, records: int) -> None:
    """Until it has committed the answers to that many records."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while records > 0:
        assert time.monotonic() < deadline, f"{records} records were not read"
        records -= processor.step()


# killed and stalled


def test_every_verdict_is_counted_once_across_kill_9(bench: Bench) -> None:
    lot = random.Random(7)
    processes = [start(bench.settings(batch=7), bench.log) for _ in range(2)]
    try:
        for turn in range(3):
            bench.send(bench.script(60, seed=turn))
            bench.wait_counted(len(bench.sent) - lot.randrange(60, 120))  # somewhere in the middle
            victim = processes.pop(0)
            victim.kill()
            victim.wait()
            processes.append(start(bench.settings(batch=7), bench.log))
        bench.wait_counted(len(bench.sent))
        assert [process.poll() for process in processes] == [None, None]  # no rebalance brought down a healthy one
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert bench.problems() == []


def test_a_zombie_and_its_successor_count_every_verdict_once(bench: Bench) -> None:
    zombie = start(bench.settings(batch=7), bench.log)
    processes = [zombie]
    try:
        bench.send(bench.script(200, seed=1))
        bench.wait_counted(1)
        stall(zombie)  # with most of it still to do, past the session timeout
        processes.append(start(bench.settings(), bench.log))
        bench.wait_counted(len(bench.sent))
        bench.send(bench.script(40, seed=2))
        wake(zombie)
        bench.wait_counted(len(bench.sent))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert bench.problems() == []


def test_a_zombies_transaction_is_never_seen_and_holds_up_nobody(bench: Bench, member: Members) -> None:
    """Its transaction would stay open for ten minutes: longer than anyone here waits."""
    bench.send([verdict("a", "ana", "x1")])
    settings = bench.settings()
    names = [f"{bench.cluster.prefix}{settings.group}-{n}" for n in range(bench.cluster.partitions)]
    zombies = [producer(bench.cluster, {"transactional.id": name, "transaction.timeout.ms": 600_000}) for name in names]
    for number, zombie in enumerate(zombies):
        zombie.init_transactions(30)
        zombie.begin_transaction()
        zombie.produce(bench.cluster.topic("review.outcomes"), b"a zombie's", b"x1", number)
        assert zombie.flush(30) == 0
    processor = member(settings)
    step_through(processor, 1)
    for zombie in zombies:
        with pytest.raises(KafkaException, match="_FENCED"):
            zombie.commit_transaction(30)
    bench.expected = {"x1": None}
    assert bench.problems() == []


def test_who_is_fenced_stops_and_the_next_one_goes_on(bench: Bench, member: Members) -> None:
    """Whoever fences, even one that is not the owner any more and woke up late."""
    bench.send([verdict("a", "ana", "x1")])
    processor = member(bench.settings())
    step_through(processor, 1)
    for number in range(4):
        PartitionWriter(bench.cluster, f"{bench.cluster.prefix}consensus-{number}", "consensus", timeout=10)
    bench.send([verdict("a", "bo", "x1")])
    with pytest.raises(Fenced):
        step_until(processor, lambda: False)
    processor.close()
    step_through(member(bench.settings()), 1)
    bench.expected = {"x1": BOT_ANSWER}
    assert bench.problems() == []


# the checker notices


def naive(bench: Bench, crash: Callable[[int], bool], *, offsets_first: bool) -> None:
    """What the processor would be without transactions; it stops where `crash` says, given how many labels it wrote."""
    reader = consumer(bench.cluster, "naive", {"enable.partition.eof": True})
    writer = producer(bench.cluster)
    reader.assign([TopicPartition(bench.cluster.topic("review.verdicts"), 0)])  # from the committed offset
    outcomes = {outcome.exchange: outcome for _, outcome in bench.outcomes()}
    labels = 0
    try:
        for message in _messages(reader):
            if offsets_first:
                reader.commit(message=message, asynchronous=False)
                if crash(labels):
                    return
            each = decode(message.value(), Verdict)
            outcome, label = fold(outcomes.get(each.exchange), each, ByLetter())
            if label is not None:
                writer.produce(bench.cluster.topic("labels.approved"), encode(label), label.id)
                labels += 1
            writer.flush()
            if crash(labels):
                return
            if outcome is not outcomes.get(each.exchange):
                writer.produce(
                    bench.cluster.topic("review.outcomes"), encode(outcome), each.exchange, message.partition() or 0
                )
                writer.flush()
            outcomes[each.exchange] = outcome
            if not offsets_first:
                reader.commit(message=message, asynchronous=False)
    finally:
        reader.close()


def _messages(reader: Consumer) -> Iterator[Message]:
    """Messages up to the end."""
    while True:
        if (message := reader.poll(1.0)) is not None:
            if message.error() is not None:
                return
            yield message


@pytest.mark.parametrize(
    ("offsets_first", "noticed"),
    [(False, "is there 2 times"), (True, "counted")],
    ids=["labels before offsets", "offsets before labels"],
)
def test_control_the_checker_notices_what_a_naive_processor_does(
    kafka: KafkaCluster, prefix: str, tmp_path: Path, offsets_first: bool, noticed: str
) -> None:
    bench = Bench(kafka, prefix, tmp_path, partitions=1)
    bench.send(bench.script(10, seed=3))
    naive(bench, crash=lambda labels: labels >= 2, offsets_first=offsets_first)
    naive(bench, crash=lambda _: False, offsets_first=offsets_first)
    assert any(noticed in problem for problem in bench.problems())


# what is written


def test_outcomes_are_in_the_partition_of_their_verdicts_and_carry_headers(bench: Bench, member: Members) -> None:
    bench.send(bench.script(40, seed=4))
    step_through(member(bench.settings()), len(bench.sent))
    verdicts = {decode(m.value(), Verdict).exchange: m.partition() for m in _read(bench, "review.verdicts")}
    outcomes = _read(bench, "review.outcomes")
    assert len({m.partition() for m in outcomes}) == 4
    for message in outcomes:
        event = decode(message.value(), Outcome)
        assert message.key() == event.exchange.encode()
        assert message.partition() == verdicts[event.exchange]
        assert message.headers() == headers(event, "consensus")
    assert {m.key() for m in _read(bench, "labels.approved")} == {label.id.encode() for label in bench.labels()}
    assert bench.problems() == []


def test_each_bad_verdict_becomes_one_dead_letter_and_its_neighbours_count(bench: Bench, member: Members) -> None:
    good = verdict("a", "ana", "x1")
    bad: list[tuple[bytes | None, bytes | None]] = [
        (b"garbage", b"x1"),
        (None, b"x1"),  # a tombstone
        (b"\xff\xfe", None),
        (encode(good), b"x2"),  # another's key
        (encode(good).replace(b"verdict/1", b"verdict/9"), b"x1"),
        (encode(good).replace(good.id.encode(), b"v1"), b"x1"),
        (encode(verdict("a", "eve", "x1")).replace(b'"bot":"', b'"bot":"not-'), b"x1"),  # another bot's exchange
    ]
    bench.send([good])
    for value, key in bad:
        bench.send_raw(value, key, [("traceparent", b"00-1-1-00")])
    bench.send([verdict("a", "bo", "x1"), verdict("a", "cem", "x2")])
    bench.expected = {"x1": good.request.answer, "x2": None}
    step_through(member(bench.settings()), 3 + len(bad))
    letters = _letters(bench)
    assert sorted((m.value() or b"", m.key() or b"") for m in letters) == sorted((v or b"", k or b"") for v, k in bad)
    for message in letters:
        found = dict(message.headers() or [])
        assert found["dlq_reason"]
        source = found["dlq_source"]
        assert isinstance(source, bytes)
        assert re.fullmatch(rf"{bench.cluster.topic('review.verdicts')}:\d:\d+", source.decode())
    assert bench.problems() == []


class Stumbling(ByLetter):
    """Meets a text that it cannot read."""

    def same(self, one: str, other: str, /) -> bool:
        raise KeyError(one)


def test_texts_that_cannot_be_compared_ask_for_a_third_opinion_and_stop_nobody(bench: Bench, member: Members) -> None:
    bench.send([verdict("e:one", "ana", "x1"), verdict("e:one", "bo", "x1"), verdict("a", "cem", "x2")])
    processor = member(bench.settings(), Stumbling())
    step_through(processor, 3)
    (last,) = [m for m in _read(bench, "review.outcomes") if m.key() == b"x1"][-1:]
    outcome = decode(last.value(), Outcome)
    assert (outcome.status, outcome.need, len(outcome.judgments)) == ("open", "reviewer", 2)


def _letters(bench: Bench) -> list[Message]:
    return _read(bench, "review.verdicts.dlq")


def _read(bench: Bench, topic: str) -> list[Message]:
    """Every committed message of a topic as it is."""
    reader = consumer(bench.cluster, f"read-{topic}", {"enable.partition.eof": True})
    parts = [TopicPartition(bench.cluster.topic(topic), n, 0) for n in range(bench.cluster.partitions)]
    reader.assign(parts)
    messages, ends = [], 0
    while ends < len(parts):
        for message in reader.consume(1000, 0.2):
            if message.error() is None:
                messages.append(message)
            else:
                ends += 1
    reader.close()
    return messages


# state


def test_a_processor_with_nothing_local_goes_on_where_the_last_one_was(bench: Bench, member: Members) -> None:
    verdicts = bench.script(30, seed=5)
    middle = len(verdicts) // 2
    bench.send(verdicts[:middle])
    first = member(bench.settings())
    step_through(first, middle)
    held = {number: dict(partition.outcomes) for number, partition in first._partitions.items()}
    first.close()
    second = member(bench.settings())
    step_until(second, lambda: len(second._partitions) == 4)
    assert {number: partition.outcomes for number, partition in second._partitions.items()} == held
    bench.send(verdicts[middle:])
    step_through(second, len(verdicts) - middle)
    assert bench.problems() == []


def test_verdicts_read_again_from_the_beginning_change_nothing(bench: Bench, member: Members) -> None:
    """As when the group's offsets expired or were reset: the outcomes know whom they have counted."""
    bench.send(bench.script(20, seed=6))
    first = member(bench.settings())
    step_through(first, len(bench.sent))
    first.close()
    step_through(member(bench.settings(group="another")), len(bench.sent))
    assert bench.problems() == []


def test_an_unreadable_outcome_stops_the_processor(bench: Bench, member: Members) -> None:
    writer = producer(bench.cluster)
    writer.produce(bench.cluster.topic("review.outcomes"), b"{}", b"x1")
    writer.flush()
    processor = member(bench.settings())
    with pytest.raises(BadState, match="no outcomes of this release"):
        step_until(processor, lambda: False)


def test_members_share_the_partitions_and_take_over_from_one_that_leaves(bench: Bench, member: Members) -> None:
    one, two = member(bench.settings()), member(bench.settings())
    step_until(one, lambda: two.step() == 0 and len(one._partitions) == len(two._partitions) == 2)
    assert one._partitions.keys() | two._partitions.keys() == {0, 1, 2, 3}
    one.close()
    bench.send(bench.script(20, seed=8))
    step_through(two, len(bench.sent))
    assert bench.problems() == []


# start and stop


def test_sigterm_ends_it_with_0(bench: Bench) -> None:
    process = start(bench.settings(), bench.log)
    bench.send([verdict("a", "ana", "x1")])
    bench.wait_counted(1)
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0


def test_it_refuses_to_start_without_its_topics(kafka: KafkaCluster, bench: Bench, prefix: str) -> None:
    del prefix
    other = Bench.settings(bench)
    wrong = ConsensusSettings(
        bot="harbour",
        cluster=type(bench.cluster)(bootstrap=kafka.bootstrap, prefix=bench.cluster.prefix, partitions=5),
        embedder=other.embedder,
    )
    with pytest.raises(TopicMismatch, match="has 4 partitions, not 5"):
        Processor(wrong, ByLetter())


def test_it_refuses_to_start_without_its_embedder(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(NoEmbedder, match="nowhere"):
        run(bench.settings(embedder=tmp_path / "nowhere"))
