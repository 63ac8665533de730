"""Replaying routes on what the log keeps gives what the router itself would have done."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from teachback.infra.history import AUDIT, Decisions, History, HistoryError, Timed
from teachback.infra.history.columns import ROUTES
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.rescore import rescored
from teachback.infra.whatif.routes import Routes, as_it_was, as_it_would_have_been, weights_of_audits
from teachback.infra.whatif.rules import replayed_rules
from teachback.schemas import Calibration, Rule
from teachback.schemas.calibration import Quality, Term
from teachback.streams.confidence import confidence
from tests.infra.whatif.making import BOT, decisions, policy, traffic

STRICT, LOOSE = policy(1, threshold=0.8, audit_rate=0.1), policy(2, threshold=0.6, audit_rate=0.3, audit_salt="another")
CARDS = Rule(name="cards", topic="cards")
FEES = Rule(name="fees", pattern="FEE")
ODD = Rule(name="odd", topic="loans", pattern="rate$")


def names(routes: Routes) -> list[str]:
    """What each row's masks say."""
    assert np.all(routes.audit.astype(int) + routes.accept + routes.review == 1)
    return [
        "audit" if audit else "accept" if accept else "review"
        for audit, accept in zip(routes.audit, routes.accept, strict=True)
    ]


def replayed(history: History, known: Decisions, **fields: Any) -> list[str]:
    was = as_it_was(history, known)
    return names(as_it_would_have_been(history, known, Change(**fields), was))


def test_as_it_was_is_what_was_recorded() -> None:
    made = traffic(2000, STRICT, LOOSE)
    history, known = made.history(), decisions(STRICT, LOOSE)
    assert names(as_it_was(history, known)) == made.routed() == [ROUTES[code] for code in history.route]
    assert replayed(history, known) == made.routed()


@pytest.mark.parametrize(
    "fields",
    [
        {"threshold": 0.3},
        {"threshold": 0.7},
        {"threshold": 1.0},
        {"audit_rate": 0.0},
        {"audit_rate": 0.05},
        {"audit_rate": 0.2},
        {"audit_rate": 1.0},
        {"threshold": 0.5, "audit_rate": 0.15},
        {"rules": (CARDS,)},
        {"rules": (CARDS,), "threshold": 0.4, "audit_rate": 0.02},
        {"rules": ()},
    ],
)
def test_a_change_sends_every_exchange_where_the_router_would_have(fields: dict[str, Any]) -> None:
    made = traffic(2000, STRICT, LOOSE)
    assert replayed(made.history(), decisions(STRICT, LOOSE), **fields) == made.routed(**fields)


def test_rules_that_were_in_force_are_replayed_by_the_names_they_left() -> None:
    ruled = msgspec.structs.replace(STRICT, rules=(CARDS, FEES, ODD))
    made = traffic(2000, ruled)
    history, known = made.history(), decisions(ruled)
    for kept in ((CARDS, FEES, ODD), (FEES,), (CARDS, ODD), ()):
        renamed = tuple(msgspec.structs.replace(rule, name=f"new {rule.name}") for rule in kept)
        assert replayed(history, known, rules=renamed) == made.routed(rules=kept)
        assert replayed_rules(history, known, renamed).untold == ()


def test_a_pattern_that_was_not_in_force_names_nothing_and_is_told() -> None:
    made = traffic(500, STRICT)
    history, known = made.history(), decisions(STRICT)
    escalated = Rule(name="angry", escalated=True)
    found = replayed_rules(history, known, (FEES, CARDS, escalated))
    assert found.untold == ("fees", "angry")
    assert found.named.tolist() == replayed_rules(history, known, (CARDS,)).named.tolist()


def test_an_audit_is_placed_by_its_score_and_rules() -> None:
    ruled = msgspec.structs.replace(STRICT, rules=(CARDS,))
    made = traffic(3000, ruled)
    history = made.history()
    trusted = as_it_was(history, decisions(ruled)).trusted
    undrawn = made.routed(audit_rate=0.0)
    assert [bool(one) for one in trusted] == [route == "accept" for route in undrawn]


def test_where_a_record_does_not_say_the_threshold_its_policy_does() -> None:
    made = traffic(1000, STRICT, LOOSE)
    history = made.history()
    silent = history.rows(slice(None))
    silent.threshold[:] = np.nan
    by_policy = as_it_was(silent, decisions(STRICT, LOOSE))
    assert set(by_policy.threshold) == {0.8, 0.6}
    unknown = as_it_was(silent, Decisions())
    assert not unknown.trusted[history.route == AUDIT].any()
    assert names(unknown) == made.routed()


def test_an_audit_stands_for_as_many_answers_as_its_policy_drew_it_from() -> None:
    made = traffic(2000, STRICT, LOOSE)
    history = made.history()
    assert weights_of_audits(history, decisions(STRICT, LOOSE)) == pytest.approx(
        np.where(history.policy == 1, 1 / 0.1, 1 / 0.3)
    )
    unknown = weights_of_audits(history, decisions(STRICT))
    mine = history.live & (history.policy == 2)
    drawn = mine & (history.route == AUDIT)
    assert unknown[history.policy == 2] == pytest.approx(mine.sum() / drawn.sum())


def calibration(version: int, *terms: Term) -> Calibration:
    return Calibration(
        id=f"c{version}",
        bot=BOT,
        created=STRICT.created,
        version=version,
        intercept=0.5,
        terms=terms,
        labels=0,
        audits=0,
        wrong=0,
        sha256="0",
        quality=Quality(n=0, wrong=0, ece=0.0, brier=0.0),
    )


def test_scoring_again_is_the_calibrations_own_formula() -> None:
    history = traffic(300, STRICT).history()
    history.signals[::3] = np.nan
    known = decisions(STRICT)._replace(
        calibrations=(
            Timed(
                calibration(
                    1,
                    Term(signal="qa_cosine", weight=3.0, centre=0.4, scale=0.5, missing=-0.7),
                    Term(signal="unheard", weight=2.0, centre=0.4, scale=0.5, missing=0.2),
                ),
                0,
            ),
        )
    )
    scores = rescored(history, known, 1)
    for number, value in enumerate(history.signals[:, 0].astype(float)):
        total = 0.5 + 0.2 + (-0.7 if np.isnan(value) else 3.0 * (value - 0.4) / 0.5)
        assert scores[number] == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-6)
    assert rescored(history, known, 0).tolist() == history.confidence.tolist()  # scored by it already
    with pytest.raises(HistoryError, match=r"no calibration 2; there is 0 \(the stated prior\), 1"):
        rescored(history, known, 2)


def test_scoring_again_by_the_prior_is_what_scoring_would_have_said() -> None:
    history = traffic(300, STRICT).history()
    history.calibration[:] = 4
    prior = rescored(history, decisions(STRICT), 0)
    said = [confidence({"qa_cosine": float(value)}) for value in history.signals[:, 0]]
    assert prior == pytest.approx(np.array(said), abs=1.5e-6)
