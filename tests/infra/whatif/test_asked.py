"""What people ask for, as fields of a policy; and the times that they ask about."""

from __future__ import annotations

from typing import Any

import pytest

from teachback.infra.policy import PolicyError, changed, differences
from teachback.infra.whatif.asked import Asked, Limit, Weight, limit, positive, proper_share, share, weight
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.record import changes_told, versions_told
from teachback.infra.whatif.times import moment
from teachback.schemas import Rule
from teachback.schemas.policy import Promise
from tests.infra.whatif.making import SALT, policy

CARDS = Rule(name="cards", topic="cards")
BEFORE = policy(weights={"cards": 2.0, "loans": 3.0}, rules=(CARDS, Rule(name="fees", pattern="fee")))


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (Asked(threshold=0.5, audit_rate=0.0, overlap=3), {"threshold": 0.5, "audit_rate": 0.0, "overlap": 3}),
        (Asked(budget=Limit(0)), {"budget": 0}),
        (Asked(budget=Limit(None)), {"budget": None}),
        (Asked(audit_hours=24.0, thumbs_down="ignore"), {"audit_hours": 24.0, "thumbs_down": "ignore"}),
        (Asked(weights=(Weight("fees", 0.0), Weight("cards", 1.0))), {"weights": {"loans": 3.0, "fees": 0.0}}),
        (Asked(remove_rules=("cards",)), {"rules": BEFORE.rules[1:]}),
        (Asked(rule="cards", escalated=True), {"rules": (Rule(name="cards", escalated=True), BEFORE.rules[1])}),
        (
            Asked(rule="new", topic="t", pattern="p"),
            {"rules": (*BEFORE.rules, Rule(name="new", topic="t", pattern="p"))},
        ),
        (Asked(rule="new", topic="t", remove_rules=("cards", "fees")), {"rules": (Rule(name="new", topic="t"),)}),
        (Asked(promise=True), {"promise": Promise()}),
        (Asked(promise=False), {"promise": None}),
        (Asked(target=0.05, start=0.3), {"promise": Promise(target=0.05, start=0.3)}),
    ],
)
def test_what_is_asked_becomes_fields_and_the_rest_stays(asked: Asked, changes: dict[str, Any]) -> None:
    assert asked
    assert asked.changes(BEFORE) == changes
    after = changed(BEFORE, changes)
    assert {name: getattr(after, name) for name in changes} == changes
    assert set(differences(BEFORE, after)) <= set(changes)


def test_a_promise_keeps_what_is_not_asked_about() -> None:
    promised = policy(promise=Promise(target=0.1, confidence=0.9, steps=7))
    assert Asked(target=0.05).changes(promised) == {"promise": Promise(target=0.05, confidence=0.9, steps=7)}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(topic="cards"), "name it with --rule NAME"),
        (Asked(escalated=False, remove_rules=("cards",)), "name it with --rule NAME"),
        (Asked(rule="empty"), "'empty' states no condition"),
        (Asked(rule=" ", topic="cards"), "a rule's name is empty"),
        (Asked(rule="bad", pattern="(fee"), "'bad': its pattern is no regular expression"),
        (Asked(rule="bad", pattern=""), "'bad' has an empty topic or pattern"),
        (Asked(remove_rules=("card",)), "there is no rule 'card' to remove; there are cards, fees"),
        (Asked(promise=False, target=0.1), "leave --target, --confidence and --start out"),
    ],
)
def test_what_goes_ill_together_is_told(asked: Asked, said: str) -> None:
    with pytest.raises(PolicyError, match="^.*" + said.replace("(", r"\(")):
        asked.changes(BEFORE)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 1.5}, "can't be a policy"),
        ({"threshold": float("nan")}, "can't be a policy"),
        ({"audit_hours": float("inf")}, "audit_hours is inf"),
        ({"audit_hours": 0.0}, "can't be a policy"),
        ({"feedback_days": 31.0}, "can't be a policy"),
        ({"weights": {"cards": -1.0}}, "weight of topic 'cards' is -1"),
        ({"weights": {"cards": float("inf")}}, "weight of topic 'cards' is inf"),
        ({"rules": (CARDS, CARDS)}, "two rules called 'cards'"),
        ({"rules": (Rule(name="none"),)}, "states no condition"),
        ({"promise": {"target": 1.0}}, "can't be a policy"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        changed(BEFORE, changes)


def test_nothing_asked_is_nothing() -> None:
    assert not Asked()
    assert Asked().changes(BEFORE) == {}


def test_the_next_version_keeps_no_reason_and_is_no_difference_by_itself() -> None:
    first = changed(BEFORE, {"reason": "why"})
    assert (first.version, first.reason, differences(BEFORE, first)) == (2, "why", ())
    assert changed(first, {"threshold": 0.1}).reason is None


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (share, "0", 0.0),
        (share, "1", 1.0),
        (proper_share, "0.03", 0.03),
        (positive, "0.5", 0.5),
        (limit, "120", Limit(120)),
        (limit, "None", Limit(None)),
        (weight, "a=b=0.5", Weight("a=b", 0.5)),
    ],
)
def test_options_are_read(parse: Any, text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (share, ("nan", "1.01", "-0.1", "x", "")),
        (proper_share, ("0", "1", "nan")),
        (positive, ("0", "inf", "nan", "-1")),
        (limit, ("-1", "1.5", "lots", "²")),
        (weight, ("cards", "cards=", "=2", "cards=-1", "cards=nan", "cards=inf")),
    ],
)
def test_an_option_that_is_no_value_is_quoted(parse: Any, texts: tuple[str, ...]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=repr(text) + " is no "):
            parse(text)


def test_a_change_takes_the_fields_that_route() -> None:
    after = changed(BEFORE, {"threshold": 0.5, "feedback_days": 3.0, "budget": None, "reason": "r"})
    assert Change.between(BEFORE, after) == Change(threshold=0.5)
    assert Change.of(after, ("budget", "feedback_days")) == Change(budget=None)
    assert Change(budget=None) and not Change()


def test_versions_are_told_by_what_they_changed_and_salts_never() -> None:
    rules = (CARDS, Rule(name="odd", pattern="a|b", escalated=False))
    second = changed(BEFORE, {"threshold": 0.6, "rules": rules, "weights": {}, "promise": Promise()})
    third = changed(second, {"audit_salt": "a new secret"})
    told = versions_told([BEFORE, second, third])
    assert told[0] == "threshold 0.8, audit_rate 10 %"
    assert told[1].splitlines() == [
        "threshold 0.8 → 0.6",
        'rules cards: topic cards; fees: pattern "fee" → cards: topic cards; odd: pattern "a|b", not escalated',
        "weights cards=2, loans=3 → none",
        "promise none → at most 3.0 % wrong, 95 % sure, from 20 % coverage in 50 steps",
    ]
    assert told[2] == "audit_salt changed: another part of traffic is drawn"
    assert SALT not in str(changes_told(BEFORE, third)) and "secret" not in str(told)


NOW = 1_800_000_000_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("24h", NOW - 24 * HOUR),
        ("7d", NOW - 7 * 24 * HOUR),
        ("2W", NOW - 14 * 24 * HOUR),
        ("90 m", NOW - 90 * 60_000),
        ("1.5h", NOW - 90 * 60_000),
        ("0d", NOW),
        ("2026-05-31", 1_780_185_600_000),
        ("2026-05-31T14:00Z", 1_780_185_600_000 + 14 * HOUR),
        ("2026-05-31T16:00+02:00", 1_780_185_600_000 + 14 * HOUR),
    ],
)
def test_a_time_is_so_long_ago_or_a_date(text: str, at: int) -> None:
    assert moment(text, NOW) == at


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "is no time: give how long ago"),
        ("7", "is no time"),
        ("-7d", "is no time"),
        ("7y", "is no time"),
        ("", "is no time"),
        ("2026-13-01", "is no time"),
        ("2099-01-01", "lies in the future"),
        ("99999999w", "lies too far back"),
    ],
)
def test_what_is_no_time_is_told_with_examples(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        moment(text, NOW)
