"""What a reviewer reads, through rich and prompt_toolkit as in the terminal."""

from __future__ import annotations

import pytest
from prompt_toolkit.formatted_text import ANSI, to_formatted_text, to_plain_text
from rich.console import RenderableType

from teachback.consumers.desk.shapes import Differing, Offer, Today
from teachback.consumers.review import view
from teachback.schemas.exchange import Message, Passage
from tests.consumers.review.making import HOSTILE, offer, raw


def through(content: RenderableType) -> str:
    """What stands on the screen; fails if anything would be written to the terminal unseen."""
    fragments = to_formatted_text(ANSI("\n".join(view.lines(content, 100))))
    assert not [text for style, text, *_ in fragments if "ZeroWidthEscape" in style or "hidden" in style]
    return to_plain_text(fragments)


def strange(text: str) -> Offer:
    """An offer with `text` in every place that somebody else fills."""
    return offer(
        "x1",
        messages=(Message(role="user", content=f"How much{text}?"), Message(role="tool", content=text)),
        answer=f"Five{text}pounds",
        adapter=f"harbour{text}",
        topic=f"cards{text}",
        reasons=(f"rule:fees{text}", f"other{text}"),
        passages=(Passage(id="p1", title=f"Fees{text}", content=f"A list{text}"),),
        judgments=(Differing(by=f"A{text}", decision="edit", answer=f"Six{text}pounds"),),
    )


def today(budget: int | None, begun: int, overflow: int) -> Today:
    return Today(day="2026-11-02", policy=1, budget=budget, begun=begun, overflow=overflow)


@pytest.mark.parametrize("known", [None, today(None, 7, 0), today(10, 10, 0), today(10, 4, 32)])
def test_nothing_is_said_of_a_budget_that_is_not_why_there_is_nothing_to_judge(known: Today | None) -> None:
    assert "Nothing to judge" in view.idle(known)[0]


def test_a_budget_that_is_used_up_is_said_with_what_is_beyond_it() -> None:
    assert "budget of 10 is used up; 32 items are overflow" in view.idle(today(10, 10, 32))[0]
    assert "budget of 10 is used up; 1 item is overflow" in view.idle(today(10, 11, 1))[0]


def test_a_customer_s_thumb_is_a_reason_in_words() -> None:
    assert "the customer gave it a thumbs-down" in through(view.item(offer("x1", reasons=("thumbs_down",))))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_a_customer_wrote_reaches_the_terminal_raw(hostile: str) -> None:
    assert not raw(through(view.item(strange(hostile))))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_answer_is_there_whatever_a_customer_wrote(hostile: str) -> None:
    shown = through(view.item(strange(hostile)))
    assert "The bot’s answer" in shown
    assert "What reviewers said" in shown
    assert shown.count("pounds") >= 2


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_difference_reaches_the_terminal_raw(hostile: str) -> None:
    shown = through(view.changes(f"Five{hostile}pounds", f"Six{hostile} pounds {hostile}"))
    assert not raw(shown)
    assert "Six" in shown


def test_line_ends_of_windows_are_line_ends_and_no_change() -> None:
    shown = through(view.item(offer("x1", answer="One.\r\nTwo.")))
    assert "One." in shown
    assert "␍" not in shown
    assert {str(span.style) for span in view.changes("One.\r\nTwo.", "One.\nTwo.").spans} <= {""}


def test_text_that_looks_like_markup_is_shown_as_it_is() -> None:
    shown = through(view.item(strange("[bold]A[/bold]")))
    assert shown.count("[bold]A[/bold]") == 11
