"""Questions and answers out of files as people have them, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from teachback.producers.errors import BadFile
from teachback.producers.files import Pair, read_pairs

ROWS = [
    {"question": "What does it cost?", "answer": "Nothing, “really”."},
    {"question": "Überweisung?", "answer": "Two\ndays"},
]
PAIRS = [Pair(row["question"], row["answer"]) for row in ROWS]


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def csv_text(delimiter: str = ",") -> str:
    head = delimiter.join(ROWS[0]) + "\r\n"
    return head + "".join(delimiter.join(f'"{value}"' for value in row.values()) + "\r\n" for row in ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, delimiter: str, mark: bytes) -> None:
    assert list(read_pairs(put(tmp_path, "a.csv", mark + csv_text(delimiter).encode()))) == PAIRS


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.txt"])
def test_json_lines_whatever_the_name(tmp_path: Path, name: str) -> None:
    assert list(read_pairs(put(tmp_path, name, "\n" + lines(*ROWS)))) == PAIRS


def test_a_json_list(tmp_path: Path) -> None:
    assert list(read_pairs(put(tmp_path, "a.json", json.dumps(ROWS, indent=1)))) == PAIRS


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert list(read_pairs(tmp_path / "a.parquet")) == PAIRS


@pytest.mark.parametrize(
    ("row", "pair"),
    [
        ({"Prompt": "q", "Response": "a"}, Pair("q", "a")),
        ({"id": 1, "instruction": "Sum up", "input": "a text", "output": "a"}, Pair("Sum up\na text", "a")),
        ({"instruction": "q", "input": "", "output": "a"}, Pair("q", "a")),
        ({"input": "q", "output": "a"}, Pair("q", "a")),
        ({"user query": "x", "Query": "q", "completion": "a", "category": "cards"}, Pair("q", "a", "cards")),
        ({"question": "q", "answer": "a", "session-id": 7}, Pair("q", "a", None, "7")),
        ({"question": 12, "answer": None}, Pair("12", "")),
        (
            {
                "messages": [
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": "q1"},
                    {"role": "assistant", "content": "a1"},
                    {"role": "user", "content": "q2"},
                    {"role": "assistant", "content": "a2"},
                    {"role": "user", "content": "thanks"},
                ]
            },
            Pair("q2", "a2"),
        ),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, Pair("q", "a")),
    ],
)
def test_columns_are_found_by_their_usual_names(tmp_path: Path, row: dict[str, Any], pair: Pair) -> None:
    assert list(read_pairs(put(tmp_path, "a.jsonl", lines(row)))) == [pair]


def test_or_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", lines({"question": "no", "frage": "q", "antwort": "a"}))
    assert list(read_pairs(path, question="frage", answer="antwort")) == [Pair("q", "a")]


def test_empty_questions_are_left_out_and_the_limit_counts_pairs(tmp_path: Path) -> None:
    rows = [{"question": " ", "answer": "a"}] + [{"question": f"q{n}", "answer": "a"} for n in range(9)]
    assert [pair.question for pair in read_pairs(put(tmp_path, "a.jsonl", lines(*rows)), limit=2)] == ["q0", "q1"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "question,answer\n", "no rows"),
        ("a.csv", 'question,answer\n"",x\n', "only empty ones"),
        ("a.csv", "id,text\n1,x\n", "no column looks like the question .*there are: 'id', 'text'.*--question"),
        ("a.csv", "question,text\n1,x\n", "no column looks like the answer .*there are: 'text'.*--answer"),
        ("a.csv", "question,answer\na,b,c\n", "line 2: more values than the header"),
        ("a.csv", 'question,answer\n"a"x,b\n', "line 2: not valid CSV"),
        ("a.csv", "question,answer\nFrüh,x\n".encode("latin-1"), "not UTF-8 .*0xfc"),
        ("a.jsonl", '{"question": "q", "answer": "a"}\n{"question": \n', "line 2: not valid JSON"),
        ("a.jsonl", '{"question": "q", "answer": "a"}\n[1]\n', "line 2: a JSON object was expected"),
        ("a.jsonl", '{"question": ["q"], "answer": "a"}\n', "line 1: column 'question' holds a list"),
        ("a.jsonl", '{"messages": "x"}\n', "line 1: chat messages were expected"),
        ("a.json", "[1, 2]", "not a JSON list of objects"),
        ("a.parquet", "question,answer\na,b\n", "no Parquet file"),
        ("a.parquet", b"PAR1 cut off", "no Parquet file"),
        ("missing", None, "there is no such file"),
        ("folder", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_gets_a_clear_error(
    tmp_path: Path, name: str, content: str | bytes | None, says: str
) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        put(tmp_path, name, content)
    with pytest.raises(BadFile, match=says) as caught:
        list(read_pairs(path))
    assert str(path) in str(caught.value)


def test_a_named_column_that_is_not_there_is_listed_against_those_that_are(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", csv_text())
    with pytest.raises(BadFile, match="no column 'frage' for the question; there are: 'question', 'answer'"):
        list(read_pairs(path, question="frage"))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadFile, match="pip install pyarrow"):
        list(read_pairs(put(tmp_path, "a.parquet", b"PAR1")))
