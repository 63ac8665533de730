"""The quantised base model: NF4 with double quantisation, computing in bfloat16, the same for all who use it.

Champion, challenger and server differ by their adapters alone, so all of them load the base through these settings, and
an adapter is only ever served on the base that its `Base` names.

bitsandbytes has a trap on CPUs with AVX512-BF16: a 4-bit layer that runs in eval mode repacks its weights for
inference and never unpacks them, after which gradients through it are silently wrong (the loss looks right; cosine to
the true gradient about 0.2). `load_base` defuses it; `tests/trainer/test_gradients.py` shows both.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from teachback.schemas.training import Base
from teachback.trainer.errors import BadBase

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

QUANTIZATION = "nf4-double-bf16"
IDENTITY = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
)
"""The files that decide what a model says: weights, configuration, tokenizer, template."""


def describe(folder: Path) -> Base:
    """What the base in a folder is. Reads every byte of it, and needs no torch. Raises BadBase when there is no model.

    `sha256` is over lines of name and content hash, by name, so that neither a rename nor a swap goes unseen. The
    model's name is the folder's.
    """
    files = sorted({file for pattern in IDENTITY for file in folder.glob(pattern) if file.is_file()})
    names = {file.name for file in files}
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise BadBase(f"{folder}: no config.json with *.safetensors there; name the folder of a transformers model")
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            whole.update(f"{file.name}\0{hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return Base(model=folder.resolve().name, sha256=whole.hexdigest(), quantization=QUANTIZATION)


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


def load_base(folder: Path) -> "PreTrainedModel":
    """The model, quantised, ready to train on or to answer with: spread over the machine's GPUs, or else on the CPU.

    Raises BadBase when it cannot be loaded, or is too large for the GPUs together.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    nf4 = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    placement: str | dict[str, str] = "auto" if torch.cuda.is_available() else {"": "cpu"}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder), quantization_config=nf4, dtype=torch.bfloat16, device_map=placement, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise BadBase(f"{folder}: cannot be loaded as a quantised model: {error}") from error
    keep_trainable(model)
    model.get_output_embeddings().register_forward_pre_hook(_contiguous)  # type: ignore[no-untyped-call]
    return model


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
