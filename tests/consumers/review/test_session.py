"""What a reviewer can do, without a screen and without a network."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.review.diff import word_diff
from teachback.consumers.review.session import UNDO_SECONDS, Held, Session
from teachback.schemas.review import Decision
from tests.consumers.review.making import offer


def showing(*exchanges: str) -> Session:
    session = Session()
    for exchange in exchanges:
        session.receive(offer(exchange))
    return session


def on_screen(session: Session) -> str | None:
    return session.offer.exchange if session.offer else None


def decided(session: Session, decision: Decision, text: str | None = None) -> Held:
    """A decision on the item shown, made for good."""
    assert session.offer is not None
    if text is not None:
        session.drafts[session.offer.exchange] = text
    assert session.decide(decision, 0.0)
    session.release()
    return session.sending[-1]


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
    session.overtaken(decided(session, "approve"), "The lease is lost.")
    assert (session.done, session.sending, session.holding, on_screen(session)) == (0, [], [], None)
    assert "How much is a card?" in session.message


def test_a_refused_edit_comes_back_to_be_mended_and_nothing_is_sent_by_itself() -> None:
    session = showing("x1", "x2")
    session.comments["x1"] = "the new list"
    session.refused(decided(session, "edit", "6 pounds"), "The text is too long.")
    assert (on_screen(session), session.text, session.editing, session.gone) == ("x1", "6 pounds", True, False)
    assert "The text is too long." in session.message
    session.tick(2 * UNDO_SECONDS)
    assert (session.sending, session.held) == ([], None)
    session.drafts["x1"] = "six"
    assert decided(session, "edit") == Held(offer("x1", lease=session.leases["x1"]), "edit", "six", "the new list", 0.0)
    assert on_screen(session) == "x2"


def test_a_refused_decision_without_a_text_comes_back_to_be_decided_again() -> None:
    session = showing("x1", "x2")
    session.refused(decided(session, "reject"), "The desk made a mistake.")
    assert (on_screen(session), session.editing, session.gone) == ("x1", False, False)
    assert sorted(session.holding) == ["lease-x1", "lease-x2"]


def test_what_comes_back_waits_while_the_reviewer_types_and_is_next() -> None:
    for typing in ("editing", "remarking"):
        session = showing("x1", "x2", "x3")
        held = decided(session, "edit", "6 pounds")
        setattr(session, typing, True)
        session.refused(held, "The text is too long.")
        assert (on_screen(session), getattr(session, typing)) == ("x2", True)
        assert "The text is too long." in session.message
        session.editing = session.remarking = False
        session.decide("approve", 1.0)
        assert (on_screen(session), session.text, session.editing) == ("x1", "6 pounds", True)
        assert "The text is too long." in session.message


def test_the_text_of_an_item_that_went_on_without_it_stays_to_be_copied() -> None:
    session = showing("x1", "x2")
    session.overtaken(decided(session, "edit", "6 pounds"), "The lease is lost.")
    assert (on_screen(session), session.text, session.editing, session.gone) == ("x1", "6 pounds", True, True)
    assert "The lease is lost." in session.message
    assert not session.decide("edit", 1.0)
    assert session.message
    session.skip()
    assert (on_screen(session), session.skipped, session.holding) == ("x2", [], ["lease-x2"])


def test_the_remark_on_an_item_that_went_on_without_it_stays_to_be_copied() -> None:
    session = showing("x1")
    session.comments["x1"] = "rude"
    session.overtaken(decided(session, "flag"), "The lease is lost.")
    assert (on_screen(session), session.gone, session.comments["x1"]) == ("x1", True, "rude")


def test_a_text_that_waits_behind_the_screen_outlives_its_lease() -> None:
    session = showing("x1", "x2")
    held = decided(session, "edit", "6 pounds")
    session.drafts["x2"] = "7 pounds"
    session.refused(held, "The text is too long.")
    session.lost("x2", "The lease is lost.")
    session.skip()
    assert (on_screen(session), session.text, session.gone, session.editing) == ("x2", "7 pounds", True, True)
    assert session.message


def test_a_text_that_is_being_copied_is_not_dropped_by_an_undo_or_by_what_comes_back() -> None:
    for happens in ("undo", "refused"):
        session = showing("x1", "x2")
        session.drafts["x2"] = "7 pounds"
        session.decide("reject", 0.0)
        session.lost("x2", "The lease is lost.")
        if happens == "undo":
            session.undo()
        else:
            session.release()
            session.refused(session.sending[0], "The desk made a mistake.")
        assert on_screen(session) == "x1"
        session.skip()
        assert (on_screen(session), session.text, session.gone) == ("x2", "7 pounds", True)


def test_an_item_that_is_gone_and_has_no_words_of_the_reviewers_is_not_shown_again() -> None:
    undone, waiting = showing("x1", "x2"), showing("x1", "x2", "x3")
    undone.decide("approve", 0.0)
    undone.lost("x2", "The lease is lost.")
    undone.undo()
    waiting.lost("x2", "The lease is lost.")
    for session, left in ((undone, []), (waiting, ["x3"])):
        assert (on_screen(session), [each.exchange for each in session.ahead]) == ("x1", left)


def test_an_undo_says_so_when_the_item_is_gone_meanwhile() -> None:
    session = showing("x1")
    session.decide("approve", 0.0)
    session.lost("x1", "The lease is lost.")
    assert session.undo()
    assert session.gone
    assert "went on without you" in session.message


def test_of_an_item_that_is_gone_the_text_can_be_looked_at_but_none_begun() -> None:
    session = showing("x1")
    session.lost("x1", "The lease is lost.")
    assert not session.edit()
    session.drafts["x1"] = "6 pounds"
    assert session.edit()
    assert session.editing


def test_an_item_that_the_desk_gives_again_is_ours_again_and_shown_once() -> None:
    session = showing("x1")
    session.overtaken(decided(session, "edit", "6 pounds"), "The lease is lost.")
    session.receive(offer("x1"))
    assert (on_screen(session), session.gone, session.ahead, session.text) == ("x1", False, [], "6 pounds")
    assert session.refusals == {}


def test_a_gone_item_that_waits_behind_the_screen_and_is_given_again_waits_once() -> None:
    session = showing("x1", "x2")
    session.drafts["x2"] = "6 pounds"
    session.lost("x2", "The lease is lost.")
    session.receive(offer("x2"))
    assert [each.exchange for each in session.ahead] == ["x2"]


def test_an_item_that_is_decided_and_given_again_is_not_asked_twice_and_goes_with_the_new_lease() -> None:
    session = showing("x1")
    session.decide("approve", 0.0)
    session.lost("x1", "The lease is lost.")
    session.receive(offer("x1"))
    assert (on_screen(session), session.ahead, session.holding) == (None, [], ["lease-x1"])


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
