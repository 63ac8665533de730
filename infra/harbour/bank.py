"""Harbour Bank's inbox as typed values, read from the TOML files beside this module."""

import random
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import msgspec

Topic = Literal[
    "accounts",
    "app",
    "branches",  # and cash: machines, counters, cheques, the phone line
    "business",
    "cards",
    "disputes",
    "loans",
    "mortgages",
    "overdrafts",
    "savings",
    "transfers",
    "travel",
]
"""What a question is about; each topic's facts are the file `facts/<topic>.toml`."""

TOPICS: tuple[Topic, ...] = get_args(Topic)


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the bank, with the ways in which customers ask about it."""

    id: str
    topic: Topic
    answer: str
    """The right answer, one or two sentences."""
    figures: tuple[str, ...]
    """What makes an answer right: the fees, days, limits and rates, as they stand literally in `answer`."""
    sloppy_edit: str
    """The answer as a careless reviewer would leave it: the same tone, exactly one figure wrong."""
    held_out: str
    """The wording that is never in the traffic: it is asked before and after training."""
    wordings: tuple[str, ...]
    """The wordings that make up the traffic."""


class SmallTalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that no fact answers, and a reply that leads back to banking."""

    id: str
    question: str
    answer: str


class Ask(msgspec.Struct, frozen=True):
    """One message as a customer sends it, with what a good answer would be."""

    id: str
    """The fact's id, or the small talk's: the two never share one."""
    topic: Topic | Literal["smalltalk"]
    question: str
    reference: str
    figures: tuple[str, ...]
    """What `has_figures` checks in an answer; empty for small talk."""


@cache
def facts() -> tuple[Fact, ...]:
    """Every fact, by topic in the order of `TOPICS`, then in the order of its file."""
    return tuple(
        msgspec.convert({"topic": topic} | row, Fact)
        for topic in TOPICS
        for row in _rows("fact", "facts", f"{topic}.toml")
    )


@cache
def smalltalk() -> tuple[SmallTalk, ...]:
    """Every out-of-scope message, in the order of its file."""
    return msgspec.convert(_rows("smalltalk", "smalltalk.toml"), tuple[SmallTalk, ...])


def traffic(seed: int) -> list[Ask]:
    """Every traffic wording of every fact and all small talk, once each, in an order that `seed` alone decides."""
    asks = [_ask(fact, wording) for fact in facts() for wording in fact.wordings]
    asks += [Ask(talk.id, "smalltalk", talk.question, talk.answer, ()) for talk in smalltalk()]
    random.Random(seed).shuffle(asks)
    return asks


def held_out() -> list[Ask]:
    """The held-out wording of each fact, in the order of `facts()`."""
    return [_ask(fact, fact.held_out) for fact in facts()]


def _ask(fact: Fact, question: str) -> Ask:
    return Ask(fact.id, fact.topic, question, fact.answer, fact.figures)


def _rows(table: str, *path: str) -> list[dict[str, Any]]:
    """The array of tables called `table` in the TOML file at `path` inside this package."""
    text = resources.files(__package__).joinpath(*path).read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = msgspec.toml.decode(text)[table]
    return rows
