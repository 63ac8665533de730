"""What is in force: the fold over `loop.calibration`, and what ends a promise."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from teachback.schemas import Calibration, Certificate, Policy, Promise, Quality, Rule, Term
from teachback.streams.calibrations import Standing, fold, in_force, keeps
from teachback.streams.confidence import PRIOR, confidence, weights_of

CREATED = datetime(2026, 3, 4, 12, tzinfo=UTC)
POLICY = Policy(
    id="p1", bot="demo", created=CREATED, version=1, threshold=0.8, audit_rate=0.1, audit_salt="salt-salt",
    promise=Promise(target=0.03, confidence=0.95),
)  # fmt: skip


def calibration(version: int, bot: str = "demo") -> Calibration:
    term = Term(signal="qa_cosine", weight=float(version), centre=0.5, scale=1.0, missing=0.0)
    return Calibration(
        id=f"c{version}", bot=bot, created=CREATED, version=version, intercept=0.0, terms=(term,), labels=50, audits=0,
        wrong=0, sha256="0", quality=Quality(n=50, wrong=0, ece=0.0, brier=0.0),
    )  # fmt: skip


def certificate(adapter: str = "base", version: int = 1, threshold: float = 0.6) -> Certificate:
    return Certificate(
        id=f"x-{adapter}-{version}", bot="demo", created=CREATED, state="certified", adapter=adapter,
        calibration=version, policy=1, population=POLICY.population, target=0.03, confidence=0.95, attempt=1,
        alpha=0.03, threshold=threshold, coverage=0.5, audits=200, errors=0, e_value=40.0,
    )  # fmt: skip


def standing(*events: Calibration | Certificate) -> Standing:
    return fold({}, events)["demo"]


def test_without_calibrations_the_stated_prior_and_the_policys_threshold_are_in_force() -> None:
    assert Standing().newest == 0
    assert in_force(Standing(), POLICY, "base") == (PRIOR, 0.8, None)


def test_an_adapter_without_a_certificate_is_scored_by_the_newest_calibration() -> None:
    found = in_force(standing(calibration(1), calibration(2)), POLICY, "base")
    assert (found.weights.version, found.threshold, found.certificate) == (2, 0.8, None)


def test_a_certificate_routes_by_its_own_calibration_and_threshold_while_newer_ones_come() -> None:
    found = in_force(standing(calibration(1), certificate(), calibration(2)), POLICY, "base")
    assert found == (weights_of(calibration(1)), 0.6, "x-base-1")


def test_a_certificate_is_its_own_adapters_only() -> None:
    found = in_force(standing(calibration(1), certificate()), POLICY, "new")
    assert (found.threshold, found.certificate) == (0.8, None)


def test_a_newer_certificate_takes_the_place_of_the_one_before() -> None:
    found = standing(calibration(1), calibration(2), certificate(), certificate(version=2, threshold=0.4))
    assert in_force(found, POLICY, "base") == (weights_of(calibration(2)), 0.4, "x-base-2")


def test_a_withdrawal_ends_its_adapters_certificate_and_no_other() -> None:
    gone = msgspec.structs.replace(certificate(), state="withdrawn", reason="3 of 9")
    found = standing(calibration(1), certificate(), certificate("new"), gone)
    assert in_force(found, POLICY, "base").certificate is None
    assert in_force(found, POLICY, "new").certificate == "x-new-1"


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_calibration_whose_version_is_not_the_next_is_ignored(version: int) -> None:
    other = msgspec.structs.replace(calibration(version), intercept=9.0)
    found = standing(calibration(1), other)
    assert found.newest == 1 and found.calibrations[1].intercept == 0.0


def test_an_unknown_calibrations_certificate_is_ignored() -> None:
    assert standing(calibration(1), certificate(version=2)).certificates == {}


def test_bots_do_not_mix_and_the_state_before_is_left_as_it_was() -> None:
    before = fold({}, [calibration(1)])
    after = fold(before, [calibration(1, "other"), calibration(2)])
    assert (after["demo"].newest, after["other"].newest, before["demo"].newest) == (2, 1, 1)
    assert "other" not in before


@pytest.mark.parametrize(
    "changed",
    [
        {"promise": None},
        {"promise": Promise(target=0.02)},
        {"promise": Promise(target=0.03, confidence=0.99)},
        {"rules": (Rule(name="complaints", topic="complaints"),)},
    ],
    ids=["no promise", "a stricter target", "more confidence", "other rules"],
)
def test_a_policy_that_promises_more_or_has_other_rules_ends_a_certificate(changed: dict[str, object]) -> None:
    policy = msgspec.structs.replace(POLICY, version=2, **changed)
    assert not keeps(certificate(), policy)
    found = in_force(standing(calibration(1), certificate(), calibration(2)), policy, "base")
    assert (found.weights.version, found.threshold, found.certificate) == (2, 0.8, None)


@pytest.mark.parametrize(
    "changed", [{"promise": Promise(target=0.05, confidence=0.9)}, {"threshold": 0.99}, {"audit_rate": 0.5}]
)
def test_a_policy_that_promises_no_more_keeps_it(changed: dict[str, object]) -> None:
    assert keeps(certificate(), msgspec.structs.replace(POLICY, version=2, **changed))


def test_the_name_of_a_rule_does_not_change_who_is_accepted() -> None:
    first, second = (msgspec.structs.replace(POLICY, rules=(Rule(name=name, topic="fees"),)) for name in ("a", "b"))
    assert first.population == second.population != POLICY.population


def test_the_weights_of_a_calibration_are_those_on_the_wire() -> None:
    scores = [confidence({"qa_cosine": 0.7}, weights_of(calibration(version))) for version in (1, 2)]
    assert scores == [0.549834, 0.598688]  # 1 ÷ (1 + e^−0.2), 1 ÷ (1 + e^−0.4)
