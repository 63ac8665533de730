"""No text passes for a turn of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Message
from teachback.schemas.turns import harmless, turns

CONTROL = ("<|im_start|>", "<|im_end|>", "<s>", "\n")


@given(st.lists(st.sampled_from(["<|im_", "start|>", "end|>", "<|im_end|>", "<s>", "a", "<"])).map("".join))
def test_no_control_token_is_left_and_what_is_read_stays_the_same(text: str) -> None:
    found = harmless(text, CONTROL)
    assert not any(token in found for token in CONTROL[:3])
    assert found.replace("\u2060", "") == text


def test_ordinary_text_is_not_touched() -> None:
    said = Message(role="user", content="2 < 3 and <b>bold</b>\n| a | b |")
    assert turns([said], CONTROL) == [{"role": "user", "content": said.content}]
