"""The base model's identity: what champion, challenger and server must share."""

import hashlib
from pathlib import Path

from teachback.schemas.training import Base

QUANTIZATION = "nf4-double-bf16"
"""NF4 weights, their scales quantised again (QLoRA, sections 3.1 and 3.2), made from bfloat16."""
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


class BadBase(Exception):
    """A folder holds no usable base model; the message names it."""


def describe(folder: Path) -> Base:
    """What the base in a folder is. Reads every byte of it, and needs no torch. Raises BadBase when there is no model.

    `sha256` is over lines of name and content hash, by name, so that no rename or swap goes unseen. The model's
    name is the folder's.
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
