"""Questions and answers out of anyone's file: the columns are found by their usual names, or named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from teachback.producers.errors import BadFile
from teachback.producers.rows import rows_of

QUESTIONS = ("question", "prompt", "instruction", "query", "user", "input", "request", "message")
ANSWERS = ("answer", "output", "response", "completion", "reply", "assistant", "chosen", "target")
TOPICS = ("topic", "category", "intent")
CONVERSATIONS = ("conversation", "conversation_id", "session_id", "thread_id")
MESSAGES = ("messages", "conversations")


class Pair(NamedTuple):
    """A question and its answer; topic and conversation where the file has them."""

    question: str
    answer: str
    topic: str | None = None
    conversation: str | None = None


class Columns(NamedTuple):
    """Which column holds what. `context` is appended to the question (Alpaca's `input`)."""

    question: str
    answer: str
    context: str | None
    topic: str | None
    conversation: str | None


def read_pairs(
    path: Path | str, question: str | None = None, answer: str | None = None, limit: int | None = None
) -> Iterator[Pair]:
    """The pairs of a CSV, JSON, JSON Lines or Parquet file, at most `limit`; rows without a question are left out.

    `question` and `answer` name the columns; without them the first of the usual names is taken, and rows of chat
    `messages` give the last user message and the assistant's reply to it. Raises BadFile, which says what was found.
    """
    path, count = Path(path), 0
    columns: Columns | None = None
    for where, row in rows_of(path):
        if columns is None:
            columns = _columns(path, list(row), question, answer)
        pair = _pair(path, where, row, columns)
        if pair is None:
            continue
        yield pair
        count += 1
        if count == limit:
            return
    if count == 0:
        raise BadFile(f"{path} holds no question: it has {'only empty ones' if columns else 'no rows'}")


def _columns(path: Path, names: Sequence[str], question: str | None, answer: str | None) -> Columns:
    messages = _find(names, MESSAGES)
    if messages is not None and question is None and answer is None:
        return Columns(messages, messages, None, _find(names, TOPICS), _find(names, CONVERSATIONS))
    asked = _named(path, names, question, "question", QUESTIONS)
    answered = _named(path, [name for name in names if name != asked], answer, "answer", ANSWERS)
    context = _find(names, ("input",)) if asked.lower() == "instruction" else None
    return Columns(
        asked, answered, None if context == answered else context, _find(names, TOPICS), _find(names, CONVERSATIONS)
    )


def _named(path: Path, names: Sequence[str], given: str | None, what: str, usual: Sequence[str]) -> str:
    there = ", ".join(repr(name) for name in names) or "none"
    if given is not None:
        if given not in names:
            raise BadFile(f"{path} has no column {given!r} for the {what}; there are: {there}")
        return given
    found = _find(names, usual)
    if found is None:
        raise BadFile(
            f"{path}: no column looks like the {what} (such as {', '.join(usual[:4])}); there are: {there}. "
            f"Name it with --{what}"
        )
    return found


def _find(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The column with the first of the usual names; case, blanks and hyphens do not count."""
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(names)}
    return next((plain[one] for one in usual if one in plain), None)


def _pair(path: Path, where: str, row: Mapping[str, Any], columns: Columns) -> Pair | None:
    topic, conversation = (_optional(row.get(name)) if name else None for name in columns[3:])
    if columns.question == columns.answer:
        question, answer = _turn(path, where, row.get(columns.question))
    else:
        question, answer = (_text(path, where, row, name) for name in columns[:2])
        if columns.context is not None and (context := _text(path, where, row, columns.context)):
            question = f"{question}\n{context}"
    return Pair(question, answer, topic, conversation) if question else None


def _text(path: Path, where: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, list | dict):
        raise BadFile(f"{path}, {where}: column {name!r} holds a {type(value).__name__}, where text was expected")
    return "" if value is None else str(value).strip()


def _optional(value: Any) -> str | None:
    return str(value).strip()[:100] or None if value is not None else None


def _turn(path: Path, where: str, messages: Any) -> tuple[str, str]:
    """The last user message that was answered, and the answer."""
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise BadFile(f"{path}, {where}: chat messages were expected: a list of objects with role and content")
    turns = [(one.get("role") or one.get("from"), one.get("content") or one.get("value") or "") for one in messages]
    for before, after in zip(reversed(turns[:-1]), reversed(turns[1:]), strict=True):
        if before[0] in {"user", "human"} and after[0] in {"assistant", "gpt"}:
            return str(before[1]).strip(), str(after[1]).strip()
    return "", ""
