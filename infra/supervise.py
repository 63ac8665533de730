"""Processes under supervisord: restarted with back-off, a log each, and none left behind.

    <home>/run/supervisord.conf     written anew at every `up`
    <home>/run/supervisord.pid
    <home>/logs/<part>.log          rotated at 10 MB, three kept

Every process asks the kernel to be killed when supervisord ends, however it ends (`lifeline`), so a kill -9 of the
supervisor leaves nothing running. That is safe: nothing that teachback promises needs an orderly end.
"""

import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from teachback.infra.parts import PARTS
from teachback.infra.settings import Installation

PR_SET_PDEATHSIG = 1
# Progress bars don't belong in logs; threads that spin while they wait take the processor from the other parts; and
# glibc's arenas, one for each thread, keep hundreds of megabytes that nobody uses.
ENVIRONMENT = ",".join(
    (
        'TQDM_DISABLE="1"',
        'OMP_WAIT_POLICY="PASSIVE"',
        'TOKENIZERS_PARALLELISM="false"',
        'MALLOC_ARENA_MAX="2"',
        'PYTHONUNBUFFERED="1"',
    )
)
# a Unix socket's path holds 108 bytes on Linux, 104 on macOS; supervisord adds its pid while binding
SUN_PATH_MAX = 100


class SuperviseError(Exception):
    """A process could not be started or stopped; the message names it and its log."""


class ProcessState(NamedTuple):
    """One process: supervisord's word for its state, and since when, in seconds."""

    name: str
    state: str
    pid: int
    uptime: float
    detail: str


def lifeline() -> None:
    """End with the parent, however it ends (Linux; elsewhere supervisord's own stop is all there is)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SuperviseError("the supervisor ended while this process started")


def socket_path(home: Path) -> Path:
    """Supervisord's socket: in the home, or in the temporary folder when the home's path is too long for one."""
    inside = home / "run" / "supervisor.sock"
    if len(str(inside)) <= SUN_PATH_MAX:
        return inside
    return Path(tempfile.gettempdir()) / f"teachback-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.sock"


def start(installation: Installation, config: Path | None) -> None:
    """Start supervisord, detached, with all parts known and none started. Does nothing when it runs."""
    if running(installation):
        return
    home = installation.home
    for folder in (home / "run", home / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    file = home / "run" / "supervisord.conf"
    file.write_text(_configuration(installation, config), encoding="utf-8")
    with (home / "logs" / "supervisord.out").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _until(lambda: running(installation), 15, f"supervisord did not start; see {home / 'logs' / 'supervisord.out'}")


def start_part(installation: Installation, name: str) -> None:
    """Start one process, without waiting for it. Does nothing when it runs."""
    try:
        _rpc(installation).startProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise SuperviseError(f"{name} can't be started: {fault.faultString}") from fault


def stop_parts(installation: Installation, names: Iterable[str]) -> None:
    """Stop processes, each with its own grace, side by side."""
    rpc = _rpc(installation)
    for name in names:
        with contextlib.suppress(xmlrpc.client.Fault):
            rpc.stopProcess(name, False)
    pending = set(names)
    _until(
        lambda: all(p.pid == 0 for p in states(installation) if p.name in pending), 40, "processes did not stop in time"
    )


def shutdown(installation: Installation) -> None:
    """Stop everything, Kafka last, then supervisord. Does nothing when nothing runs."""
    if not running(installation):
        return
    with contextlib.suppress(SuperviseError):
        stop_parts(installation, [part.name for part in PARTS])
    pid = _rpc(installation).getPID()
    _rpc(installation).shutdown()
    _until(lambda: not _alive(pid), 30, f"supervisord (process {pid}) does not end")


def running(installation: Installation) -> bool:
    """Whether this installation's supervisord answers."""
    try:
        return bool(_rpc(installation).getState()["statecode"] == 1)
    except (OSError, HTTPException, xmlrpc.client.Error):
        return False


def states(installation: Installation) -> list[ProcessState]:
    """All processes; empty when supervisord does not run."""
    if not running(installation):
        return []
    found: list[dict[str, Any]] = _rpc(installation).getAllProcessInfo()
    return [
        ProcessState(
            row["name"], row["statename"].lower(), row["pid"], max(0, row["now"] - row["start"]), row["description"]
        )
        for row in found
    ]


def supervisor_pid(installation: Installation) -> int:
    """Supervisord's process id. Raises OSError when it does not run."""
    return int(_rpc(installation).getPID())


def _rpc(installation: Installation) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{socket_path(installation.home)}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor


def _configuration(installation: Installation, config: Path | None) -> str:
    home, sock = installation.home, socket_path(installation.home)
    names = (["kafka"] if installation.local_kafka else []) + [part.name for part in PARTS]
    head = f"""[supervisord]
logfile={home}/logs/supervisord.log
pidfile={home}/run/supervisord.pid
[unix_http_server]
file={sock}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head.replace("%", "%%") + "".join(_program(installation, name, config) for name in names)


def _program(installation: Installation, name: str, config: Path | None) -> str:
    command = [
        sys.executable,
        "-m",
        "teachback.infra.command",
        *(["--config", str(config)] if config else []),
        "run",
        name,
    ]
    quoted = " ".join(f'"{word}"' for word in command)
    body = f"""command={quoted}
directory={Path.cwd()}
environment={ENVIRONMENT}
autostart=false
autorestart=true
startsecs=8
startretries=50
stopwaitsecs={30 if name == "kafka" else 15}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={installation.home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
priority={1 if name == "kafka" else 10}
"""
    return f"[program:{name}]\n" + body.replace("%", "%%")


def _alive(pid: int) -> bool:
    """Whether a process still does something: a zombie, waiting for this very process to look at it, does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _until(condition: Any, seconds: float, message: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SuperviseError(message)
        time.sleep(0.1)
