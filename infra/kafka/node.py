"""One Kafka node: prepare its home, start it, wait until it really answers, stop it.

A home folder holds everything the node must find again:

    node.json           cluster id and ports, chosen once
    node.lock           held by the running Java process itself, so that it cannot lie; contains its process id
    data/               the log
    logs/server.log     Kafka's log; logs/console.log what Java said before that was open
    server.properties   written anew at every start
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import msgspec

from teachback.infra.filelock import try_hold
from teachback.infra.kafka import identity
from teachback.infra.kafka.errors import AlreadyRunningError, HomeError, StartError
from teachback.infra.kafka.identity import Identity
from teachback.infra.kafka.jars import Progress, ensure_jars
from teachback.infra.kafka.java import find_java
from teachback.infra.kafka.ports import check_free
from teachback.infra.kafka.ready import wait_ready
from teachback.infra.kafka.server import java_command, log4j_properties, server_properties
from teachback.infra.kafka.settings import HOST, KafkaSettings

BROKER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"
FORMAT_HEAP_MB = 128

# Runs Java in its own place, to be killed by the kernel when the process that started it ends, however it ends (Linux:
# PR_SET_PDEATHSIG is 1). The parent may be gone before the request is made: hence the look at its id.
DIES_WITH_PARENT = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent process ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about a home from outside."""

    state: Literal["new", "stopped", "running"]
    bootstrap: str | None
    """`host:port` for clients; None before the first start."""
    pid: int | None


class Node:
    """A node that belongs to this process: it ends with it, even if this process is killed.

    Start it from a thread that lives as long as it should: on Linux the kernel counts the end of the starting
    *thread* as the parent's death.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.bootstrap = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Node:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The Java process. Raises StartError when it does not run."""
        if self._process is None:
            raise StartError(f"the Kafka node of {self.settings.home} is not started")
        return self._process.pid

    def start(self, progress: Progress | None = None) -> Node:
        """Start, or start again, and return once clients are served. Raises as `prepare`, and StartError."""
        lock, command = prepare(self.settings, progress)
        home = self.settings.home
        wrapped = [sys.executable, "-I", "-S", "-c", DIES_WITH_PARENT, str(os.getpid()), *command]
        try:
            with (home / "logs" / "console.log").open("wb") as console:
                self._process = subprocess.Popen(
                    wrapped, stdin=subprocess.DEVNULL, stdout=console, stderr=console, pass_fds=[lock]
                )
            (home / "node.lock").write_text(str(self._process.pid), encoding="ascii")
        finally:
            os.close(lock)
        atexit.register(self.kill)
        self.bootstrap = status(home).bootstrap or ""
        try:
            wait_ready(self.bootstrap, self.settings.start_timeout_s, self._ended)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Stop cleanly, or kill after `stop_timeout_s`. Does nothing to a node that does not run."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self.settings.stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
        self._forget(process)

    def kill(self) -> None:
        """kill -9: what the power cord does. The data stays, and `start` works again."""
        if self._process is not None:
            self._process.kill()
            self._forget(self._process)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._process = None
        atexit.unregister(self.kill)

    def _ended(self) -> str | None:
        """Why the process ended, or None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        return f"Java ended with code {self._process.returncode}\n{last_words(self.settings.home)}"


def foreground(settings: KafkaSettings) -> None:
    """Become the broker: Java takes this process's place, for a supervisor to watch. Returns never, or raises."""
    lock, command = prepare(settings, None)
    (settings.home / "node.lock").write_text(str(os.getpid()), encoding="ascii")
    os.set_inheritable(lock, True)
    os.execv(command[0], command)


def status(home: Path) -> Status:
    """Whether a node runs from `home`, and where clients reach it. Starts nothing."""
    known = identity.read(home)
    if known is None:
        return Status(state="new", bootstrap=None, pid=None)
    bootstrap = f"{HOST}:{known.port}"
    lock = try_hold(home / "node.lock")
    if lock is not None:
        os.close(lock)
        return Status(state="stopped", bootstrap=bootstrap, pid=None)
    pid = (home / "node.lock").read_text(encoding="ascii")
    return Status(state="running", bootstrap=bootstrap, pid=int(pid) if pid.isdigit() else None)


def stop(settings: KafkaSettings) -> bool:
    """Stop the node that runs from the home, whoever started it: SIGTERM, then SIGKILL. False when none ran."""
    found = status(settings.home)
    if found.pid is None:
        return False
    for number, patience in ((signal.SIGTERM, settings.stop_timeout_s), (signal.SIGKILL, 5.0)):
        os.kill(found.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if status(settings.home).state == "stopped":
                return True
            time.sleep(0.05)
    raise StartError(f"process {found.pid} holds {settings.home / 'node.lock'} and does not end; end it by hand")


def prepare(settings: KafkaSettings, progress: Progress | None) -> tuple[int, list[str]]:
    """Everything before the broker itself: jars, Java, ports, files, format.

    Returns the descriptor of the held `node.lock`, which the broker must inherit, and the broker's command.
    Raises JarError, JavaError, PortTakenError, AlreadyRunningError, HomeError.
    """
    home = settings.home.absolute()
    lock = _take_home(home)
    try:
        java = find_java(settings.java)
        jars = ensure_jars(settings.cache.absolute(), progress=progress, repository=settings.repository)
        node = identity.settle(settings, home)
        check_free({"port": node.port, "controller_port": node.controller_port})
        _write_files(home, node)
        if not node.formatted:
            _format(home, node, java, jars)
    except OSError as error:
        os.close(lock)
        raise HomeError(f"{home} cannot hold Kafka's files: {error}. Check its disk and permissions.") from error
    except BaseException:
        os.close(lock)
        raise
    return lock, java_command(java, jars, home, settings.heap_mb, BROKER, str(home / "server.properties"))


def last_words(home: Path, lines: int = 12) -> str:
    """The ends of the node's two logs, for an error message."""
    parts = []
    for name in ("console.log", "server.log"):
        path = home / "logs" / name
        if path.exists():
            tail = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            parts += [f"--- {path}", *tail] if tail else []
    return "\n".join(parts)


def _take_home(home: Path) -> int:
    try:
        for folder in ("data", "logs"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        lock = _hold(home / "node.lock")
    except OSError as error:
        raise HomeError(f"{home} cannot hold Kafka's files: {error}. Check its disk and permissions.") from error
    if lock is None:
        raise AlreadyRunningError(f"a Kafka node already runs from {home} (process {status(home).pid})")
    return lock


def _hold(path: Path) -> int | None:
    """Take the lock; several tries, because `status` takes it for an instant to see whether it is free."""
    for _ in range(10):
        lock = try_hold(path)
        if lock is not None:
            return lock
        time.sleep(0.02)
    return None


def _write_files(home: Path, node: Identity) -> None:
    shutil.rmtree(home / "tmp", ignore_errors=True)
    (home / "tmp").mkdir()
    properties = server_properties(data=home / "data", port=node.port, controller_port=node.controller_port)
    (home / "server.properties").write_text(properties, encoding="utf-8")
    (home / "log4j2.properties").write_text(log4j_properties(home / "logs"), encoding="utf-8")


def _format(home: Path, node: Identity, java: Path, jars: Sequence[Path]) -> None:
    """Write the cluster id into the data folder, once."""
    shutil.rmtree(home / "data")
    (home / "data").mkdir()
    arguments = ("format", "-t", node.cluster_id, "-c", str(home / "server.properties"))
    command = java_command(java, jars, home, FORMAT_HEAP_MB, STORAGE_TOOL, *arguments)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartError(f"formatting {home / 'data'} failed:\n{done.stdout}{done.stderr}".rstrip())
    identity.write(home, msgspec.structs.replace(node, formatted=True))
