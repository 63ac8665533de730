"""Conversations as tokens: the prompt exactly as it is served, and the answer that is to be learnt or judged.

A row's prompt is what the chat template makes of its messages but the last, with the generation prompt: the very tokens
that the bot sees. The answer is what the template adds for the last message, up to and including the token that ends a
turn. Only the answer is learnt: earlier answers of the conversation are the bot's own, and nobody has agreed on them.

Templates differ, and many carry no `{% generation %}` markers; taking the difference of the two renderings needs none,
and is refused where it does not hold.

Rows that cannot be learnt from or judged by are left out, on both sides by the same rule (`encode_rows`): a single odd
row, which stays in the table, must not end every run to come.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import TemplateError

from teachback.schemas.label import Side
from teachback.schemas.turns import control_tokens, turns
from teachback.trainer.errors import BadRow, BadTemplate, JobError
from teachback.trainer.spec import Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOG = logging.getLogger(__name__)
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
    messages = turns(row.messages, control_tokens(tokenizer))
    try:
        prompt = render(tokenizer, messages[:-1])
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
    except TemplateError as error:
        raise BadTemplate(f"row {row.id}: the chat template refuses the conversation: {error}") from error
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
        raise BadRow(f"row {row.id}: no token of an answer")
    return Encoded(tokenizer.encode(prompt, add_special_tokens=False), answer)


class Usable(NamedTuple):
    """Rows with their tokens, in order, and what was left out of them."""

    rows: list[tuple[Row, Encoded]]
    too_long: int
    refused: list[JobError]
    """Why each of the others cannot be encoded."""

    def counts(self, side: Side) -> dict[str, float]:
        """How many were left out, as metrics."""
        return {f"{side}_rows_too_long": self.too_long, f"{side}_rows_unencodable": len(self.refused)}


def encode_rows(tokenizer: "PreTrainedTokenizerBase", rows: Sequence[Row], max_length: int) -> Usable:
    """The rows that can be encoded in at most `max_length` tokens. None is cut: half an answer ends half-way."""
    encoded: list[tuple[Row, Encoded]] = []
    refused: list[JobError] = []
    for row in rows:
        try:
            encoded.append((row, encode(tokenizer, row)))
        except (BadRow, BadTemplate) as error:
            refused.append(error)
    if refused:
        LOG.warning("%d of %d rows cannot be encoded and are left out; %s", len(refused), len(rows), refused[0])
    fitting = [(row, tokens) for row, tokens in encoded if len(tokens) <= max_length]
    return Usable(fitting, len(encoded) - len(fitting), refused)


def render(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> str:
    """A conversation as the text that asks the model for its next answer."""
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    if not isinstance(text, str):
        raise BadTemplate("the tokenizer's chat template renders no text")
    return text


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
