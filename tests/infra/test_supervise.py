"""Processes under the supervisor: started again when they end, and none left behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from teachback.infra import supervise
from teachback.infra.settings import Installation, load
from teachback.infra.supervise import SUN_PATH_MAX, ProcessState, SuperviseError, socket_path
from teachback.infra.up import up, wait_ready

COMMAND = (sys.executable, "-m", "teachback.infra.command")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def test_a_home_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    assert socket_path(tmp_path / "h") == tmp_path / "h" / "run" / "supervisor.sock"
    first, second = (socket_path(tmp_path / ("x" * SUN_PATH_MAX) / name) for name in "ab")
    assert first != second
    assert max(len(str(first)), len(str(second))) <= SUN_PATH_MAX


def test_where_nothing_runs_there_is_nothing_to_see_or_stop(tmp_path: Path) -> None:
    installation = load(None, {"TEACHBACK_HOME": str(tmp_path)})
    assert not supervise.running(installation)
    assert supervise.states(installation) == []
    supervise.shutdown(installation)
    supervise.stop_parts(installation, ["shards"])
    with pytest.raises(SuperviseError, match="does not run"):
        supervise.start_part(installation, "shards")


@linux
@pytest.mark.parametrize("text", ["1", "nonsense", None])
def test_a_process_whose_supervisor_is_gone_does_not_start(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "supervisord.pid"
    if text is not None:
        file.write_text(text)
    code = f"from pathlib import Path; from teachback.infra.supervise import lifeline; lifeline(Path({str(file)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SuperviseError" in done.stderr
    file.write_text(f"{os.getpid()}\n")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """One with a local Kafka of its own, on a free port, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "teachback.toml").write_text(f'home = "{tmp_path / "home"}"\n[kafka]\nheap_mb = 256\npartitions = 1\n')
    installation = load(environ={"PATH": os.environ["PATH"]})
    yield installation
    supervise.shutdown(installation)


def silent(step: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody watches."""


def pids(installation: Installation) -> dict[str, int]:
    return {state.name: state.pid for state in supervise.states(installation) if state.pid}


@linux
@pytest.mark.kafka
def test_what_ends_is_started_again_and_what_loses_its_supervisor_ends(installation: Installation) -> None:
    up(installation, None, silent, ["shards"])
    first = pids(installation)
    assert set(first) == {"kafka", "shards"}

    done = subprocess.run([*COMMAND, "status", "--json"], capture_output=True, text=True, check=True)
    status = json.loads(done.stdout)
    assert {row["name"]: row["pid"] for row in status["processes"] if row["pid"]} == first
    assert {row["state"] for row in status["processes"]} == {"running", "stopped"}
    assert {row["uptime"] > 0 for row in status["processes"] if row["pid"]} == {True}
    assert {row["uptime"] for row in status["processes"] if not row["pid"]} == {0}
    assert (status["champion"], status["topics"]["loop.policy"]) == ("support@v0", 1)

    os.kill(first["shards"], signal.SIGKILL)
    until(lambda: pids(installation).get("shards", 0) not in {0, first["shards"]}, "shards to be started again")
    assert pids(installation)["kafka"] == first["kafka"]

    supervisor = supervise.supervisor_pid(installation)
    family = [psutil.Process(supervisor), *psutil.Process(supervisor).children(recursive=True)]
    assert len(family) >= 3
    os.kill(supervisor, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []

    cluster = up(installation, None, silent, ["shards"])  # on the same data, past a stale socket and pid file
    again = pids(installation)
    assert set(again) == {"kafka", "shards"}
    assert set(again.values()).isdisjoint(first.values())
    assert cluster.bootstrap == installation.cluster.bootstrap

    for expected in ("stopped", "nothing was running"):
        done = subprocess.run([*COMMAND, "down"], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"{installation.home}: {expected}"
    assert not any(psutil.pid_exists(pid) for pid in again.values())


def test_a_part_that_ends_again_and_again_is_named_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = load(None, {"TEACHBACK_HOME": str(tmp_path)})
    lives = [ProcessState("shards", state, pid, 1, "") for pid in range(9) for state in ("starting", "backoff")]
    monkeypatch.setattr(supervise, "states", lambda _: [lives.pop(0)])
    with pytest.raises(SuperviseError, match=r"shards ends again and again; see .*shards\.log"):
        wait_ready(installation, ["shards"], silent)
    assert len(lives) > 4


def test_a_part_that_was_given_up_is_named_with_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = load(None, {"TEACHBACK_HOME": str(tmp_path)})
    monkeypatch.setattr(supervise, "states", lambda _: [ProcessState("shards", "fatal", 0, 0, "exited too quickly")])
    with pytest.raises(SuperviseError, match=r"shards keeps ending: exited too quickly; see .*shards\.log"):
        wait_ready(installation, ["shards"], silent)


def test_a_supervisor_that_ends_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(SuperviseError, match=r"supervisord ended; see .*supervisord\.log"):
        wait_ready(load(None, {"TEACHBACK_HOME": str(tmp_path)}), ["shards"], silent)
