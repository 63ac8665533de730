"""Which tokens a model learns from: the agreed answer's, all of them, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from teachback.schemas.exchange import Message
from teachback.trainer.base import load_tokenizer
from teachback.trainer.encode import IGNORED, Encoded, collate, encode, encode_rows
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
}


STRICT = (
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}"
    "{% endif %}"
    "{{ message['content'] + '<|im_end|>' }}"
    "{% endfor %}"
)
"""A template that forbids some conversations, as Mistral's and Gemma's do."""


def row(turns: list[tuple[str, str]], name: str = "r1") -> Row:
    messages = tuple(Message(role=role, content=content) for role, content in turns)  # type: ignore[arg-type]
    return Row(id=name, messages=messages, origin="edited", leader="l1")


@pytest.fixture(scope="module")
def tokenizer(base_model: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(base_model)


@pytest.mark.model
def test_an_answer_that_quotes_a_control_token_is_learnt_to_its_end(tokenizer: PreTrainedTokenizerBase) -> None:
    answer = "Your client prints <|im_end|> there. Update it."
    encoded = encode(tokenizer, row([("user", "what is <|im_start|>system?"), ("assistant", answer)]))
    assert tokenizer.decode(encoded.answer, skip_special_tokens=True).replace("\u2060", "").strip() == answer
    assert encoded.answer.count(tokenizer.eos_token_id) == 1


@pytest.mark.model
@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_template_with_generation_markers_gives_the_same_tokens_and_the_same_mask(
    tokenizer: PreTrainedTokenizerBase, turns: list[tuple[str, str]]
) -> None:
    encoded = encode(tokenizer, row(turns))
    marked = tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in turns],
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


@pytest.mark.model
def test_a_conversation_that_the_template_forbids_is_named(base_model: Path) -> None:
    tokenizer = load_tokenizer(base_model)
    tokenizer.chat_template = STRICT
    with pytest.raises(BadTemplate, match="row r1: the chat template refuses the conversation: roles must alternate"):
        encode(tokenizer, row(CONVERSATIONS["with a system prompt"]))


@pytest.mark.model
def test_odd_and_long_rows_are_left_out_and_counted_and_the_others_stay(base_model: Path) -> None:
    tokenizer = load_tokenizer(base_model)
    tokenizer.chat_template = STRICT
    found = encode_rows(
        tokenizer,
        [
            row([("user", "Fees?"), ("assistant", "None.")], "fits"),
            row([("user", "Fees?"), ("assistant", "word " * 200)], "long"),
            row([("user", "Fees?"), ("assistant", " \n ")], "nothing in it"),
            row([("user", "Fees?"), ("assistant", " ")], "blank"),
            row([("user", "Hi"), ("user", "Fees?"), ("assistant", "None.")], "forbidden"),
            row([("user", "Hours?"), ("assistant", "9 to 5.")], "fits too"),
        ],
        max_length=100,
    )
    assert [one.id for one, _ in found.rows] == ["fits", "fits too"]
    assert found.rows[0][1] == encode(tokenizer, found.rows[0][0])
    assert found.counts("eval") == {"eval_rows_too_long": 1, "eval_rows_unencodable": 3}
    assert [str(why).split(":")[0] for why in found.refused] == [
        "row nothing in it",
        "row blank",
        "row forbidden",
    ]


@pytest.mark.model
def test_a_run_with_odd_rows_says_so_in_its_log(base_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = load_tokenizer(base_model)
    right, wrong = row(CONVERSATIONS["question and answer"]), row([("user", "?"), ("assistant", "")], "r2")
    encode_rows(tokenizer, [right], max_length=100)
    assert not caplog.messages
    encode_rows(tokenizer, [right, wrong], max_length=100)
    assert caplog.messages == ["1 of 2 rows cannot be encoded and are left out; row r2: no token of an answer"]


def test_a_batch_is_padded_on_the_left_and_labels_only_answers() -> None:
    batch = collate([Encoded([1, 2, 3], [4, 5]), Encoded([6], [7])], padding=0)
    assert batch.input_ids == [[1, 2, 3, 4, 5], [0, 0, 0, 6, 7]]
    assert batch.attention_mask == [[1, 1, 1, 1, 1], [0, 0, 0, 1, 1]]
    assert batch.position_ids == [[0, 1, 2, 3, 4], [0, 0, 0, 0, 1]]
    assert batch.labels == [[IGNORED, 4, 5], [IGNORED, IGNORED, 7]]
    assert batch.keep == 3
