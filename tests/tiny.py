"""Models made on the spot: a base so small that a whole job takes seconds, and adapters that nobody trained.

The base has random weights, the real tokenizer, and goes through the real quantisation.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def write_tiny_base(folder: Path, tokenizer: Path, spread: float = 0.02) -> Path:
    """A Llama of two layers in `folder`, with the tokenizer of the model in another.

    `spread` is the standard deviation of its weights: at 0.02 it answers nothing until it is taught, at 0.3 each
    question something else.
    """
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=spread,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(str(folder))
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer / name, folder / name)
    return folder


def write_adapters(registry: Path, base: Path, names: Sequence[str]) -> dict[str, Path]:
    """LoRA adapters for a base, where a registry has them: weights drawn at random, strong enough to change answers."""
    dense: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    peft: Any = get_peft_model(dense, config)
    made = {}
    for seed, name in enumerate(names):
        chance = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for key, weight in peft.named_parameters():
                if "lora_" in key:
                    weight.copy_(torch.randn(weight.shape, generator=chance) * 0.3)
        made[name] = registry / name.replace("@", "/")
        peft.save_pretrained(str(made[name]), save_embedding_layers=False)
    return made
