"""Records in: what the join takes of each, and what becomes of those that it cannot read."""

from __future__ import annotations

import pytest

from teachback.schemas.wire import encode
from teachback.streams.feedback.batch import EXCHANGES, FEEDBACK, SCORED, Batch, Raw
from teachback.streams.feedback.join import Decision, Place, Thumb
from tests.streams.feedback.samples import BOT, CREATED, exchange, record, scored, thumb


def batch(*records: Raw, prefix: str = "") -> Batch:
    made = Batch(BOT, prefix)
    for each in records:
        made.take(each)
    return made


def test_each_topic_gives_what_the_join_needs_and_no_text() -> None:
    found = batch(
        record(exchange(), 11, 5, partition=2),
        record(scored(route="review", confidence=0.25), 12, 6),
        record(thumb(comment="Wrong fee!"), 13, 7),
        record(thumb(way="up"), 14, 8),
    )
    assert found.exchanges == [Place("x1", 2, 5, 11)]
    assert found.decisions == [Decision("x1", "review", 0.25, CREATED.isoformat(), 12)]
    assert found.thumbs == [
        Thumb("x1", "f-x1-down", True, 13, "waiting"),
        Thumb("x1", "f-x1-up", False, 14, "up"),
    ]
    assert found.positions == {(EXCHANGES, 2): 6, (SCORED, 0): 7, (FEEDBACK, 0): 9}
    assert found.dead == []


def test_another_bots_records_move_the_position_and_nothing_else() -> None:
    found = batch(record(exchange(bot="other")), record(scored(bot="other")), record(thumb(bot="other")))
    assert (found.exchanges, found.decisions, found.thumbs, found.dead) == ([], [], [], [])
    assert found.positions == {(EXCHANGES, 0): 1, (SCORED, 0): 1, (FEEDBACK, 0): 1}


GARBAGE = [
    b"garbage",
    b"",
    b"\xff\xfe",
    b"[1]",
    encode(thumb()).replace(b"feedback/1", b"feedback/9"),
    encode(thumb()).replace(b'"down"', b'"sideways"'),
    encode(exchange()),
]


@pytest.mark.parametrize("value", GARBAGE)
def test_feedback_that_cannot_be_read_becomes_a_dead_letter_as_it_came(value: bytes) -> None:
    raw = record(value, offset=4, partition=3, topic="t.chat.feedback")._replace(
        headers=[("traceparent", b"00-1"), ("dlq_reason", b"of a replay")]
    )
    found = batch(raw, record(thumb(), offset=5, partition=3, topic="t.chat.feedback"), prefix="t.")
    (letter,) = found.dead
    marks = dict(letter.headers)
    assert (letter.topic, letter.key, letter.value) == ("t.chat.feedback.dlq", raw.key, value)
    assert marks["dlq_source"] == b"t.chat.feedback:3:4"
    assert marks["dlq_reason"].startswith(b"not a valid feedback/1")
    assert [name for name, _ in letter.headers] == ["traceparent", "dlq_reason", "dlq_source"]
    assert len(found.thumbs) == 1


def test_a_tombstone_of_feedback_is_a_dead_letter() -> None:
    (letter,) = batch(record(b"")._replace(value=None)).dead
    assert letter.value is None
    assert b"tombstone" in dict(letter.headers)["dlq_reason"]


def test_bad_feedback_that_names_another_bot_is_left_to_that_bots_process() -> None:
    value = encode(thumb(bot="other")).replace(b'"down"', b'"sideways"')
    assert batch(record(value)).dead == []


@pytest.mark.parametrize("topic", [EXCHANGES, SCORED])
@pytest.mark.parametrize("value", [*GARBAGE[:5], None])
def test_exchanges_and_scores_that_cannot_be_read_are_passed_over(topic: str, value: bytes | None) -> None:
    found = batch(record(b"", topic=topic)._replace(value=value))
    assert (found.exchanges, found.decisions, found.dead) == ([], [], [])
    assert found.positions == {(topic, 0): 1}


def test_an_exchange_of_which_only_id_and_bot_can_be_read_is_seen() -> None:
    """Scoring judges it, not the join: without a decision nothing follows from it."""
    found = batch(record(encode(exchange()).replace(b'"answer"', b'"amswer"'), topic=EXCHANGES))
    assert [place.exchange for place in found.exchanges] == ["x1"]
