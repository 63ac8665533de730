"""The quantised base model: NF4 with double quantisation, the same for all who use it.

Champion, challenger and server differ by their adapters alone, so all of them load the base through these settings, and
an adapter is only ever served on the base that its `Base` names. Arithmetic is float32 on CPUs, bfloat16 on CUDA, as
in the reference chatbot (docs/decisions/0006).

bitsandbytes has a trap on CPUs with AVX512-BF16: a 4-bit layer that runs in eval mode repacks its weights for
inference and never unpacks them, after which gradients through it are silently wrong (the loss looks right; cosine to
the true gradient about 0.2). `load_base` defuses it; `tests/trainer/test_gradients.py` shows both.
"""

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from teachback.schemas.base import BadBase

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


M_MMAP_THRESHOLD = -3  # of malloc.h
MAPPED_IN_TRAINING = 1 << 20
MAPPED_IN_ANSWERING = 1 << 25  # the largest that glibc would come to by itself


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The base's tokenizer, padding on the left (so that answers end together). Raises BadBase if it cannot be used."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise BadBase(f"{folder}: no tokenizer that transformers can load: {error}") from error
    if tokenizer.pad_token_id is None or not tokenizer.chat_template:
        raise BadBase(f"{folder}: its tokenizer needs a padding token and a chat template; set them and save it again")
    tokenizer.padding_side = "left"
    return tokenizer


def compute_type() -> "dtype":
    """What the model multiplies in. CPUs without bfloat16 units emulate it, at a third of float32's speed."""
    import torch

    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


def load_base(folder: Path) -> "PreTrainedModel":
    """The model, quantised, ready to train on: spread over the machine's GPUs, or else on the CPU.

    Raises BadBase when it cannot be loaded, or is too large for the GPUs together.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    nf4 = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_type(),
    )
    placement: str | dict[str, str] = "auto" if torch.cuda.is_available() else {"": "cpu"}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder), quantization_config=nf4, dtype=compute_type(), device_map=placement, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise BadBase(f"{folder}: cannot be loaded as a quantised model: {error}") from error
    keep_trainable(model)
    model.get_output_embeddings().register_forward_pre_hook(_contiguous)  # type: ignore[no-untyped-call]
    give_back_memory()
    return model


def unpacked(model: "PreTrainedModel") -> "PreTrainedModel":
    """The same numbers, for answering with: a CPU unpacks the 4-bit weights once here, and not again for each token.

    On CUDA, where the 4-bit kernels are the quicker ones, the model as it is.
    """
    import torch

    return model if torch.cuda.is_available() else model.dequantize()  # type: ignore[no-untyped-call]


def _contiguous(_: "nn.Module", inputs: tuple["Tensor", ...]) -> tuple["Tensor", ...]:
    """Asked for some positions' logits, torch would copy the vocabulary's matrix for every row: 30 % of a step."""
    return (inputs[0].contiguous(), *inputs[1:])


def keep_trainable(model: "nn.Module") -> int:
    """Stop 4-bit layers from repacking their weights in eval mode. Returns how many layers there are."""
    from bitsandbytes.nn.modules import Linear4bit

    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def give_back_memory() -> None:
    """Quantising leaves glibc with the dense weights' pages, more than the model itself takes."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def map_blocks_from(size: int) -> None:
    """Have glibc give blocks of `size` bytes and more pages of their own, which go back as soon as they are freed.

    Training frees its activations in another order than it asked for them, and a heap keeps the gaps: 0.3 to 0.4 GB
    of 3 for SmolLM2-135M with four rows a pass, against 4 % of a step's time. Answering, which asks for large blocks at
    every token, would take half as long again: so each sets its own size.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_THRESHOLD, size)
