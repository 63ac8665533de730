"""A base model so small that a whole job takes seconds: random weights, the real tokenizer, the real quantisation."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def write_tiny_base(folder: Path, tokenizer: Path) -> Path:
    """A Llama of two layers in `folder`, with the tokenizer of the model in another."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(str(folder))
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer / name, folder / name)
    return folder
