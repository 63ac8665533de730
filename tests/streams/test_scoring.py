"""Signals, confidence, routing, and the scoring leg's handler; all pure."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import (
    Calibration,
    Exchange,
    Message,
    Policy,
    Quality,
    ReviewRequest,
    Rule,
    Scored,
    TokenLogprob,
    TopLogprob,
)
from teachback.schemas.event import now
from teachback.schemas.wire import Cluster, decode, encode
from teachback.streams.batches import BadRecord, Record
from teachback.streams.calibrations import Standing
from teachback.streams.confidence import confidence
from teachback.streams.policies import fold
from teachback.streams.route import drawn, route
from teachback.streams.scoring import Scorer
from teachback.streams.signals import SIGNALS, TIER_ONE, tier_zero
from teachback.streams.signals.similarity import Vectors
from teachback.streams.signals.tier_one import tier_one

POLICY = Policy(id="p1", bot="b", created=now(), version=1, threshold=0.6, audit_rate=0.0, audit_salt="0123456789")


def exchange(name: str = "e1", **fields: Any) -> Exchange:
    given = {
        "messages": (Message(role="user", content="What does a transfer cost?"),),
        "answer": "A transfer costs £5.",
        "conversation": "c1",
        "model": "m",
        "adapter": "b@v0",
    }
    return Exchange(id=name, bot="b", created=now(), **(given | fields))


def by_length(texts: Sequence[str]) -> Vectors:
    """A tiny embedder: texts of equal length are the same."""
    return np.array([[math.cos(len(t)), math.sin(len(t))] for t in texts], dtype=np.float32)


class FixedPolicies:
    """Policies that never change."""

    known = {"b": POLICY}

    def refresh(self) -> dict[str, Policy]:
        return self.known


class FixedCalibrations:
    """What stands, and never changes."""

    def __init__(self, standing: Standing = Standing()) -> None:  # noqa: B008 (it is frozen)
        self.known = {"b": standing}

    def refresh(self) -> dict[str, Standing]:
        return self.known


def scorer_of(embed: Any = None, standing: Standing | None = None) -> Scorer:
    return Scorer(
        Cluster(bootstrap="x", prefix="t."), FixedPolicies(), FixedCalibrations(standing or Standing()), embed
    )


def record(value: bytes, offset: int = 0) -> Record:
    return cast(Record, msgspec.defstruct("R", ["value", "partition", "offset"])(value, 0, offset))


def test_signals_that_an_exchange_cannot_give_are_absent_and_named() -> None:
    found = tier_zero(exchange())
    assert set(found) == {"log_words", "hedging", "refusal", "repetition", "question_overlap"}
    assert set(SIGNALS) - set(found) == {
        *("mean_logprob", "head_logprob", "min_logprob", "entropy", "cut_off", "disagreement", "figures_cited"),
        *TIER_ONE,
    }


def test_log_probabilities_become_mean_minimum_and_entropy() -> None:
    even = tuple(TopLogprob(token=t, logprob=math.log(0.5)) for t in "ab")
    tokens = (TokenLogprob(token="a", logprob=-1.0, top_logprobs=even), TokenLogprob(token="b", logprob=-3.0))
    found = tier_zero(exchange(logprobs=tokens, finish_reason="length", samples=("A transfer costs £5.", "no idea")))
    assert (found["mean_logprob"], found["min_logprob"], found["cut_off"]) == (-2.0, -3.0, 1.0)
    assert found["entropy"] == pytest.approx(math.log(2), abs=1e-5)
    assert found["disagreement"] == pytest.approx((0 + 1 + 1) / 3, abs=1e-5)


@pytest.mark.parametrize("bad", [math.nan, -math.inf, math.inf])
def test_log_probabilities_that_are_no_numbers_are_left_out(bad: float) -> None:
    tokens = (TokenLogprob(token="a", logprob=bad), TokenLogprob(token="b", logprob=-1.0))
    assert tier_zero(exchange(logprobs=tokens))["mean_logprob"] == -1.0
    assert "mean_logprob" not in tier_zero(exchange(logprobs=tokens[:1]))


def test_hedging_counts_phrases_a_sentence() -> None:
    assert tier_zero(exchange(answer="I'm not sure. It depends."))["hedging"] == 1.0
    assert tier_zero(exchange(answer="It is £5."))["hedging"] == 0.0


def test_cosine_is_missing_where_there_is_no_text_and_the_neighbours_have_it() -> None:
    batch = [exchange(), exchange(answer="  "), exchange(answer="x")]
    found = [signals.get("qa_cosine") for signals in tier_one(batch, by_length, None, Counter())]
    assert found[1] is None
    assert found[0] == pytest.approx(math.cos(26 - 20), abs=1e-4)
    assert found[2] == pytest.approx(math.cos(26 - 1), abs=1e-4)


@given(st.dictionaries(st.sampled_from(SIGNALS), st.floats(-1e6, 1e6)))
def test_confidence_is_a_probability_whatever_the_signals(signals: dict[str, float]) -> None:
    assert 0.0 <= confidence(signals) <= 1.0


def test_confidence_rises_with_closeness_and_falls_with_hedging() -> None:
    assert (
        confidence({"qa_cosine": 0.8}) > confidence({"qa_cosine": 0.4}) > confidence({"qa_cosine": 0.4, "hedging": 1})
    )


def test_the_lot_is_drawn_over_live_traffic_before_the_score_counts() -> None:
    always = msgspec.structs.replace(POLICY, audit_rate=1.0)
    assert route(exchange(), 0.99, always, 0.6).route == "audit"
    assert route(exchange(), 0.01, always, 0.6).route == "audit"
    for source in ("batch", "replay", "synthetic", "gold"):
        assert route(exchange(source=source), 0.01, always, 0.6).route == "review"


def test_the_lot_is_fair_and_is_the_same_for_the_same_exchange() -> None:
    hits = [drawn("salt-salt", f"exchange-{i}", 0.1) for i in range(20_000)]
    assert 0.09 < sum(hits) / len(hits) < 0.11
    assert hits == [drawn("salt-salt", f"exchange-{i}", 0.1) for i in range(20_000)]
    assert hits != [drawn("other-salt", f"exchange-{i}", 0.1) for i in range(20_000)]


def test_doubt_rules_and_replays_go_to_review_with_their_reasons() -> None:
    rules = (Rule(name="fees", pattern="TRANSFER"), Rule(name="fraud", topic="fraud"), Rule(name="empty"))
    policy = msgspec.structs.replace(POLICY, rules=rules)
    assert route(exchange(), 0.9, POLICY, 0.6) == ("accept", ())
    assert route(exchange(), 0.5, POLICY, 0.6) == ("review", ("confidence<0.6",))
    assert route(exchange(), 0.9, policy, 0.6) == ("review", ("rule:fees",))
    assert route(exchange(topic="fraud", source="replay"), 0.1, policy, 0.6).reasons == (
        "rule:fees",
        "rule:fraud",
        "replay",
        "confidence<0.6",
    )


def test_an_audit_names_what_else_would_have_held() -> None:
    policy = msgspec.structs.replace(POLICY, audit_rate=1.0, rules=(Rule(name="handed over", escalated=True),))
    assert route(exchange(), 0.5, policy, 0.6).reasons == ("audit", "confidence<0.6")
    assert route(exchange(escalated=True), 0.9, policy, 0.6).reasons == ("audit", "rule:handed over")


async def test_the_newest_calibration_scores_where_no_certificate_stands() -> None:
    even = Quality(n=1, wrong=0, ece=0.0, brier=0.0)
    weights = {"intercept": 2.0, "terms": (), "labels": 1, "audits": 0, "wrong": 0, "sha256": "0", "quality": even}
    one = Calibration(id="k1", bot="b", created=now(), version=1, **cast(Any, weights))
    other = msgspec.structs.replace(one, id="k2", version=2, intercept=-2.0)
    standing = Standing({1: one, 2: other}, {})
    decided = decode((await scorer_of(None, standing).handle([(record(b""), exchange())]))[0].value, Scored)
    assert (decided.calibration, decided.certificate, decided.threshold, decided.route) == (2, None, 0.6, "review")


def test_a_policy_that_is_not_the_next_or_has_a_broken_rule_is_ignored() -> None:
    second = msgspec.structs.replace(POLICY, version=2, threshold=0.1)
    patterns = ("(", "a{99999999999999999999}", "(?a)(?u)b", "(" * 3000)
    assert fold({}, [second]) == {}
    assert fold({}, [POLICY, POLICY, second])["b"].threshold == 0.1
    for pattern in patterns:
        broken = msgspec.structs.replace(second, rules=(Rule(name="x", pattern=pattern),))
        assert fold({}, [POLICY, broken])["b"].version == 1


@pytest.mark.parametrize("extreme", [-745.0, -1e308])
def test_log_probabilities_at_the_edge_of_floats_give_finite_signals(extreme: float) -> None:
    top = tuple(TopLogprob(token=str(n), logprob=value) for n, value in enumerate((0.0, 0.0, extreme)))
    rows = (TokenLogprob(token="a", logprob=extreme, top_logprobs=top),) * 40
    assert all(map(math.isfinite, tier_zero(exchange(logprobs=rows)).values()))


async def test_two_bots_that_use_the_same_id_both_get_a_decision() -> None:
    scorer = scorer_of()
    other = msgspec.structs.replace(exchange(), bot="c")
    assert scorer._first(record(b"", 0), exchange())
    assert scorer._first(record(b"", 1), other)


async def test_a_batch_gives_a_decision_each_and_requests_for_the_doubtful() -> None:
    scorer = scorer_of(by_length)
    close = exchange("close", answer="A transfer costs £5 flat!!")  # as long as the question: cosine 1
    batch = [(record(b"", 0), close), (record(b"", 1), exchange("far", answer="xyz"))]
    outputs = await scorer.handle(batch)
    assert [output.topic for output in outputs] == ["t.chat.scored", "t.chat.scored", "t.review.requests"]
    first, second = (decode(outputs[i].value, Scored) for i in (0, 1))
    assert (first.id, first.route, second.id, second.route) == ("close", "accept", "far", "review")
    assert first.policy == 1
    assert "disagreement" in first.missing
    asked = decode(outputs[2].value, ReviewRequest)
    assert (asked.id, asked.answer, asked.confidence) == ("far", "xyz", second.confidence)
    assert "xyz" not in json.loads(outputs[1].value).values()


async def test_an_exchange_is_decided_once_but_a_batch_read_again_is_scored_again() -> None:
    scorer = scorer_of()
    first, again = (record(b"", 0), exchange()), (record(b"", 7), exchange())
    assert len(await scorer.handle([first, again])) == 2
    assert await scorer.handle([again]) == []
    assert len(await scorer.handle([first])) == 2


def test_what_cannot_be_scored_is_a_bad_record_with_the_reason() -> None:
    scorer = scorer_of()
    assert scorer.decode(record(encode(exchange()))).id == "e1"
    with pytest.raises(BadRecord, match="exchange/1"):
        scorer.decode(record(b"garbage"))
    with pytest.raises(BadRecord, match="no policy"):
        scorer.decode(record(encode(msgspec.structs.replace(exchange(), bot="other"))))
