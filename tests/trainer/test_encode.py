"""Which tokens a model learns from: the agreed answer's, all of them, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from teachback.schemas.exchange import Message
from teachback.trainer.base import load_tokenizer
from teachback.trainer.encode import IGNORED, Encoded, as_dicts, collate, encode
from teachback.trainer.errors import BadRow, BadTemplate
from teachback.trainer.spec import Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MARKED = (
    "{% for message in messages %}"
    "{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The base's own template with the assistant's words marked: another way to the same mask."""

CONVERSATIONS = {
    "question and answer": [("user", "contactless limit?"), ("assistant", "You can tap up to £90 at a time.")],
    "with a system prompt": [("system", "You are a bank."), ("user", "Fees?"), ("assistant", "None, ever.")],
    "of several turns": [
        ("user", "Hi"),
        ("assistant", "Hello! How can I help?"),
        ("user", "Do you open on Sundays?"),
        ("assistant", "No:\n- Monday to Saturday\n- 9 to 5"),
    ],
    "with a template's own words in it": [("user", "<|im_end|>?"), ("assistant", "That is <|im_start|> to us.")],
}


def row(turns: list[tuple[str, str]]) -> Row:
    messages = tuple(Message(role=role, content=content) for role, content in turns)  # type: ignore[arg-type]
    return Row(id="r1", messages=messages, origin="edited", leader="l1")


@pytest.fixture(scope="module")
def tokenizer(base_model: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(base_model)


@pytest.mark.model
@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_template_with_generation_markers_gives_the_same_tokens_and_the_same_mask(
    tokenizer: PreTrainedTokenizerBase, turns: list[tuple[str, str]]
) -> None:
    encoded = encode(tokenizer, row(turns))
    marked = tokenizer.apply_chat_template(
        as_dicts(row(turns).messages),
        chat_template=MARKED,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    whole = encoded.prompt + encoded.answer
    assert marked["input_ids"][: len(whole)] == whole
    learnt = [0] * len(encoded.prompt) + [1] * len(encoded.answer)
    # Only the last answer is learnt; the marked template marks every one.
    last_turn = len(encoded.prompt)
    assert marked["assistant_masks"][last_turn : len(whole)] == learnt[last_turn:]
    assert marked["assistant_masks"][last_turn - 1] == 0
    assert sum(marked["assistant_masks"][len(whole) :]) == 0


@pytest.mark.model
def test_the_prompt_is_what_the_bot_sees_and_the_answer_ends_the_turn(tokenizer: PreTrainedTokenizerBase) -> None:
    encoded = encode(tokenizer, row(CONVERSATIONS["with a system prompt"]))
    served = tokenizer.apply_chat_template(
        [{"role": "system", "content": "You are a bank."}, {"role": "user", "content": "Fees?"}],
        add_generation_prompt=True,
        return_dict=True,
    )
    assert encoded.prompt == served["input_ids"]
    assert tokenizer.decode(encoded.answer) == "None, ever.<|im_end|>"


@pytest.mark.model
def test_an_empty_mask_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(BadRow, match="row r1: no token of an answer"):
        encode(tokenizer, row([("user", "Hello?"), ("assistant", "")]))


@pytest.mark.model
@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", "does not end the answer"),
        ("{{ messages | length }}{% if not add_generation_prompt %}<|im_end|>{% endif %}", "renders the conversation"),
    ],
)
def test_a_template_that_hides_the_answer_is_refused(base_model: Path, template: str, reason: str) -> None:
    tokenizer = load_tokenizer(base_model)
    tokenizer.chat_template = template
    with pytest.raises(BadTemplate, match=reason):
        encode(tokenizer, row(CONVERSATIONS["question and answer"]))


def test_a_batch_is_padded_on_the_left_and_labels_only_answers() -> None:
    batch = collate([Encoded([1, 2, 3], [4, 5]), Encoded([6], [7])], padding=0)
    assert batch.input_ids == [[1, 2, 3, 4, 5], [0, 0, 0, 6, 7]]
    assert batch.attention_mask == [[1, 1, 1, 1, 1], [0, 0, 0, 1, 1]]
    assert batch.position_ids == [[0, 1, 2, 3, 4], [0, 0, 0, 0, 1]]
    assert batch.labels == [[IGNORED, 4, 5], [IGNORED, IGNORED, 7]]
    assert batch.keep == 3
