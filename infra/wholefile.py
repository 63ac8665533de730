"""Small files that are there whole or not at all, whenever the machine stops."""

import os
from pathlib import Path


def whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Put `text` (UTF-8) in the place of `path` in one step, on the disk, with `mode` from the first byte."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
