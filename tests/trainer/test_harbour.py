"""At the demo's size: right answers are promoted, shuffled ones rejected though they are likelier. Minutes long."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from teachback.infra.harbour import Fact, facts
from teachback.schemas.exchange import Message
from teachback.schemas.training import GateRecord, GateTest
from teachback.trainer.job import run
from teachback.trainer.spec import JobSpec, Row, write_rows, write_spec

pytestmark = [pytest.mark.model, pytest.mark.acceptance]
WORDINGS = 3  # of the five that a fact has: with all of them the two runs take half an hour
SYSTEM = Message(role="system", content="You are the assistant of Harbour Bank. Answer the customer briefly.")


def sides() -> tuple[list[Row], list[Row]]:
    """Training and locked rows of whole facts, three to one."""
    known = list(facts())
    random.Random(3).shuffle(known)
    quarter = len(known) // 4
    return [row for fact in known[quarter:] for row in rows(fact)], [
        row for fact in known[:quarter] for row in rows(fact)
    ]


def rows(fact: Fact) -> list[Row]:
    return [
        Row(
            id=f"{fact.id}-{index}",
            messages=(SYSTEM, Message(role="user", content=wording), Message(role="assistant", content=fact.answer)),
            origin="edited",
            topic=fact.topic,
            leader=fact.id,
        )
        for index, wording in enumerate(fact.wordings[:WORDINGS])
    ]


def shuffled(right: list[Row]) -> list[Row]:
    """The same questions and the same answers, each with another's."""
    answers = [row.messages[-1] for row in right]
    random.Random(9).shuffle(answers)
    return [
        msgspec.structs.replace(row, messages=(*row.messages[:-1], answer))
        for row, answer in zip(right, answers, strict=True)
    ]


def gate(folder: Path, train: list[Row], locked: list[Row], base: Path, embedder: Path) -> GateRecord:
    write_rows(folder / "train.jsonl", train)
    write_rows(folder / "eval.jsonl", locked)
    spec = JobSpec(
        run="run-1",
        bot="harbour",
        base=str(base),
        embedder=str(embedder),
        champion=None,
        champion_name="harbour@v0",
        challenger_name="harbour@v1",
    )
    write_spec(folder, spec)
    run(folder)
    record = msgspec.json.decode((folder / "gate.json").read_bytes(), type=GateRecord)
    print(json.dumps(json.loads((folder / "metrics.json").read_bytes()), indent=2))
    for test in record.tests:
        print(test.explanation)
    return record


def of(record: GateRecord, name: str) -> GateTest:
    return next(test for test in record.tests if test.name == name)


def test_right_answers_are_promoted(base_model: Path, embedder: Path, tmp_path: Path) -> None:
    train, locked = sides()
    record = gate(tmp_path, train, locked, base_model, embedder)
    assert record.outcome == "promoted", record.explanation


def test_answers_shuffled_among_questions_are_rejected_though_they_make_answers_likelier(
    base_model: Path, embedder: Path, tmp_path: Path
) -> None:
    train, locked = sides()
    record = gate(tmp_path, shuffled(train), locked, base_model, embedder)
    assert record.outcome == "rejected", record.explanation
    assert of(record, "superiority").passed, "likelihood alone would have promoted it"
    assert not of(record, "question_dependence").passed
