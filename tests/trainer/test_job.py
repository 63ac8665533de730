"""A whole job on a base of two layers: trained, gated, killed at any point, taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from teachback.schemas.exchange import Message
from teachback.schemas.training import GateRecord
from teachback.trainer.base import describe
from teachback.trainer.job import HOPELESS
from teachback.trainer.spec import GateSettings, JobSpec, Progress, RecipeSettings, Row, write_rows, write_spec

pytestmark = pytest.mark.model
STEPS = 12
WAIT = 240.0


def row(index: int) -> Row:
    messages = (
        Message(role="user", content=f"What does service number {index} cost?"),
        Message(role="assistant", content=f"Service number {index} costs £{index}."),
    )
    return Row(id=f"r{index}", messages=messages, origin="edited", leader=f"l{index}")


def fill(folder: Path, base: Path, embedder: Path, **changed: object) -> Path:
    folder.mkdir()
    write_rows(folder / "train.jsonl", [row(index) for index in range(24)])
    write_rows(folder / "eval.jsonl", [row(index) for index in range(100, 108)])
    spec = JobSpec(
        run="run-1",
        bot="bot",
        base=str(base),
        base_sha256=describe(base).sha256,
        embedder=str(embedder),
        champion=None,
        champion_name="bot@v0",
        challenger_name="bot@v1",
        recipe=RecipeSettings(rank=4, epochs=2, batch=4, learning_rate=5e-3, save_steps=2),
        gate=GateSettings(min_eval=4, resamples=200, max_new_tokens=8, generate_rows=6),
    )
    write_spec(folder, msgspec.structs.replace(spec, **changed))
    return folder


@contextmanager
def job(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "teachback.trainer.job", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(folder: Path) -> str:
    """Run the job to its end, which must be a good one. Returns what it said."""
    with job(folder) as process:
        _, said = process.communicate(timeout=WAIT)
        assert process.returncode == 0, said
        return said


def kill_when(folder: Path, found: Path) -> None:
    """Start the job and kill it hard as soon as a file is there."""
    with job(folder) as process:
        deadline = time.monotonic() + WAIT
        while not found.exists():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline, f"{found} did not come"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)


def progress(folder: Path) -> list[Progress]:
    lines = (folder / "progress.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Progress) for line in lines if line]


def test_a_job_trains_and_leaves_a_verdict(tiny_base: Path, embedder: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder)
    finish(folder)
    record = msgspec.json.decode((folder / "gate.json").read_bytes(), type=GateRecord)
    assert (record.champion, record.challenger, record.base) == ("bot@v0", "bot@v1", describe(tiny_base))
    likelier = record.tests[0]
    assert (likelier.name, likelier.passed, likelier.n) == ("superiority", True, 8)
    metrics = json.loads((folder / "metrics.json").read_bytes())
    assert metrics["challenger_superiority"] - metrics["champion_superiority"] == pytest.approx(likelier.mean)
    assert (metrics["train_rows"], metrics["eval_rows"], metrics["train_steps"]) == (24, 8, STEPS)
    assert sorted(file.name for file in (folder / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert json.loads((folder / "adapter/adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    assert [step.done for step in progress(folder) if step.stage == "train"] == list(range(1, STEPS + 1))
    assert progress(folder)[-1].stage == "done"


def test_a_job_killed_in_every_stage_goes_on_where_it_was(tiny_base: Path, embedder: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder)
    kill_when(folder, folder / "checkpoints/checkpoint-4/trainer_state.json")
    before = max(step.done for step in progress(folder) if step.stage == "train")
    kill_when(folder, folder / "adapter")
    resumed = [step.done for step in progress(folder) if step.stage == "train"]
    assert resumed.count(1) == resumed.count(2) == 1, "it began anew"
    assert before < STEPS == max(resumed)
    trained = (folder / "adapter/adapter_model.safetensors").read_bytes()
    kill_when(folder, folder / "stages/nll-challenger.json")
    likelihoods = (folder / "stages/nll-challenger.json").stat().st_mtime_ns
    finish(folder)
    assert (folder / "stages/nll-challenger.json").stat().st_mtime_ns == likelihoods
    assert (folder / "adapter/adapter_model.safetensors").read_bytes() == trained
    assert not (folder / "checkpoints").exists()

    again = fill(tmp_path / "never-killed", tiny_base, embedder)
    finish(again)
    assert (again / "adapter/adapter_model.safetensors").read_bytes() == trained
    assert (again / "gate.json").read_bytes() == (folder / "gate.json").read_bytes()

    done = (folder / "gate.json").stat().st_mtime_ns
    finish(folder)
    assert (folder / "gate.json").stat().st_mtime_ns == done


def test_the_next_challenger_is_held_against_the_adapter_in_service(
    tiny_base: Path, embedder: Path, tmp_path: Path
) -> None:
    first = fill(tmp_path / "first", tiny_base, embedder)
    finish(first)
    # The same rows and seed again: the challenger is the champion's twin, and nothing is gained.
    names = {"champion_name": "bot@v1", "challenger_name": "bot@v2"}
    second = fill(tmp_path / "second", tiny_base, embedder, champion=str(first / "adapter"), **names)
    finish(second)
    record = msgspec.json.decode((second / "gate.json").read_bytes(), type=GateRecord)
    assert [test.mean for test in record.tests] == [0.0] * len(record.tests)
    assert record.outcome == "rejected"


def test_a_job_for_another_base_is_refused_for_good(tiny_base: Path, embedder: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder, base_sha256="0" * 64)
    with job(folder) as process:
        _, said = process.communicate(timeout=WAIT)
    assert process.returncode == HOPELESS
    assert said.splitlines()[-1].startswith("BadBase: ")
    assert "start a new run" in said


def test_a_job_dies_with_its_parent(tiny_base: Path, embedder: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder)
    script = (
        "import subprocess, sys, time\n"
        "job = subprocess.Popen([sys.executable, '-m', 'teachback.trainer.job', sys.argv[1]])\n"
        "print(job.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    try:
        deadline = time.monotonic() + WAIT
        while not (folder / "progress.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        parent.kill()
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(pid)
    finally:
        parent.kill()
        parent.communicate()
    assert not (folder / "gate.json").exists()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
