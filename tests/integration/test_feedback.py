"""The feedback join on a real Kafka: exactly one item, whatever the order, the kills, the losses and the zombies."""

from __future__ import annotations

import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from teachback.consumers.desk import DeskSettings
from teachback.consumers.desk.state import DeskState
from teachback.schemas import Policy, ReviewRequest
from teachback.schemas.wire import TopicMismatch, decode, encode, headers, producer
from teachback.streams.feedback.batch import EXCHANGES, FEEDBACK, INPUTS, SCORED, Batch
from teachback.streams.feedback.beginning import Offsets, beginning
from teachback.streams.feedback.errors import Fenced, StoreTaken, TopicRecreated
from teachback.streams.feedback.process import Process
from teachback.streams.feedback.store import Store
from teachback.streams.feedback.turn import Answer
from tests.integration.feedback_process import PATIENCE_SECONDS, POINTS, Bench, step_until, usual, wait_until
from tests.kafka_fixture import KafkaCluster
from tests.stall import stall, wake
from tests.streams.feedback.samples import exchange, policy, scored, thumb

pytestmark = pytest.mark.kafka


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> Bench:
    return Bench(kafka, prefix, tmp_path)


Make = Callable[..., Process]


@pytest.fixture
def process(bench: Bench) -> Iterator[Make]:
    """Processes within this one, which the test steps by hand; all are closed at the end."""
    made: list[Process] = []

    def make(**settings: float) -> Process:
        made.append(Process(bench.settings(**settings)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def settled(bench: Bench, down: int) -> Callable[[], bool]:
    """Whether that many thumbs down have their fate."""
    return lambda: sum(bench.counts().values()) - bench.counts().get("up", 0) == 2 * down


def items(bench: Bench) -> dict[str, ReviewRequest]:
    """The queue, as the desk makes it of `review.requests`."""
    desk = DeskState(DeskSettings(bot="harbour", cluster=bench.cluster, reviewers=()))
    for message in bench.read("review.requests"):
        request = decode(message.value(), ReviewRequest)
        desk.note_request(request.id, request, message.timestamp()[1])
    return {name: item.request for name, item in desk.items.items() if item.request is not None}


# the order of the records


def test_one_request_whatever_the_order_of_exchange_decision_and_thumb(bench: Bench, process: Make) -> None:
    bench.send(usual(overlap=3))
    joining = process()
    orders = dict(enumerate(itertools.permutations(range(3))))
    for turn in range(3):
        for i, order in orders.items():
            bench.send((exchange(f"x{i}"), scored(f"x{i}"), thumb(f"x{i}"))[order[turn]])
        step_until(joining, lambda: joining.step() == 0)  # each turn is a batch of its own, or several
    step_until(joining, settled(bench, len(orders)))
    assert bench.asked() == [f"x{i}" for i in orders]
    assert bench.counts() == {"down": 6, "matched": 6}
    message = next(each for each in bench.read("review.requests") if each.key() == b"x0")
    event = decode(message.value(), ReviewRequest)
    assert message.headers() == headers(event, "feedback")
    assert (event.answer, event.route, event.reasons) == (exchange("x0").answer, "review", ("thumbs_down",))
    assert (event.confidence, event.overlap, event.created) == (0.9, 3, scored("x0").created)


def test_of_many_thumbs_each_has_its_fate(bench: Bench, process: Make) -> None:
    bench.send(usual())
    bench.send(exchange("a"), scored("a"), thumb("a"), thumb("a"), thumb("a", id_="again"), thumb("a", "up"))
    bench.send(exchange("b"), scored("b"), thumb("b", "up"), thumb("b"))
    bench.send(exchange("c"), scored("c", "audit"), thumb("c"), exchange("d"), scored("d", "review"), thumb("d"))
    bench.send(exchange("e"), scored("e"), scored("e", "review"), thumb("e"))
    bench.send(
        exchange("f"), scored("f"), thumb("f", bot="other"), exchange("g", bot="other"), scored("g", bot="other")
    )
    bench.send(thumb("g", bot="other"), thumb("h", conversation="elsewhere"), exchange("h"), scored("h"))
    step_until(process(), settled(bench, 7))
    assert bench.asked() == ["a", "b", "e", "h"]
    assert bench.counts() == {"up": 2, "down": 7, "matched": 4, "already": 3}


def test_a_decision_that_was_never_committed_is_none(bench: Bench, process: Make) -> None:
    bench.send(usual(), exchange("x"), thumb("x"))
    scorer = producer(bench.cluster, {"transactional.id": f"{bench.cluster.prefix}scorer"})
    scorer.init_transactions(30)
    for decision, end in ((scored("x"), scorer.abort_transaction), (scored("x", "audit"), scorer.commit_transaction)):
        scorer.begin_transaction()
        scorer.produce(bench.cluster.topic(SCORED), encode(decision), decision.conversation)
        assert scorer.flush(30) == 0
        end(30)
    step_until(process(), settled(bench, 1))
    assert (bench.asked(), bench.counts()) == ([], {"down": 1, "already": 1})


# the policy


def test_nothing_is_read_before_there_is_a_policy_and_a_new_one_takes_effect_while_it_runs(
    bench: Bench, process: Make
) -> None:
    bench.whole("a")
    joining = process()
    joining.step()
    assert bench.counts() == {}
    bench.send(usual(thumbs_down="ignore"))
    step_until(joining, settled(bench, 1))
    bench.send(usual(version=2))
    step_until(joining, lambda: in_force(joining).version == 2)
    bench.whole("b")
    step_until(joining, settled(bench, 2))
    assert bench.asked() == ["b"]
    assert bench.counts() == {"down": 2, "ignored": 1, "matched": 1}


def in_force(joining: Process) -> Policy:
    return joining._policies.refresh()["harbour"]


def test_feedback_beyond_the_window_and_feedback_of_nothing_is_unmatched(bench: Bench, process: Make) -> None:
    bench.send(policy(window_ms=600))
    joining = process(tidy=0.1)
    bench.send(thumb("nothing"), exchange("x"), scored("x"), exchange("y"), scored("y"), thumb("y"))
    step_until(joining, lambda: bench.counts().get("matched") == 1)
    time.sleep(0.7)
    bench.send(thumb("x"))
    step_until(joining, settled(bench, 3))
    assert bench.asked() == ["y"]
    assert bench.counts() == {"down": 3, "matched": 1, "unmatched": 2}


# the text


def test_an_exchange_that_retention_deleted_is_gone_and_a_position_that_it_deleted_is_no_obstacle(
    bench: Bench, process: Make, caplog: pytest.LogCaptureFixture
) -> None:
    bench.send(usual(), exchange("a"), scored("a"))
    first = process()
    step_until(first, lambda: first.step() > 0)
    first.close()
    bench.send(*[exchange(f"unread-{i}") for i in range(6)])
    ends = [TopicPartition(bench.cluster.topic(EXCHANGES), p, -1) for p in range(2)]  # -1: all there is
    admin = bench.kafka.admin
    for answer in admin.delete_records(ends).values():
        answer.result(30)
    bench.send(thumb("a"))
    bench.whole("b")
    step_until(process(), settled(bench, 2))
    assert bench.asked() == ["b"]
    assert bench.counts() == {"down": 2, "matched": 1, "gone": 1}
    assert "is the oldest" in caplog.text


def test_many_texts_of_one_partition_are_fetched_each(bench: Bench, process: Make) -> None:
    bench.send(usual())
    names = [f"x{i:02}" for i in range(25)]
    for name in names:
        bench.send(exchange(name, answer=name * 20_000), scored(name))
    bench.send(*[thumb(name) for name in names])
    step_until(process(), settled(bench, len(names)))
    assert {name: each.answer for name, each in items(bench).items()} == {name: name * 20_000 for name in names}


# dead letters


def test_feedback_that_cannot_be_read_is_a_dead_letter_and_the_next_one_counts(bench: Bench, process: Make) -> None:
    bench.send(usual())
    bench.send_raw(FEEDBACK, b"garbage", "c-x", [("traceparent", b"00-1")])
    bench.send_raw(FEEDBACK, None, "c-x")
    bench.send_raw(EXCHANGES, b"garbage", "c-x")
    bench.whole("x")
    step_until(process(), settled(bench, 1))
    letters = bench.read("chat.feedback.dlq")
    assert sorted(each.value() or b"" for each in letters) == [b"", b"garbage"]
    for letter in letters:
        found = dict(letter.headers() or [])
        assert found["dlq_reason"]
        assert str(found["dlq_source"]).startswith(f"b'{bench.cluster.topic(FEEDBACK)}:")
    assert bench.asked() == ["x"]


# killed, replaced, robbed


def test_one_item_each_across_kill_9_at_every_seam(bench: Bench) -> None:
    """Repeats have the same bytes; the store is none the worse."""
    bench.send(usual())
    for i, point in enumerate(POINTS):
        bench.whole(f"x{i}")
        assert bench.start(point).wait(PATIENCE_SECONDS) == -signal.SIGKILL, bench.log.read_text()[-4000:]
    last = bench.start()
    bench.whole("last")
    try:
        wait_until(settled(bench, len(POINTS) + 1))
        last.terminate()
        assert last.wait(PATIENCE_SECONDS) == 0
    finally:
        last.kill()
        last.wait()
    written = bench.read("review.requests")
    assert {each.key() for each in written} == {b"last", *(f"x{i}".encode() for i in range(len(POINTS)))}
    repeated = [key for key, n in Counter(each.key() for each in written).items() if n > 1]
    assert repeated  # by the kill between the two commits
    assert len({each.value() for each in written}) == len(items(bench)) == len(POINTS) + 1
    assert bench.counts() == {"down": len(POINTS) + 1, "matched": len(POINTS) + 1}


def test_a_zombie_that_slept_through_its_replacement_writes_nothing_more(bench: Bench, process: Make) -> None:
    bench.send(usual())
    bench.whole("a")
    zombie = bench.start()
    try:
        wait_until(settled(bench, 1))
        stall(zombie)
        successor = process()
        bench.whole("b")
        step_until(successor, settled(bench, 2))
        wake(zombie)
        bench.whole("c")
        assert zombie.wait(PATIENCE_SECONDS) == 1
        assert "Fenced" in bench.log.read_text() or "StoreTaken" in bench.log.read_text()
        step_until(successor, settled(bench, 3))
    finally:
        zombie.kill()
        zombie.wait()
    assert bench.asked() == ["a", "b", "c"]
    assert bench.counts() == {"down": 3, "matched": 3}


def test_a_zombie_between_its_two_commits_cannot_set_the_store_back(
    bench: Bench, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(usual())
    bench.whole("a")
    zombie = process()
    commit = Store.commit

    def replaced(store: Store, batch: Batch, answer: Answer) -> None:
        if answer.requests:
            monkeypatch.undo()
            step_until(process(), settled(bench, 1))
        commit(store, batch, answer)

    monkeypatch.setattr(Store, "commit", replaced)
    with pytest.raises(StoreTaken):
        step_until(zombie, lambda: False)
    assert bench.asked() == ["a", "a"]
    assert list(items(bench)) == ["a"]
    assert bench.counts() == {"down": 1, "matched": 1}


def test_who_is_fenced_writes_no_request(bench: Bench, process: Make) -> None:
    bench.send(usual())
    older = process()
    step_until(older, bench.store.exists)
    process()
    bench.whole("a")
    with pytest.raises(Fenced, match="another process of this bot"):
        step_until(older, lambda: False)
    assert bench.asked() == []


def test_a_store_deleted_under_it_is_filled_again_and_the_desk_has_one_item_each(bench: Bench, process: Make) -> None:
    bench.send(usual())
    bench.whole("a")
    bench.send(exchange("b"), thumb("b"), exchange("c"), scored("c"), thumb("d"))
    first = process()
    step_until(first, lambda: bench.counts() == {"down": 3, "matched": 1, "waiting": 2})
    for file in bench.store.parent.iterdir():
        file.unlink()
    bench.send(scored("b"))
    with pytest.raises(StoreTaken, match="deleted or exchanged"):
        step_until(first, lambda: False)
    first.close()
    bench.send(thumb("c"), exchange("d"), scored("d"))
    step_until(process(), settled(bench, 4))
    assert bench.counts() == {"down": 4, "matched": 4}
    assert sorted(set(bench.asked())) == ["a", "b", "c", "d"]
    assert set(items(bench)) == {"a", "b", "c", "d"}
    assert len({each.value() for each in bench.read("review.requests")}) == 4


# other topics, other times


def test_a_topic_made_again_ends_the_process_and_the_next_one_reads_what_there_is(
    bench: Bench, process: Make, caplog: pytest.LogCaptureFixture
) -> None:
    bench.send(usual())
    bench.whole("a")
    first = process(tidy=0.05)
    step_until(first, settled(bench, 1))
    topic = bench.cluster.topic(EXCHANGES)
    bench.delete(topic)
    bench.kafka.create(topic, 2, message_timestamp_type="LogAppendTime")
    with pytest.raises(TopicRecreated, match="made again"):
        step_until(first, lambda: False)
    first.close()
    bench.whole("b")
    step_until(process(), lambda: bench.counts() == {"down": 2, "matched": 1, "waiting": 1})
    assert f"another {topic}" in caplog.text
    assert (bench.store.parent / "feedback.db.set-aside").exists()
    assert bench.asked() == ["a", "b"]


def test_without_a_store_feedback_is_read_from_one_window_back_and_exchanges_from_two(bench: Bench) -> None:
    for i in range(3):
        bench.send(
            exchange(f"x{i}", conversation="c"), scored(f"x{i}", conversation="c"), thumb(f"x{i}", conversation="c")
        )
        time.sleep(0.4)
    offsets = Offsets(bench.cluster)
    found, ends = beginning(offsets, window=600, slack=0), offsets.ends()
    kept = Counter(dict.fromkeys(INPUTS, 0))
    for each, name in offsets.partitions.items():
        kept[name] += ends[each] - found[each]
    assert kept == {EXCHANGES: 3, SCORED: 3, FEEDBACK: 2}
    assert beginning(offsets, window=600_000, slack=0) == dict.fromkeys(found, 0)


def test_it_refuses_to_start_without_its_topics(bench: Bench, process: Make) -> None:
    topic = bench.cluster.topic("chat.feedback.dlq")
    bench.delete(topic)
    with pytest.raises(TopicMismatch, match=r"chat\.feedback\.dlq"):
        process()
