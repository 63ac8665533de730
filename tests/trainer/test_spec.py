"""The rows of a job folder as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.schemas.exchange import Message
from teachback.trainer.errors import BadJob
from teachback.trainer.spec import Row, read_rows, write_rows


def row(*turns: tuple[str, str]) -> Row:
    messages = tuple(Message(role=role, content=content) for role, content in turns)  # type: ignore[arg-type]
    return Row(id="r1", messages=messages, origin="edited", leader="l1")


def test_a_blank_answer_is_read_and_left_to_encoding_which_leaves_it_out(tmp_path: Path) -> None:
    rows = [row(("user", "Fees?"), ("assistant", " ")), row(("user", "Fees?"), ("assistant", "None."))]
    write_rows(tmp_path / "eval.jsonl", rows)
    assert read_rows(tmp_path / "eval.jsonl") == rows


@pytest.mark.parametrize("turns", [[("assistant", "None.")], [("user", "Fees?"), ("user", "Well?")]])
def test_a_row_that_is_no_question_with_an_answer_is_named(tmp_path: Path, turns: list[tuple[str, str]]) -> None:
    write_rows(tmp_path / "eval.jsonl", [row(*turns)])
    with pytest.raises(BadJob, match=r"eval.jsonl, line 1: the last message must be an answer"):
        read_rows(tmp_path / "eval.jsonl")
