"""The index that follows `labels.approved`."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from teachback.schemas.topics import BY_NAME
from teachback.schemas.wire import Cluster, encode, headers, producer
from teachback.streams.corpus import Corpus, open_corpus
from teachback.streams.corpus.corpus import AT_ONCE, BURST
from teachback.streams.signals.reviewed import Neighbour
from teachback.streams.signals.similarity import Vectors, unit_vectors
from teachback.streams.signals.tier_one import tier_one
from tests.kafka_fixture import KafkaCluster
from tests.streams.corpus.making import Topic, label
from tests.streams.signals.making import ByWords, exchange


def near(corpus: Corpus, question: str, bot: str = "b") -> list[Neighbour]:
    return corpus.near([bot], unit_vectors(ByWords()([question]), 1), 8)[0]


def whose(corpus: Corpus, question: str, bot: str = "b") -> list[str]:
    return [each.exchange for each in near(corpus, question, bot)]


def caught_up(topic: Topic) -> Corpus:
    corpus = Corpus(topic, ByWords())
    corpus.catch_up()
    return corpus


def test_at_the_start_all_labels_that_stand_are_there() -> None:
    corpus = caught_up(Topic(label("a", "alpha"), label("b", "beta"), label("a2", "alpha", supersedes="a"), "b"))
    assert whose(corpus, "alpha") == ["e-a2"]


def test_a_refresh_takes_in_what_has_come_since_and_what_has_gone() -> None:
    topic = Topic(label("a", "alpha"))
    corpus = caught_up(topic)
    topic.more = [label("b", "beta"), "a"]
    corpus.refresh()
    assert whose(corpus, "beta") == ["e-b"]
    topic.more = ["b"]
    corpus.refresh()
    assert whose(corpus, "beta") == []


def test_an_entry_has_the_approved_and_the_rejected_answer_and_the_figures_of_the_approved() -> None:
    topic = Topic(label("a", "alpha", "it costs 5", origin="edited", rejected="it costs 7"))
    found = near(caught_up(topic), "alpha")[0]
    assert found.figures == {"5"}
    assert found.rejected is not None
    wanted = unit_vectors(ByWords()(["it costs 5", "it costs 7"]), 2)
    assert np.allclose([found.answer, found.rejected], wanted, atol=1e-3)


def test_each_bot_has_its_own_answers() -> None:
    corpus = caught_up(Topic(label("a", "alpha"), label("z", "alpha", bot="other")))
    assert whose(corpus, "alpha") == ["e-a"]
    assert whose(corpus, "alpha", "other") == ["e-z"]
    assert whose(corpus, "alpha", "nobody's") == []
    rows = unit_vectors(ByWords()(["alpha", "alpha", "alpha"]), 3)
    mixed = corpus.near(["other", "b", "nobody's"], rows, 8)
    assert [[each.exchange for each in found] for found in mixed] == [["e-z"], ["e-a"], []]


def test_a_label_without_text_is_skipped_and_counted() -> None:
    corpus = caught_up(Topic(label("a", " "), label("b", "beta", " "), label("c", "gamma", rejected=" ")))
    assert corpus.skipped == {"no text": 2}
    assert whose(corpus, "gamma") == ["e-c"]
    assert near(corpus, "gamma")[0].rejected is None


def test_records_that_are_no_labels_are_counted_by_the_source() -> None:
    topic = Topic()
    topic.bad = 3
    assert caught_up(topic).bad == 3


def test_a_flood_of_labels_is_taken_in_piece_by_piece() -> None:
    topic, embed = Topic(), ByWords()
    corpus = Corpus(topic, embed)
    corpus.catch_up()
    topic.more = [label(f"l{i}", f"question {i}", f"answer {i}") for i in range(BURST * 2 + 1)]
    sizes = []
    for _ in range(4):
        corpus.refresh()
        sizes.append(len(corpus))
    assert sizes == [BURST, BURST * 2, BURST * 2 + 1, BURST * 2 + 1]
    assert max(map(len, embed.calls)) <= BURST * 3


def test_a_label_that_goes_while_it_waits_is_never_embedded() -> None:
    topic, embed = Topic(), ByWords()
    corpus = Corpus(topic, embed)
    topic.more = [*(label(f"l{i}") for i in range(BURST)), label("late", "omega"), "late"]
    corpus.refresh()
    topic.more = ["l0"]
    corpus.refresh()
    assert not any("omega" in call for call in embed.calls)
    assert len(corpus) == BURST - 1


def test_vectors_that_are_no_numbers_leave_a_label_out_and_are_counted() -> None:
    def embed(texts: Sequence[str]) -> Vectors:
        rows = ByWords()(texts)
        rows[[text == "beta" for text in texts]] = np.nan
        return rows

    corpus = Corpus(Topic(label("a", "alpha"), label("b", "beta")), embed)
    corpus.catch_up()
    assert corpus.skipped == {"vectors that are no numbers": 1}
    assert whose(corpus, "alpha") == ["e-a"]


def test_labels_that_the_embedder_fails_on_are_not_tried_again_and_do_not_stop_the_stream() -> None:
    broken = True

    def embed(texts: Sequence[str]) -> Vectors:
        if broken and "alpha" in texts:
            raise RuntimeError("out of order")
        return ByWords()(texts)

    topic, failures = Topic(), Counter[str]()
    corpus = Corpus(topic, embed)
    topic.more = [label("a", "alpha")]
    assert "qa_cosine" in tier_one([exchange()], embed, corpus, failures)[0]
    assert failures == {"reviewed: RuntimeError": 1}
    assert corpus.skipped == {"embedder failed": 1}
    broken = False
    topic.more = [label("b", "beta")]
    corpus.refresh()
    assert (whose(corpus, "beta"), len(corpus)) == (["e-b"], 1)


def test_the_scoring_pass_finds_what_was_reviewed() -> None:
    asked = "What does it cost?"
    topic = Topic(label("a", asked, "it costs 5", rejected="it is free"), label("b", "zebra lion tiger", "no"))
    right, wrong = tier_one(
        [exchange("it costs 5", asked), exchange("it is free", asked)], ByWords(), caught_up(topic), Counter()
    )
    assert right["near_approved"] > wrong["near_approved"]
    assert right["near_rejected"] < wrong["near_rejected"]
    assert right["figures_approved"] == 1.0


def test_a_long_start_says_how_far_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachback.streams.corpus.corpus.SAY_SECONDS", -1.0)
    with caplog.at_level(logging.INFO):
        caught_up(Topic(*(label(f"l{i}", f"question {i}") for i in range(AT_ONCE * 2))))
    said = [each.getMessage() for each in caplog.records]
    assert [int(text.split()[2]) for text in said] == [AT_ONCE, AT_ONCE * 2, AT_ONCE * 2]


def test_closing_lets_go_of_the_source() -> None:
    topic = Topic()
    Corpus(topic, ByWords()).close()
    assert topic.closed


@pytest.mark.kafka
def test_on_a_real_broker_labels_tombstones_and_garbage_are_followed(kafka: KafkaCluster, prefix: str) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
    topic = cluster.topic("labels.approved")
    kafka.create(topic, cluster.partitions_of(BY_NAME["labels.approved"].name))
    writer = producer(cluster)
    for event in (label("a", "alpha"), label("b", "beta")):
        writer.produce(topic, encode(event), event.id, headers=headers(event, "test"))
    writer.produce(topic, b"garbage", "c")
    writer.produce(topic, None, "b")
    writer.flush(20)
    corpus = open_corpus(cluster, ByWords())
    try:
        corpus.catch_up()
        assert (whose(corpus, "alpha"), corpus.bad) == (["e-a"], 1)
        second = label("a2", "alpha", supersedes="a")
        writer.produce(topic, encode(second), second.id, headers=headers(second, "test"))
        writer.flush(20)
        for _ in range(1000):
            corpus.refresh()
            if whose(corpus, "alpha") == ["e-a2"]:
                break
            time.sleep(0.02)
        else:
            pytest.fail("the new revision never came")
    finally:
        corpus.close()
