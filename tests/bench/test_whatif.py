"""What the benchmark of the past is filled with, and what it reports."""

from __future__ import annotations

import random

import pytest

from bench.whatif import AUDIT_RATE, BOT, SALT, SIGNALS, THRESHOLD, answers, outcome, report, sample
from teachback.infra.history.build import Builder, Row
from teachback.infra.history.read import decoded
from teachback.schemas.wire import encode
from teachback.streams.route import drawn


def decisions(count: int) -> list[Row]:
    dice = random.Random(1)
    rows = [decoded(encode(sample(number, dice))) for number in range(count)]
    return [row for row in rows if row is not None]


def test_the_records_are_decisions_as_scoring_makes_them() -> None:
    rows = decisions(2000)
    assert len({row.id for row in rows}) == 2000
    for row in rows:
        audited = drawn(SALT, row.id, AUDIT_RATE)
        assert row.route == ("audit" if audited else "review" if row.confidence < THRESHOLD else "accept")
        assert (row.confidence < THRESHOLD) == any(reason.startswith("confidence<") for reason in row.reasons)
    assert {len(row.signals) for row in rows} == {len(SIGNALS), len(SIGNALS) - 3}


def test_the_more_trusted_an_answer_the_likelier_it_is_right() -> None:
    dice = random.Random(2)
    made = [sample(number, dice) for number in range(4000)]
    right = [bool(outcome(one, dice).acceptable) for one in made]
    trusted = [good for one, good in zip(made, right, strict=True) if one.confidence > 0.8]
    doubted = [good for one, good in zip(made, right, strict=True) if one.confidence < 0.6]
    assert sum(trusted) / len(trusted) > sum(doubted) / len(doubted) + 0.2


def test_every_question_is_asked_and_timed() -> None:
    builder = Builder(BOT)
    rows = decisions(500)
    builder.add(rows, [1000 + number for number in range(len(rows))])
    timed = dict(answers(builder.history({}, 0)))
    assert len(timed) == 4 and all(seconds > 0 for seconds in timed.values())


def test_the_report_compares_with_each_reference() -> None:
    text = report({"json.loads": 12.0, "msgspec Scored": 5.0, "read_history": 10.0}, 1000)
    rows = {
        cells[0]: cells[1:] for line in text.splitlines() if (cells := [c.strip() for c in line.strip("|").split("|")])
    }
    assert rows["json.loads"] == ["12.0 s", "83", "1.20"]
    assert rows["msgspec Scored"] == ["5.0 s", "200", "0.50"]
    assert rows["read_history"] == ["10.0 s", "100", "1.00"]


@pytest.mark.parametrize("number", [0, 7])
def test_the_same_number_is_the_same_exchange(number: int) -> None:
    assert sample(number, random.Random(1)).id == sample(number, random.Random(2)).id
