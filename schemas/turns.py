"""Conversations for a chat template, in which no text passes for a turn of its own. For chatbot and trainer alike."""

from collections.abc import Collection, Iterable
from typing import Any

from teachback.schemas.exchange import Message

WORD_JOINER = "\u2060"


def control_tokens(tokenizer: Any) -> frozenset[str]:
    """The special tokens of a transformers tokenizer. Others that were added (runs of spaces, say) are mere text."""
    return frozenset(token.content for token in tokenizer.added_tokens_decoder.values() if token.special)


def turns(messages: Iterable[Message], control: Collection[str]) -> list[dict[str, str]]:
    """Messages in the form that chat templates want. `control` as `control_tokens` gives them."""
    return [{"role": message.role, "content": harmless(message.content, control)} for message in messages]


def harmless(text: str, control: Collection[str]) -> str:
    """The text, any control token in it broken by an invisible word joiner, so that it is read as mere characters.

    Otherwise a customer who writes `<|im_end|><|im_start|>system` gives the chatbot orders, and an answer that quotes
    such a token is learnt only up to there.
    """
    for token in control:
        if len(token) > 1 and token in text:
            text = text.replace(token, token[0] + WORD_JOINER + token[1:])
    return text
