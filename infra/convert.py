"""A GGUF file into a dense model folder: `python -m teachback.infra.convert model.gguf FOLDER`.

Its own process, because dequantising takes several times the model's size in memory. The weights are stored as
bfloat16; what 4 bits lost stays lost.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

END = "<|im_end|>"
START = "<|im_start|>"
# Not END, though upstream pads with it: a loss that leaves out padding would leave out every answer's end as well.
PAD = "<|endoftext|>"


def convert(gguf: Path, folder: Path) -> None:
    """Write tokenizer, weights and both configurations into `folder`. Raises ValueError on an unexpected tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read_once()
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    mend(tokenizer)
    tokenizer.save_pretrained(folder)

    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    # Says that the weights are GGUF, which they no longer are; with it no other quantisation can be asked for.
    del model.config.quantization_config
    model.hf_quantizer = None  # type: ignore[assignment]  # torch types every attribute of a module as a tensor
    for config in (model.config, model.generation_config):
        config.bos_token_id = tokenizer.bos_token_id
        config.eos_token_id = tokenizer.eos_token_id
        config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)


def read_once() -> None:
    """Keep what transformers reads of a GGUF file: four times the header, and the tensors' names once a tensor.

    Measured: half of the conversion's time.
    """
    import gguf

    for name in ("GGUFReader", "get_tensor_name_map"):
        setattr(gguf, name, cache(getattr(gguf, name)))


def mend(tokenizer: PreTrainedTokenizerBase) -> None:
    """Give the tokenizer the special tokens that the model was trained with; GGUF's say that a turn's start ends it."""
    for token in (START, END, PAD):
        if tokenizer.convert_tokens_to_ids(token) is None:
            raise ValueError(f"the tokenizer lacks {token}: not the model this was written for")
    if not tokenizer.chat_template:
        raise ValueError("the tokenizer has no chat template: not the model this was written for")
    tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token = START, END, PAD
    # For word pieces; on this tokenizer it would strip spaces that belong to the text.
    tokenizer.clean_up_tokenization_spaces = False


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
