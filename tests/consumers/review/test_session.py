"""What a reviewer can do, without a screen and without a network."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.desk.shapes import Leased, Offer
from teachback.consumers.review.diff import word_diff
from teachback.consumers.review.session import UNDO_SECONDS, Session
from teachback.schemas.event import now
from teachback.schemas.exchange import Message


def offer(exchange: str, **fields: Any) -> Offer:
    chosen: dict[str, Any] = {
        "lease": Leased(id=f"lease-{exchange}", token=1, expires=now(), seconds=300.0, exchange=exchange),
        "exchange": exchange,
        "conversation": "c",
        "round": 0,
        "acting": "reviewer",
        "messages": (Message(role="user", content="How much is a card?"),),
        "answer": "5 pounds",
        "adapter": "harbour@v0",
        "source": "live",
        "route": "review",
        "reasons": (),
        "confidence": 0.4,
        "weight": 1.0,
        "topic": None,
        "passages": (),
        "judgments": (),
        "waiting": 3,
    } | fields
    return Offer(**chosen)


def showing(*exchanges: str) -> Session:
    session = Session()
    for exchange in exchanges:
        session.receive(offer(exchange))
    return session


def on_screen(session: Session) -> str | None:
    return session.offer.exchange if session.offer else None


def test_a_decision_is_held_and_the_next_item_shown() -> None:
    session = showing("x1", "x2")
    assert session.decide("approve", 0.0)
    assert (on_screen(session), session.sending) == ("x2", [])
    session.tick(UNDO_SECONDS - 0.1)
    assert session.sending == []
    session.tick(UNDO_SECONDS)
    assert [held.offer.exchange for held in session.sending] == ["x1"]


def test_the_next_decision_makes_the_one_before_final() -> None:
    session = showing("x1", "x2")
    session.decide("approve", 0.0)
    session.decide("reject", 0.1)
    assert [held.decision for held in session.sending] == ["approve"]


def test_undo_shows_the_item_again_with_its_text_and_loses_neither_item() -> None:
    session = showing("x1", "x2")
    session.drafts["x1"] = "6 pounds"
    session.decide("edit", 0.0)
    assert session.undo()
    assert (on_screen(session), session.text, session.editing) == ("x1", "6 pounds", True)
    session.decide("edit", 1.0)
    assert on_screen(session) == "x2"


def test_undo_is_refused_once_the_decision_is_final() -> None:
    session = showing("x1")
    session.decide("approve", 0.0)
    session.tick(UNDO_SECONDS)
    assert not session.undo()
    assert session.message


def test_an_edit_needs_a_changed_text() -> None:
    session = showing("x1")
    for text in ("", "   ", "5 pounds", " 5 pounds "):
        session.drafts["x1"] = text
        assert not session.decide("edit", 0.0)
        assert on_screen(session) == "x1"


def test_a_draft_outlives_going_back_skipping_and_a_lost_lease() -> None:
    session = showing("x1")
    session.editing = True
    session.drafts["x1"] = "6 pounds"
    session.lost("x1", "The lease is lost.")
    assert (session.gone, session.text) == (True, "6 pounds")
    assert not session.decide("edit", 0.0)
    session.skip()
    assert session.skipped == []
    session.receive(offer("x1"))
    assert session.text == "6 pounds"


def test_a_skipped_item_leaves_the_screen_and_its_lease_is_to_be_given_back() -> None:
    session = showing("x1", "x2")
    session.skip()
    assert on_screen(session) == "x2"
    assert ([lease.id for lease in session.skipped], session.holding) == (["lease-x1"], ["lease-x2"])


def test_a_verdict_that_was_not_wanted_any_more_is_told() -> None:
    session = showing("x1")
    session.decide("approve", 0.0)
    session.release()
    session.refused(session.sending[0], "The lease is lost.")
    assert (session.done, session.sending) == (0, [])
    assert "How much is a card?" in session.message


def test_everything_that_is_worked_on_is_named_when_asking_for_more() -> None:
    session = showing("x1", "x2")
    session.decide("approve", 0.0)
    assert sorted(session.holding) == ["lease-x1", "lease-x2"]
    session.release()
    session.sent(session.sending[0])
    assert session.holding == ["lease-x2"]


def test_a_heartbeat_that_took_the_lease_up_again_changes_the_token() -> None:
    session = showing("x1")
    again = msgspec.structs.replace(session.leases["x1"], token=9)
    session.beat(again)
    assert session.leases["x1"].token == 9


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_word_diff_loses_nothing_of_either_text(old: str, new: str) -> None:
    changes = word_diff(old, new)
    assert "".join(change.text for change in changes if change.kind != "new") == old
    assert "".join(change.text for change in changes if change.kind != "gone") == new


def test_a_word_diff_is_made_of_words() -> None:
    changes = word_diff("It costs 5 pounds.", "It costs 6.50 pounds.")
    assert [change.text for change in changes if change.kind == "gone"] == ["5"]
    assert "".join(change.text for change in changes if change.kind == "new") == "6.50"
