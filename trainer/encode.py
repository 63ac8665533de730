"""Conversations as tokens: the prompt exactly as it is served, and the answer that is to be learnt or judged.

A row's prompt is what the chat template makes of its messages but the last, with the generation prompt: the very tokens
that the bot sees. The answer is what the template adds for the last message, up to and including the token that ends a
turn. Only the answer is learnt: earlier answers of the conversation are the bot's own, and nobody has agreed on them.

Templates differ, and many carry no `{% generation %}` markers; taking the difference of the two renderings needs none,
and is refused where it does not hold.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from teachback.schemas.exchange import Message
from teachback.trainer.errors import BadRow, BadTemplate
from teachback.trainer.spec import Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not learnt; the number that torch's and transformers' losses leave out."""


class Encoded(NamedTuple):
    """Token ids of a row. The model reads `prompt + answer` and is judged on `answer` alone."""

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


def encode(tokenizer: "PreTrainedTokenizerBase", row: Row) -> Encoded:
    """The tokens of a row. Raises BadTemplate or BadRow when there would be nothing to learn, or the wrong thing."""
    messages = as_dicts(row.messages)
    prompt = render(tokenizer, messages[:-1])
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    if not isinstance(whole, str) or not whole.startswith(prompt):
        raise BadTemplate(
            f"row {row.id}: with the answer, the chat template renders the conversation before it differently; "
            "give the base a template whose generation prompt is a prefix of the answered conversation"
        )
    answer = tokenizer.encode(whole[len(prompt) :], add_special_tokens=False)
    if tokenizer.eos_token_id not in answer:
        raise BadTemplate(
            f"row {row.id}: the chat template does not end the answer with {tokenizer.eos_token!r}, so the model "
            "would never learn to stop; set the tokenizer's eos_token to the one that ends a turn"
        )
    answer = answer[: answer.index(tokenizer.eos_token_id) + 1]
    if len(answer) < 2 or not row.answer.strip():
        raise BadRow(f"row {row.id}: no token of an answer to learn from; leave the row out")
    return Encoded(tokenizer.encode(prompt, add_special_tokens=False), answer)


def render(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> str:
    """A conversation as the text that asks the model for its next answer."""
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    if not isinstance(text, str):
        raise BadTemplate("the tokenizer's chat template renders no text")
    return text


def as_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages in the form that chat templates want."""
    return [{"role": message.role, "content": message.content} for message in messages]


class Batch(NamedTuple):
    """Rows side by side, padded on the left so that all end together; lists of lists of equal length."""

    input_ids: list[list[int]]
    attention_mask: list[list[int]]
    position_ids: list[list[int]]
    labels: list[list[int]]
    """Of the last `keep` positions only, shape (rows, keep): the token itself where it is learnt, else IGNORED."""

    @property
    def keep(self) -> int:
        """Trailing positions that hold every row's answer, and one before: the logits that a loss needs."""
        return len(self.labels[0])


def collate(rows: Sequence[Encoded], padding: int) -> Batch:
    """A batch of at least one row. Logits over a large vocabulary are the memory peak: `keep` spares the prompts'."""
    width = max(len(row) for row in rows)
    keep = max(len(row.answer) for row in rows) + 1
    gaps = [width - len(row) for row in rows]
    return Batch(
        input_ids=[[padding] * gap + row.prompt + row.answer for row, gap in zip(rows, gaps, strict=True)],
        attention_mask=[[0] * gap + [1] * (width - gap) for gap in gaps],
        position_ids=[[0] * gap + list(range(width - gap)) for gap in gaps],
        labels=[[IGNORED] * (keep - len(row.answer)) + row.answer for row in rows],
    )
