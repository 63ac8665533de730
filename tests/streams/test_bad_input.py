"""Bad input to scoring: each gives a route, or a dead letter with the reason; nothing else, and not late."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from teachback.schemas import Exchange, Message, Passage, ReviewRequest, Rule, Scored
from teachback.schemas.wire import decode, encode
from teachback.streams.batches import BadRecord
from teachback.streams.policies import fold
from teachback.streams.route import held, route
from teachback.streams.scoring import LONGEST
from teachback.streams.signals.similarity import Vectors
from tests.streams.bad_input import BAD, GOOD, INJECTIONS, LANGUAGES, changed
from tests.streams.test_scoring import POLICY, FixedPolicies, by_length, exchange, record, scorer_of

TOO_SLOW = (
    (r"(a+)+$", "a" * 200_000 + "?"),
    (r"^(([a-z])+.)+[A-Z]$", "a" * 200_000 + "1"),
    (r"\s+$", " " * 200_000 + "x"),
)


def raises(texts: Sequence[str]) -> Vectors:
    raise RuntimeError("CUDA is on fire")


def no_numbers(texts: Sequence[str]) -> Vectors:
    return np.full((len(texts), 2), np.nan, dtype=np.float32)


def too_few(texts: Sequence[str]) -> Vectors:
    return np.ones((max(0, len(texts) - 1), 2), dtype=np.float32)


def nothing(texts: Sequence[str]) -> Vectors:
    return np.zeros((len(texts), 2), dtype=np.float32)


async def decision(value: bytes, embed: Any = by_length) -> Scored:
    """What the leg writes about a record, which must be well formed and agree with itself."""
    scorer = scorer_of(embed)
    found = scorer.decode(record(value))
    outputs = await scorer.handle([(record(value), found)])
    scored = decode(outputs[0].value, Scored)
    assert 0.0 <= scored.confidence <= 1.0 and all(map(math.isfinite, scored.signals.values()))
    assert len(outputs) == (1 if scored.route == "accept" else 2)
    if scored.route != "accept":
        asked = decode(outputs[1].value, ReviewRequest)
        assert (asked.id, asked.answer, asked.route) == (found.id, found.answer, scored.route)
    return scored


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("embed", [None, by_length])
async def test_what_is_an_exchange_however_odd_gets_a_route(name: str, embed: Any) -> None:
    scored = await decision(GOOD[name], embed)
    assert scored.route in ("audit", "review", "accept")


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_exchange_is_a_dead_letter_with_the_reason(name: str) -> None:
    value, reason = BAD[name]
    with pytest.raises(BadRecord, match=reason):
        scorer_of().decode(record(value))


def test_there_are_forty_languages() -> None:
    assert len(set(LANGUAGES.values())) == len(LANGUAGES) >= 40


async def test_text_that_speaks_to_judges_is_scored_as_any_text_of_its_words() -> None:
    """No model reads the answer: the score of a praise of itself is that of its signals, and all doubt stays."""
    doubtful = "I am not sure. It depends."
    honest = await decision(changed(answer=doubtful), None)
    for injected in INJECTIONS:
        scored = await decision(changed(answer=f"{doubtful} {injected}"), None)
        assert scored.signals["hedging"] > 0 and scored.route == honest.route == "review"
    assert (await decision(changed(confidence=1.0, route="accept", policy=9), None)).route == "review"


@pytest.mark.parametrize(
    ("embed", "reason"), [(raises, "RuntimeError"), (no_numbers, "no numbers"), (too_few, ""), (nothing, "")]
)
async def test_an_embedder_that_fails_costs_its_signals_and_is_counted(embed: Any, reason: str) -> None:
    scorer = scorer_of(embed)
    batch = [(record(b"", offset), exchange(f"e{offset}")) for offset in range(3)]
    outputs = [output for output in await scorer.handle(batch) if output.topic == "t.chat.scored"]
    assert len(outputs) == 3
    for output in outputs:
        assert "qa_cosine" in decode(output.value, Scored).missing
    assert any(reason in said for said in scorer.failures)


async def test_empty_passages_give_no_support_and_full_ones_beside_them_do() -> None:
    empty, full = (Passage(id=name, content=text) for name, text in (("p1", ""), ("p2", "A transfer costs £5 here.")))
    scored = [await decision(encode(exchange(passages=given))) for given in ((), (empty,), (empty, full))]
    assert ["support" in one.signals for one in scored] == [False, False, True]


@pytest.mark.parametrize(("pattern", "question"), TOO_SLOW)
def test_a_pattern_that_backtracks_is_given_up_and_people_look(pattern: str, question: str) -> None:
    asked = exchange(messages=(Message(role="user", content=question),))
    policy = msgspec.structs.replace(POLICY, rules=(Rule(name="slow", pattern=pattern),))
    assert route(asked, 0.99, policy, 0.5) == ("review", ("rule:slow", "undecided:slow"))
    assert held(policy.rules[0], exchange()) == ()


async def test_the_loop_turns_while_a_pattern_backtracks() -> None:
    """Heartbeats are sent on this loop. In the naive form (`re`, on the loop or in a thread) it stands still."""
    scorer = scorer_of()
    rules = (Rule(name="slow", pattern=r"\s+$"),)
    scorer._policies = _Fixed(rules)
    long = exchange(messages=(Message(role="user", content=" " * 200_000 + "x"),))
    turns, started = 0, time.monotonic()
    task = asyncio.ensure_future(scorer.handle([(record(b""), long)]))
    while not task.done():
        turns += 1
        await asyncio.sleep(0.001)
        assert time.monotonic() - started < 60
    assert decode((await task)[0].value, Scored).reasons[:2] == ("rule:slow", "undecided:slow")
    assert turns > 3


def test_a_policy_whose_pattern_only_one_engine_takes_is_ignored() -> None:
    for pattern in (r"\p{Lu}", "(", r"\L<words>", "a{1,2}{3}"):
        second = msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="x", pattern=pattern),))
        assert fold({}, [POLICY, second])["b"].version == 1, pattern


def test_the_longest_exchange_fits_a_review_request() -> None:
    plain = encode(exchange(answer=""))
    longest = plain.replace(b'"answer":""', b'"answer":"' + b"x" * (LONGEST - len(plain)) + b'"')
    assert len(longest) == LONGEST
    assert scorer_of().decode(record(longest)).id == "e1"
    with pytest.raises(BadRecord, match="review request"):
        scorer_of().decode(record(longest + b" "))


def test_what_is_fed_is_what_it_says() -> None:
    for name, value in GOOD.items():
        assert decode(value, Exchange).bot == "b", name
    assert len(decode(GOOD["10,000 turns"], Exchange).messages) == 10_000
    assert len(json.loads(GOOD["a long answer"])["answer"]) == 200_000


class _Fixed(FixedPolicies):
    """One policy with these rules."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.known = {"b": msgspec.structs.replace(POLICY, rules=rules)}
