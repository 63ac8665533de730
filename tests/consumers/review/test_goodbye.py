"""What is said when the window closes."""

from __future__ import annotations

from teachback.consumers.review.goodbye import goodbye
from teachback.consumers.review.session import Session
from tests.consumers.review.making import HOSTILE, offer, raw


def deciding(text: str = "6 pounds") -> Session:
    """An edit with a remark, on its way to the desk."""
    session = Session()
    session.receive(offer("x1"))
    session.drafts["x1"], session.comments["x1"] = text, f"seen {text}"
    session.decide("edit", 0.0)
    session.release()
    return session


def test_verdicts_that_arrived_are_counted_and_nothing_else_is_said() -> None:
    session = deciding()
    session.sent(session.sending[0])
    assert goodbye(session, "") == ["1 verdict sent."]
    assert goodbye(Session(), "") == ["0 verdicts sent."]


def test_what_did_not_arrive_is_told_with_all_that_was_typed() -> None:
    told = "\n".join(goodbye(deciding(), "no desk answers"))
    for part in ("did not arrive", "no desk answers", "edit", "How much is a card?", "6 pounds", "seen 6 pounds"):
        assert part in told


def test_what_the_desk_refused_is_told_with_all_that_was_typed_and_why() -> None:
    refused, overtaken = deciding(), deciding()
    refused.refused(refused.sending[0], "The text is too long.")
    overtaken.overtaken(overtaken.sending[0], "The text is too long.")
    for session in (refused, overtaken):
        told = "\n".join(goodbye(session, ""))
        for part in ("0 verdicts", "edit", "How much is a card?", "6 pounds", "seen 6 pounds", "too long."):
            assert told.count(part) == (2 if part == "6 pounds" else 1)


def test_a_plain_decision_that_came_too_late_is_told() -> None:
    session = Session()
    session.receive(offer("x1"))
    session.decide("approve", 0.0)
    session.release()
    session.overtaken(session.sending[0], "The lease is lost.")
    told = "\n".join(goodbye(session, ""))
    assert "approve" in told
    assert "The lease is lost." in told


def test_what_was_decided_again_or_left_is_refused_no_longer() -> None:
    again, left = deciding(), deciding()
    again.refused(again.sending[0], "The text is too long.")
    again.decide("reject", 1.0)
    again.release()
    again.sent(again.sending[0])
    left.refused(left.sending[0], "The text is too long.")
    left.skip()
    assert goodbye(again, "") == ["1 verdict sent."]
    assert goodbye(left, "") == ["0 verdicts sent."]


def test_a_text_that_was_mended_after_a_refusal_is_told_as_it_is_now() -> None:
    session = deciding()
    session.refused(session.sending[0], "The text is too long.")
    session.drafts["x1"], session.comments["x1"] = "six quid", "seen twice"
    told = "\n".join(goodbye(session, ""))
    assert "six quid" in told
    assert "seen twice" in told


def test_what_was_typed_and_not_decided_is_told() -> None:
    session = Session()
    session.receive(offer("x1"))
    session.drafts["x1"] = "5 pounds"
    assert goodbye(session, "") == ["0 verdicts sent."]
    session.drafts["x1"] = "6 pounds"
    told = "\n".join(goodbye(session, ""))
    assert "not decided" in told
    assert "6 pounds" in told
    session.drafts["x1"], session.comments["x1"] = "5 pounds", "as it was"
    told = "\n".join(goodbye(session, ""))
    assert "as it was" in told
    assert "5 pounds" not in told


def test_no_goodbye_steers_the_terminal() -> None:
    for hostile in HOSTILE:
        waiting, refused = deciding(f"6{hostile}pounds"), deciding(f"6{hostile}pounds")
        refused.refused(refused.sending[0], f"No{hostile}")
        for session in (waiting, refused):
            assert not raw("\n".join(goodbye(session, f"Away{hostile}")))
