"""What a model answers: greedily, in batches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig

from teachback.trainer.gate.batches import batches
from teachback.trainer.gate.losses import Counter

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase


@torch.inference_mode()
def greedy_answers(
    model: "PeftModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    batch: int,
    room: int,
    count: Counter,
) -> list[str]:
    """The likeliest next token, again and again, up to the end of a turn or `max_new_tokens`; in the prompts' order.

    At most `batch` answers are written at once, and at most `room` tokens kept for them, padding included.
    """
    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    answers, done = [""] * len(prompts), 0
    for some in batches([len(prompt) + max_new_tokens for prompt in prompts], batch, room):
        packed = tokenizer.pad({"input_ids": [list(prompts[index]) for index in some]}, return_tensors="pt")
        whole = model.generate(**packed.to(model.device), generation_config=settings)  # type: ignore[no-untyped-call]
        texts = tokenizer.batch_decode(whole[:, packed["input_ids"].shape[1] :], skip_special_tokens=True)
        for index, text in zip(some, texts, strict=True):
            answers[index] = text.strip()
        done += len(some)
        count(done)
    return answers
