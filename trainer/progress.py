"""The job's progress, a JSON line at a time, for whoever watches."""

from pathlib import Path

import msgspec

from teachback.trainer.spec import PROGRESS_FILE, Progress


class ProgressLog:
    """Appends to `progress.jsonl`; a line is written whole and at once, and never buffered."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / PROGRESS_FILE).open("ab", buffering=0)
        if self._file.tell() and not (folder / PROGRESS_FILE).read_bytes().endswith(b"\n"):
            self._file.write(b"\n")  # a killed job left half a line

    def __call__(self, progress: Progress) -> None:
        self._file.write(msgspec.json.encode(progress) + b"\n")
