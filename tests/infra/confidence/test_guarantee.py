"""What `teachback guarantee` says: the promise, its evidence, its limits, and what is missing where there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import msgspec
import pytest

from teachback.infra.confidence.guarantee import Guarantee, adapters
from teachback.infra.confidence.words import exclusions, headline, words
from teachback.infra.history import Decisions
from teachback.schemas import Promise, Rule
from teachback.streams.guarantee import alpha_of, log_e_value, missing
from tests.infra.confidence import made

ADAPTER = f"{made.BOT}@v2"


def said(found: Guarantee) -> str:
    lines = (line for paragraph in words(found) for line in (paragraph.title, *paragraph.lines, *paragraph.points))
    return "\n".join((headline(found), *lines))


def test_a_promise_that_stands_is_told_with_its_evidence() -> None:
    found = made.guarantee(made.history(), made.decisions(made.certificate()), ADAPTER)
    text = said(found)
    assert found.stands and found.why == "stands"
    assert "at most 3 % of the answers that nobody looks at are wrong" in text
    assert "is false is at most 5 %, whenever one looks" in text
    assert "212 such answers were drawn by lot, whatever the score, and given to reviewers: 1 was wrong." in text
    assert "evidence 141 times what chance would give where 132 times were needed" in text
    assert "share one chance of 5 % that a promise is false; this one, the 2nd, has 0.8 percentage points of it" in text
    assert "None was left unsettled past its deadline (72 hours)" in text


def test_unsettled_audits_are_told_to_count_as_wrong() -> None:
    one = made.certificate(errors=3, unresolved=2)
    assert "2 had merely not been settled by its deadline" in said(
        made.guarantee(made.history(), made.decisions(one), ADAPTER)
    )


@pytest.mark.parametrize(
    "what", ["Overflow", "rule", "no customer asked", "audits have not shown yet", "Reviewers' own", "Another adapter"]
)
def test_what_it_does_not_cover_is_told(what: str) -> None:
    found = made.guarantee(made.history(100), made.decisions(made.certificate()), ADAPTER)
    assert any(what in one for one in exclusions(found))


def test_how_much_it_covers_is_counted_in_recent_traffic() -> None:
    past = made.history()
    found = made.guarantee(past, made.decisions(made.certificate()), ADAPTER)
    mine = past.live & (past.adapter == 1)
    assert found.traffic is not None and found.traffic.live == mine.sum()
    kept = mine & ~past.ruled & (past.confidence >= made.certificate().threshold)
    assert found.traffic.covered == kept.sum()
    assert f"{kept.sum():,} of {mine.sum():,} live answers" in said(found)


def test_the_alarm_tells_of_audits_since() -> None:
    quiet = made.guarantee(made.history(6000, wrong=0.02), made.decisions(made.certificate()), ADAPTER)
    assert quiet.alarm is not None and quiet.alarm.rang_after is None and quiet.alarm.audits > 20
    assert "The drift alarm is quiet" in said(quiet)
    worse = made.history(6000, wrong=0.35, settled=1.0, audit_rate=0.5)
    loud = made.guarantee(worse, made.decisions(made.certificate(threshold=0.2)), ADAPTER)
    assert loud.alarm is not None and loud.alarm.rang_after is not None
    assert "The drift alarm rang" in said(loud) and "to be withdrawn" in said(loud)


def test_where_nothing_is_certified_the_missing_clean_audits_are_counted() -> None:
    found = made.guarantee(made.history(1000), made.decisions(), ADAPTER)
    lacking = found.lacking
    assert found.why == "not yet" and lacking is not None
    alpha = alpha_of(1, 0.05)
    assert lacking.clean == missing(lacking.audits, lacking.errors, 0.03, alpha) > 0
    enough = float(log_e_value(lacking.audits + lacking.clean, lacking.errors, 0.03))
    assert enough >= -math.log(alpha)
    assert f"{lacking.clean:,} further audits without a single wrong answer would be enough" in said(found)
    assert "The policy's own threshold, 0.8, routes its answers." in said(found)


def test_a_certificate_that_is_due_is_told_with_who_issues_it() -> None:
    found = made.guarantee(made.history(6000, audit_rate=0.5, settled=1.0, wrong=0.03), made.decisions(), ADAPTER)
    assert found.why == "not yet" and found.due is not None and found.due.audits > 100
    assert found.lacking is None or found.lacking.coverage > found.due.coverage
    assert "its certificate is not on the log yet" in said(found) and "`calibration` issues it" in said(found)


def test_a_new_adapter_starts_from_nothing() -> None:
    found = made.guarantee(made.history(1000), made.decisions(), "support@v9")
    assert found.lacking is not None and (found.lacking.audits, found.lacking.errors) == (0, 0)
    assert "The adapter has no live traffic there yet, so no day can be named." in said(found)


@pytest.mark.parametrize(
    ("decided", "why", "told"),
    [
        (Decisions, "no policy", "has no policy yet"),
        (lambda: made.decisions(promise=None), "no promise", "a person alone sets the threshold"),
        (lambda: made.decisions(calibrations=0), "no walk", "No calibration has been fitted"),
        (
            lambda: made.decisions(made.certificate(), made.certificate(id="x", state="withdrawn", reason="drift")),
            "withdrawn",
            "withdrawn on 24 May 2026, 00:00 UTC: drift",
        ),
        (
            lambda: made.decisions(made.certificate(), promise=Promise(target=0.01)),
            "changed",
            "for other rules, or for a weaker promise",
        ),
    ],
)
def test_why_nothing_is_promised_is_told(decided: Callable[[], Decisions], why: str, told: str) -> None:
    found = made.guarantee(made.history(500), decided(), ADAPTER)
    assert (found.why, found.stands) == (why, False)
    assert told in said(found)
    assert headline(found) == "No promise stands for support@v2."


def test_a_certificate_for_other_rules_does_not_stand() -> None:
    one = made.certificate()
    decided = made.decisions(one)
    ruled = msgspec.structs.replace(decided.policies[0].event, rules=(Rule(name="fees", topic="fees"),))
    changed = decided._replace(policies=(decided.policies[0]._replace(event=ruled),))
    assert made.guarantee(made.history(500), changed, ADAPTER).why == "changed"


def test_an_adapter_out_of_service_is_named_so() -> None:
    found = made.guarantee(made.history(500), made.decisions(made.certificate()), ADAPTER, champion="support@v3")
    assert headline(found).startswith("A promise stands for support@v2 (not in service)")


def test_a_policy_that_draws_no_audits_is_told_to() -> None:
    decided = made.decisions()
    none = msgspec.structs.replace(decided.policies[0].event, audit_rate=0.0)
    decided = decided._replace(policies=(decided.policies[0]._replace(event=none),))
    found = made.guarantee(made.history(500, audit_rate=0.0), decided, ADAPTER)
    assert "the policy draws no audits" in said(found)


def test_those_asked_about_are_the_one_in_service_and_whoever_answers_or_is_certified() -> None:
    past, decided = made.history(500), made.decisions(made.certificate(adapter="support@v7"))
    names = adapters(past, made.state(past, decided), "support@v2")
    assert names == ("support@v2", "support@v1", "support@v7")


def test_sentences_hold_no_raw_floats_and_no_control_characters() -> None:
    one = made.certificate(adapter="a\x1b[31m\n\u202eb", threshold=0.8700000001, e_value=1234567.891)
    text = said(made.guarantee(made.history(500), made.decisions(one), one.adapter))
    assert "\x1b" not in text and "\u202e" not in text
    assert not re.search(r"\d\.\d{5,}", text)


def test_a_certificate_that_makes_no_sense_is_told_and_stops_nothing() -> None:
    odd = made.certificate(alpha=0.0, target=0.0, confidence=1.0, e_value=0.0, audits=0, errors=0)
    text = said(made.guarantee(made.history(500), made.decisions(odd), ADAPTER))
    assert "at most 0 % of the answers" in text and "0 such answers were drawn by lot" in text
