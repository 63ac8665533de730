"""Gradients through the 4-bit base stay right after an evaluation: the bitsandbytes trap on CPUs with AVX512-BF16."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bitsandbytes.functional import has_avx512bf16
from bitsandbytes.nn.modules import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cosine_similarity

from teachback.trainer.base import load_base

pytestmark = pytest.mark.model


def adapted(base: Path) -> PeftModel:
    torch.manual_seed(1)
    model = get_peft_model(
        load_base(base), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    )
    assert isinstance(model, PeftModel)
    return model


def gradient(model: PeftModel) -> torch.Tensor:
    """The gradient of a loss over fixed tokens, all adapters' in one vector."""
    model.train()
    model.zero_grad()
    tokens = torch.arange(5, 37).reshape(2, 16)
    model(input_ids=tokens, labels=tokens).loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def evaluate_and_generate(model: PeftModel) -> None:
    model.eval()
    tokens = torch.arange(5, 37).reshape(2, 16)
    with torch.inference_mode():
        model(input_ids=tokens)
    model.generate(
        input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=3, do_sample=False, pad_token_id=0
    )


def agreement(model: PeftModel) -> float:
    """Cosine between the gradients before and after an evaluation."""
    before = gradient(model)
    evaluate_and_generate(model)
    return float(cosine_similarity(before, gradient(model), dim=0))


def test_training_after_an_evaluation_follows_the_true_gradient(tiny_base: Path) -> None:
    assert agreement(adapted(tiny_base)) >= 0.999


@pytest.mark.skipif(not has_avx512bf16(), reason="the trap is only on CPUs with AVX512-BF16")
@pytest.mark.skipif(torch.cuda.is_available(), reason="the trap is only on CPUs")
@pytest.mark.filterwarnings("ignore:bitsandbytes..gemv_4bit")  # torch notices too, since it lacks a gradient there
def test_the_trap_is_real_where_nothing_is_done_about_it(tiny_base: Path) -> None:
    model = adapted(tiny_base)
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = True
    assert agreement(model) < 0.9
