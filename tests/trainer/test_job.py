"""A whole job on a base of two layers: trained, gated, killed at any point, taken up again."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from teachback.schemas.base import describe
from teachback.schemas.exchange import Message
from teachback.schemas.training import GateRecord
from teachback.trainer.job import HOPELESS, main, write_numbers
from teachback.trainer.spec import (
    GateSettings,
    JobSpec,
    Progress,
    RecipeSettings,
    Row,
    Stage,
    write_rows,
    write_spec,
)

pytestmark = pytest.mark.model
STEPS = 12
WAIT = 300.0
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["teachback.trainer.recipe", "teachback.trainer.gate.measure"])


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
        recipe=RecipeSettings(rank=4, epochs=2, batch=4, accumulation=1, learning_rate=5e-3, save_steps=2),
        gate=GateSettings(min_eval=4, min_clusters=4, resamples=200, max_new_tokens=8, generate_rows=6),
    )
    write_spec(folder, msgspec.structs.replace(spec, **changed))
    return folder


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "teachback.trainer.job", str(folder)]


def finish(folder: Path) -> None:
    """Run the job to its end, which must be a good one."""
    process = start(folder)
    process.join(WAIT)
    assert process.exitcode == 0


def kill_when(folder: Path, found: Path) -> None:
    """Start the job and kill it hard as soon as a file is there."""
    process = start(folder)
    deadline = time.monotonic() + WAIT
    while not found.exists():
        assert process.is_alive(), f"it ended with {process.exitcode} before {found} came"
        assert time.monotonic() < deadline, f"{found} did not come"
        time.sleep(0.002)
    process.kill()
    process.join()


def start(folder: Path) -> ForkServerProcess:
    """The job in a process of its own, forked from one that has imported torch already, to save the time."""
    process = FORKS.Process(target=job, args=(folder,), daemon=True)
    process.start()
    return process


def job(folder: Path) -> None:
    """What the forked process does."""
    sys.exit(main([str(folder)]))


def progress(folder: Path) -> list[Progress]:
    lines = (folder / "progress.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Progress) for line in lines if line]


@pytest.fixture(scope="module")
def finished(tiny_base: Path, embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that nobody disturbed, started by its command."""
    folder = fill(tmp_path_factory.mktemp("jobs") / "finished", tiny_base, embedder)
    done = subprocess.run(command(folder), capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


def test_a_job_trains_and_leaves_a_verdict(finished: Path, tiny_base: Path) -> None:
    record = msgspec.json.decode((finished / "gate.json").read_bytes(), type=GateRecord)
    assert (record.champion, record.challenger, record.base) == ("bot@v0", "bot@v1", describe(tiny_base))
    likelier = record.tests[0]
    assert (likelier.name, likelier.passed, likelier.n) == ("superiority", True, 8)
    metrics = json.loads((finished / "metrics.json").read_bytes())
    assert metrics["challenger_superiority"] - metrics["champion_superiority"] == pytest.approx(likelier.mean)
    assert (metrics["train_rows"], metrics["eval_rows"], metrics["train_steps"]) == (24, 8, STEPS)
    assert sorted(file.name for file in (finished / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert json.loads((finished / "adapter/adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"


def test_a_job_says_how_far_it_is(finished: Path) -> None:
    said = progress(finished)
    assert [step.done for step in said if step.stage == "train"] == list(range(1, STEPS + 1))
    assert all(step.loss for step in said if step.stage == "train")
    assert list(dict.fromkeys(step.stage for step in said)) == list(get_args(Stage))
    assert all(0 <= step.done <= step.total for step in said)


def test_a_job_killed_in_every_stage_goes_on_where_it_was(
    finished: Path, tiny_base: Path, embedder: Path, tmp_path: Path
) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder)
    kill_when(folder, folder / "checkpoints/checkpoint-4/trainer_state.json")
    before = max(step.done for step in progress(folder) if step.stage == "train")
    kill_when(folder, folder / "adapter")
    steps = [step.done for step in progress(folder) if step.stage == "train"]
    assert steps.count(1) == steps.count(2) == 1, "it began anew"
    assert before < STEPS == max(steps)
    kill_when(folder, folder / "stages/nll-challenger.json")
    likelihoods = (folder / "stages/nll-challenger.json").stat().st_mtime_ns
    finish(folder)
    assert (folder / "stages/nll-challenger.json").stat().st_mtime_ns == likelihoods, "it was measured twice"
    assert not (folder / "checkpoints").exists()
    for name in ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "gate.json"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), f"{name} depends on the kills"


def test_a_finished_job_is_left_as_it_is(finished: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in finished.rglob("*")}
    finish(finished)
    assert {file: file.stat().st_mtime_ns for file in finished.rglob("*")} == before


def test_the_next_challenger_is_held_against_the_adapter_in_service(
    finished: Path, tiny_base: Path, embedder: Path, tmp_path: Path
) -> None:
    # The same rows and seed again: the challenger is the champion's twin, and nothing is gained.
    names = {"champion_name": "bot@v1", "challenger_name": "bot@v2"}
    folder = fill(tmp_path / "job", tiny_base, embedder, champion=str(finished / "adapter"), **names)
    finish(folder)
    record = msgspec.json.decode((folder / "gate.json").read_bytes(), type=GateRecord)
    assert {test.mean for test in record.tests if test.name != "answers_belong"} == {0.0}
    assert record.outcome == "rejected"


def test_a_job_for_another_base_is_refused_for_good(tiny_base: Path, embedder: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "job", tiny_base, embedder, base_sha256="0" * 64)
    done = subprocess.run(command(folder), capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == HOPELESS
    assert done.stderr.startswith("BadBase: ")
    assert "start a new run" in done.stderr.splitlines()[-1]


def test_a_metric_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    write_numbers(tmp_path / "metrics.json", {"rows": 3, "nll": math.nan, "loss": math.inf})
    assert json.loads((tmp_path / "metrics.json").read_bytes()) == {"rows": 3}


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
