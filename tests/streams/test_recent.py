"""The questions asked lately: which are kept, whose they are, and that they come back from the log."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from teachback.schemas import Exchange
from teachback.schemas.wire import Cluster, encode, producer
from teachback.streams.recent import AT_ONCE, RecentQuestions, catch_up
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.tier_one import tier_one
from tests.kafka_fixture import KafkaCluster
from tests.streams.signals.making import ByWords, exchange

MATTERS = "abcdefghijklmnopqrstuvwxyz0123456789"  # words of one letter, which `ByWords` keeps apart


def asked(number: int, question: str = "", **fields: Any) -> Exchange:
    """A question of a conversation of its own."""
    fields = {"id": f"e{number}", "conversation": f"c{number}"} | fields
    return exchange(question=question or f"What about matter{number}?", **fields)


def vectors(*exchanges: Exchange) -> Vectors:
    return unit_vectors(ByWords()([each.question for each in exchanges]), len(exchanges))


def cosines(recent: RecentQuestions, exchange: Exchange) -> list[float]:
    """Of the exchange's question with the others, the greatest first."""
    return sorted((round(float(one), 3) for one in recent.cosines([exchange], vectors(exchange))[0]), reverse=True)


def remembering(*exchanges: Exchange, limit: int = 100) -> RecentQuestions:
    recent = RecentQuestions(limit)
    recent.note(exchanges, vectors(*exchanges))
    return recent


def test_others_are_the_bots_other_conversations() -> None:
    recent = remembering(asked(1, "a b"), asked(2, "b"), asked(3, "c"), asked(4, "a", bot="another"))
    assert cosines(recent, asked(9, "b", conversation="c1")) == [1.0, 0.0]
    assert cosines(recent, asked(9, "b")) == [1.0, 0.707, 0.0]
    assert cosines(recent, asked(9, "a", bot="another")) == [1.0]
    assert not cosines(recent, asked(9, bot="unheard of"))
    mixed = [asked(9, "b", bot=bot) for bot in ("another", "unheard of", "b")]
    assert [len(found) for found in recent.cosines(mixed, vectors(*mixed))] == [1, 0, 3]


def test_a_question_asked_a_thousand_times_is_kept_once() -> None:
    recent = remembering(*(asked(n, question) for n in range(500) for question in ("How much?", " how  MUCH? ")))
    assert len(recent) == 1


def test_one_conversation_cannot_push_the_others_out() -> None:
    recent = remembering(*(asked(n, word) for n, word in enumerate("abc")), limit=3)
    recent.note(flood := [asked(99, f"junk{n}", conversation="c1") for n in range(50)], vectors(*flood))
    assert [cosines(recent, asked(9, word))[0] for word in ("a", "b", "c", "junk49")] == [1.0, 0.0, 1.0, 1.0]
    assert len(recent) == 3


def test_it_is_what_a_simple_list_would_be() -> None:
    """Of random traffic; the words are told apart by `ByWords`."""
    draw = random.Random(1)
    for limit in (1, 2, 5):
        recent, plain = RecentQuestions(limit), list[tuple[str, str]]()
        for _ in range(400):
            word, conversation = draw.choice(MATTERS[:9]), f"c{draw.randint(0, 7)}"
            event = asked(0, word, conversation=conversation)
            recent.note([event], vectors(event))
            if word not in [known for known, _ in plain]:
                mine = [place for place, (_, other) in enumerate(plain) if other == conversation]
                plain = [*plain, (word, conversation)][-limit:] if not mine else plain
                for place in mine:
                    plain[place] = (word, conversation)
            for each in MATTERS[:9]:
                assert (1.0 in cosines(recent, asked(9, each, conversation="z"))) == (each in [k for k, _ in plain])


def test_the_oldest_go_first_and_may_come_back() -> None:
    recent = remembering(*(asked(n, word) for n, word in enumerate("abcdefg")), limit=3)
    assert [cosines(recent, asked(9, word))[0] for word in "adefg"] == [0.0, 0.0, 1.0, 1.0, 1.0]
    recent.note([asked(8, "a")], vectors(asked(8, "a")))
    assert [cosines(recent, asked(9, word))[0] for word in "aefg"] == [1.0, 0.0, 1.0, 1.0]
    assert len(recent) == 3


def test_scored_twice_a_batch_has_the_same_rivals() -> None:
    batch = [asked(n, f"what about {word}?", answer=f"{word} is settled") for n, word in enumerate(MATTERS)]
    recent, failures = RecentQuestions(), Counter[str]()
    once, twice = (tier_one(batch, ByWords(), None, failures, recent) for _ in range(2))
    assert once == twice and all("rival_cosine" in signals for signals in once) and not failures


def test_an_answer_to_anothers_question_is_nearer_to_it_than_to_its_own() -> None:
    crowd = [asked(n, f"what about {word}?") for n, word in enumerate(MATTERS)]
    right, wrong = asked(100, "and of ~?", answer="~"), asked(101, "and of |?", answer="c")
    found = tier_one([*crowd, right, wrong], ByWords(), None, Counter(), RecentQuestions())
    assert found[-2]["rival_cosine"] < found[-2]["qa_cosine"]
    assert found[-1]["rival_cosine"] > found[-1]["qa_cosine"]


def test_a_view_that_fails_costs_the_rival_alone_and_is_counted() -> None:
    failures: Counter[str] = Counter()
    recent = remembering(asked(1))
    crooked = lambda texts: np.ones((len(texts), 3), np.float32)  # noqa: E731 - another dimension than before
    assert tier_one([asked(2)], crooked, None, failures, recent) == [{"qa_cosine": 1.0}]
    assert failures == {"recent: ValueError": 1}


def test_vectors_of_another_length_are_refused_and_leave_what_is_there() -> None:
    recent = remembering(asked(1, "a"), asked(2, "b"), limit=2)
    for number in range(3, 6):
        for wrong in (1, 7):
            with pytest.raises(ValueError, match="dimensions"):
                recent.note([asked(number, f"x{number}")], np.ones((1, wrong), np.float32))
    assert len(recent) == 2
    recent.note([asked(8, "c")], vectors(asked(8, "c")))
    assert [cosines(recent, asked(9, word))[0] for word in "abc"] == [0.0, 1.0, 1.0]


def caught_up(cluster: Cluster, embed: Embedder, limit: int = 2_000) -> RecentQuestions:
    """What a worker that starts now remembers; nothing may fail."""
    recent, failures = RecentQuestions(), Counter[str]()
    catch_up(recent, cluster, embed, failures, limit)
    assert not failures
    return recent


@pytest.mark.kafka
def test_at_the_start_the_newest_questions_are_read_from_the_log(kafka: KafkaCluster, prefix: str) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
    topic = cluster.topic("chat.exchanges")
    kafka.create(topic, cluster.partitions_of("chat.exchanges"))
    assert len(caught_up(cluster, ByWords())) == 0
    writer = producer(cluster)
    for number in range(2 * AT_ONCE):
        event = asked(number)
        writer.produce(topic, encode(event), event.conversation)
    writer.produce(topic, b"garbage", "c1")
    writer.produce(topic, encode(asked(0, " ")), "c0")
    assert writer.flush(20) == 0
    embed = ByWords()
    assert len(caught_up(cluster, embed)) == 2 * AT_ONCE
    assert sum(map(len, embed.calls)) == 2 * AT_ONCE and max(map(len, embed.calls)) <= AT_ONCE
    embed.calls.clear()
    newest = caught_up(cluster, embed, limit=60)
    assert 30 <= len(newest) == sum(map(len, embed.calls)) <= 60
    assert f"What about matter{2 * AT_ONCE - 1}?" in {text for call in embed.calls for text in call}


@pytest.mark.kafka
def test_a_question_that_the_embedder_cannot_read_does_not_keep_a_worker_from_starting(
    kafka: KafkaCluster, prefix: str
) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
    topic = cluster.topic("chat.exchanges")
    kafka.create(topic, cluster.partitions_of("chat.exchanges"))
    writer = producer(cluster)
    for number in range(AT_ONCE + 50):
        writer.produce(topic, encode(asked(number, "unreadable" if number == 7 else "")), f"c{number}")
    assert writer.flush(20) == 0

    def embed(texts: Sequence[str]) -> Vectors:
        if "unreadable" in texts:
            raise RuntimeError("no such character")
        return ByWords()(texts)

    recent, failures = RecentQuestions(), Counter[str]()
    catch_up(recent, cluster, embed, failures)
    assert failures == {"recent: RuntimeError": 1}
    assert len(recent) >= 49
