"""One training run: `python -m teachback.trainer.job FOLDER`. Train, hold against the champion, write the verdict.

    job.json, train.jsonl ──► recipe ──► adapter/ ──► gate ──► metrics.json, gate.json
                 eval.jsonl ──────────────────────────┘

Each stage's result is kept in the folder, written whole or not at all. A job that was killed is started again with the
same command and takes up where it was: from the last checkpoint, or the last finished stage. It exits with 0 once
`gate.json` is there, with 2 when another attempt would end the same way (the last line says why), and dies with its
parent.
"""

import argparse
import gc
import json
import logging
import math
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from teachback.schemas.base import BadBase, describe
from teachback.schemas.training import Base
from teachback.trainer.base import (
    MAPPED_IN_ANSWERING,
    MAPPED_IN_TRAINING,
    give_back_memory,
    load_base,
    load_tokenizer,
    map_blocks_from,
    unpacked,
)
from teachback.trainer.errors import BadJob, TrainerError
from teachback.trainer.folder import write
from teachback.trainer.orphan import die_with_parent
from teachback.trainer.progress import ProgressLog
from teachback.trainer.registry import sync
from teachback.trainer.spec import (
    ADAPTER_FOLDER,
    GATE_FILE,
    METRICS_FILE,
    JobSpec,
    Progress,
    Row,
    read_rows,
    read_spec,
)

if TYPE_CHECKING:
    from peft import PeftModel

HOPELESS = 2
CHECKPOINTS = "checkpoints"
STAGES = "stages"
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Train an adapter and hold it against the one in service.")
    parser.add_argument("folder", type=Path, help="the job folder, filled by the trainer")
    parser.add_argument("--parent", type=int, help="the process without which the job is not wanted")
    options = parser.parse_args(arguments)
    die_with_parent(options.parent)
    wait_politely()
    quieten()
    try:
        run(options.folder)
    except (TrainerError, BadBase) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return HOPELESS
    return 0


def run(folder: Path) -> None:
    """Do what is left of the job in a folder. Raises JobError when trying again would not help."""
    if (folder / GATE_FILE).exists():
        return
    spec, report = read_spec(folder), ProgressLog(folder)
    learnt, locked = read_rows(folder / spec.train), read_rows(folder / spec.eval)
    if not learnt:
        raise BadJob(f"{folder / spec.train}: no rows; there is nothing to train on")
    base = checked_base(spec)
    (folder / STAGES).mkdir(exist_ok=True)
    if not (folder / ADAPTER_FOLDER).exists():
        train_stage(folder, spec, base, learnt, report)
        gc.collect()
        give_back_memory()
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    gate_stage(folder, spec, base, locked, report)
    report(Progress(stage="done", done=1, total=1))


def checked_base(spec: JobSpec) -> Base:
    """The base's description. Raises BadBase when it is not the one that the job names."""
    base = describe(Path(spec.base))
    if spec.base_sha256 not in {None, base.sha256}:
        raise BadBase(
            f"{spec.base}: its fingerprint is {base.sha256}, but the job was made for {spec.base_sha256}; "
            "put the old base back, or start a new run"
        )
    return base


def train_stage(folder: Path, spec: JobSpec, base: Base, rows: list[Row], report: ProgressLog) -> None:
    """From rows to `adapter/`, which is there whole or not at all."""
    from teachback.trainer.recipe import train

    started = time.monotonic()
    map_blocks_from(MAPPED_IN_TRAINING)
    report(Progress(stage="load", done=0, total=1))
    model, tokenizer = load_base(Path(spec.base)), load_tokenizer(Path(spec.base))
    report(Progress(stage="load", done=1, total=1))
    trained = train(model, tokenizer, rows, spec.recipe, folder / CHECKPOINTS, report)
    metrics = trained.metrics | {"train_seconds": time.monotonic() - started}
    write_numbers(folder / STAGES / "train.json", metrics)
    save(trained.model, base, folder / ADAPTER_FOLDER)


def save(model: "PeftModel", base: Base, adapter: Path) -> None:
    """Write an adapter's weights and configuration, whole or not at all."""
    partial = adapter.with_name(f".{adapter.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(str(partial), save_embedding_layers=False)
    for file in partial.iterdir():
        if file.name not in ADAPTER_FILES:
            file.unlink()  # a model card of blanks
    # The adapter's hash must not depend on a machine's folders, nor on the order in which a process walks a set.
    config = partial / "adapter_config.json"
    written = json.loads(config.read_bytes())
    same = {"base_model_name_or_path": base.model, "target_modules": sorted(written["target_modules"])}
    config.write_text(json.dumps(written | same, indent=2, sort_keys=True) + "\n")
    for file in (*partial.iterdir(), partial):
        sync(file)
    partial.rename(adapter)
    sync(adapter.parent)


def gate_stage(folder: Path, spec: JobSpec, base: Base, rows: list[Row], report: ProgressLog) -> None:
    """From `adapter/` and locked rows to `gate.json`, the last file that a job writes."""
    from teachback.trainer.gate.decide import decide
    from teachback.trainer.gate.measure import Contest, measure

    started = time.monotonic()
    map_blocks_from(MAPPED_IN_ANSWERING)
    contest = Contest(
        unpacked(load_base(Path(spec.base))),
        load_tokenizer(Path(spec.base)),
        {
            "champion": None if spec.champion is None else Path(spec.champion),
            "challenger": folder / ADAPTER_FOLDER,
        },
        spec,
        folder / STAGES,
        report,
    )
    measured = measure(contest, rows, Path(spec.embedder))
    record = decide(
        measured.changes, spec.gate, champion=spec.champion_name, challenger=spec.challenger_name, base=base
    )
    trained = msgspec.json.decode((folder / STAGES / "train.json").read_bytes(), type=dict[str, float])
    metrics = trained | measured.metrics | {"gate_seconds": time.monotonic() - started}
    write_numbers(folder / METRICS_FILE, metrics)
    write(folder / GATE_FILE, msgspec.json.format(msgspec.json.encode(record), indent=2))


def write_numbers(file: Path, numbers: Mapping[str, float]) -> None:
    """Write metrics as JSON, which knows no NaN and no infinity: those are left out."""
    write(file, msgspec.json.encode({name: number for name, number in numbers.items() if math.isfinite(number)}))


def wait_politely() -> None:
    """Let torch's threads sleep while they wait for each other. Before torch is imported, for OpenMP looks only then.

    By default they spin, which is quickest on an idle machine. Where other processes want the same cores, each waits in
    turn for one that cannot run: measured on two cores with a few busy neighbours, a step of 4 s took over 30 s.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def quieten() -> None:
    """Leave the log to what went wrong: no bars, no advice about kernels that a CPU cannot use."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


if __name__ == "__main__":
    sys.exit(main())
