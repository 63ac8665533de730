"""What a model answers: greedily, in batches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig

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
    count: Counter,
) -> list[str]:
    """The likeliest next token, again and again, up to the end of a turn or `max_new_tokens`; in the prompts' order."""
    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    answers = [""] * len(prompts)
    for start in range(0, len(prompts), batch):
        some = by_length[start : start + batch]
        packed = tokenizer.pad({"input_ids": [list(prompts[index]) for index in some]}, return_tensors="pt")
        whole = model.generate(**packed.to(model.device), generation_config=settings)  # type: ignore[no-untyped-call]
        texts = tokenizer.batch_decode(whole[:, packed["input_ids"].shape[1] :], skip_special_tokens=True)
        for index, text in zip(some, texts, strict=True):
            answers[index] = text.strip()
        count(min(start + batch, len(prompts)))
    return answers
