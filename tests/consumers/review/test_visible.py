"""Foreign text is shown, and does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.review.errors import NotAccepted
from teachback.consumers.review.session import shortened
from teachback.consumers.review.visible import encodable, visible
from teachback.schemas.exchange import Message
from tests.consumers.review.making import HOSTILE, offer, raw

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(ANY)
def test_whatever_the_text_nothing_in_it_steers_a_terminal(text: str) -> None:
    assert raw(visible(text)) <= {"\t"}


@given(ANY)
def test_what_is_visible_already_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    text = "Ein Kärtchen\tkostet 5 €.\n\nनमस्ते, 你好, 👩‍👩‍👧 e\u0301"
    assert visible(text) == text


def test_control_characters_become_their_pictures() -> None:
    assert visible("\x00\x01\x1b[8m\r\x7f\x9b") == "␀␁␛[8m␍␡�"


def test_a_line_end_of_windows_is_a_line_end() -> None:
    assert visible("one\r\ntwo\r\n") == "one\ntwo\n"


@given(ANY)
def test_what_was_typed_or_pasted_can_be_sent_and_is_else_untouched(text: str) -> None:
    kept = encodable(text)
    kept.encode()
    assert [a for a, b in zip(text, kept, strict=True) if a != b] == [c for c in text if "\ud800" <= c <= "\udfff"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_question_made_short_and_an_error_from_a_desk_are_visible(hostile: str) -> None:
    asked = offer("x1", messages=(Message(role="user", content=f"How{hostile}much?"),))
    assert not raw(shortened(asked))
    assert not raw(str(NotAccepted(f"The request{hostile}does not fit")))
