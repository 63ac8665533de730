"""Which threshold `teachback status` names, and by what right."""

import msgspec

from teachback.infra.history import Decisions
from teachback.infra.threshold import threshold_in_force, told
from tests.infra.confidence.made import certificate, decisions

ADAPTER = certificate().adapter
BOT = certificate().bot


def said(decided: Decisions, adapter: str = ADAPTER) -> str:
    found = threshold_in_force(decided, BOT, adapter)
    assert found is not None
    return told(found)


def test_before_a_policy_there_is_no_threshold() -> None:
    assert threshold_in_force(Decisions(), BOT, "base") is None


def test_a_certificates_threshold_is_named_with_its_promise() -> None:
    one = certificate()
    assert said(decisions(one)).startswith(f"{one.threshold:g}, certified: at most 3 % wrong, 95 % sure")


def test_another_adapter_has_the_policys_and_what_is_asked_for() -> None:
    text = said(decisions(certificate()), "another")
    assert "by policy" in text
    assert "nothing is certified yet (at most 3 % wrong" in text


def test_a_withdrawn_certificate_is_none() -> None:
    one = certificate()
    gone = msgspec.structs.replace(one, id="gone", state="withdrawn", reason="drift")
    assert "nothing is certified yet" in said(decisions(one, gone))


def test_a_policy_that_promises_nothing_asks_for_nothing() -> None:
    text = said(decisions(promise=None, calibrations=0))
    assert text.endswith("on the stated prior")
