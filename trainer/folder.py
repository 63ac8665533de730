"""The job folder from the parent's side: filled whole before the child starts, read once it is done."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from teachback.schemas.training import GateRecord
from teachback.trainer.dataset.build import DataCard, Dataset
from teachback.trainer.errors import BadJob
from teachback.trainer.registry import sync
from teachback.trainer.spec import (
    ADAPTER_FOLDER,
    GATE_FILE,
    JOB_FILE,
    METRICS_FILE,
    PROGRESS_FILE,
    JobSpec,
    Progress,
    write_rows,
)

DATA_CARD = "data_card.json"
ATTEMPTS = "attempts"
T = TypeVar("T")


class JobFolder:
    """`<work>/runs/<run id>`. A `job.json` there means that everything the child needs is there."""

    def __init__(self, work: Path, run: str) -> None:
        self.path = (work / "runs" / run).resolve()

    @property
    def filled(self) -> bool:
        """Whether the child can be started."""
        return (self.path / JOB_FILE).is_file()

    @property
    def done(self) -> bool:
        """Whether the job has ended well; it writes the gate's record last."""
        return (self.path / GATE_FILE).is_file()

    def fill(self, spec: JobSpec, dataset: Dataset) -> None:
        """Write rows, data card and, last and at once, the job."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_rows(self.path / spec.train, list(dataset.train))
        write_rows(self.path / spec.eval, list(dataset.eval))
        write(self.path / DATA_CARD, msgspec.json.format(msgspec.json.encode(dataset.card), indent=2))
        for name in (spec.train, spec.eval):
            sync(self.path / name)
        write(self.path / JOB_FILE, msgspec.json.encode(spec))

    @property
    def adapter(self) -> Path:
        """Where the child leaves the challenger."""
        return self.path / ADAPTER_FOLDER

    def gate(self) -> GateRecord:
        """The gate's record. Raises BadJob while the job is not done."""
        return self._read(GATE_FILE, GateRecord)

    def metrics(self) -> dict[str, float]:
        """The run's numbers; none when the job left none."""
        return self._read(METRICS_FILE, dict[str, float]) if (self.path / METRICS_FILE).exists() else {}

    def data_card(self) -> DataCard:
        """How the data set came about."""
        return self._read(DATA_CARD, DataCard)

    def progress(self) -> Progress | None:
        """The last whole line of the child's progress."""
        try:
            lines = (self.path / PROGRESS_FILE).read_bytes()[-4_096:].splitlines(keepends=True)
        except OSError:
            return None
        for line in reversed(lines):
            if line.endswith(b"\n"):
                try:
                    return msgspec.json.decode(line, type=Progress)
                except msgspec.DecodeError:
                    continue  # a line that a killed child left unfinished, and the next one completed
        return None

    @property
    def attempts(self) -> int:
        """How often the job has ended by an error; kept in the folder, so that a restart of the trainer counts on."""
        try:
            return int((self.path / ATTEMPTS).read_text())
        except (OSError, ValueError):
            return 0

    @attempts.setter
    def attempts(self, count: int) -> None:
        write(self.path / ATTEMPTS, str(count).encode())

    def forget_attempts(self) -> None:
        """Count from nothing, should the run be asked for again."""
        (self.path / ATTEMPTS).unlink(missing_ok=True)

    def _read(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError) as exc:
            raise BadJob(f"{self.path / name}: {exc}") from exc


def write(file: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old or the new content, whenever the machine stops."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(content)
    sync(fresh)
    fresh.replace(file)
    sync(file.parent)
