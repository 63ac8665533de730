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
from collections.abc import Iterable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from teachback.infra.parts import PARTS
from teachback.infra.settings import Installation

PR_SET_PDEATHSIG = 1
GONE = (OSError, HTTPException, xmlrpc.client.ProtocolError)
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


def lifeline(pidfile: Path) -> None:
    """End with the supervisor, however it ends (Linux; elsewhere supervisord's own stop is all there is).

    `pidfile` is the supervisor's. Raises SuperviseError when the parent is not that process: it ended before this one
    could ask the kernel, and nobody would ever stop this one.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        supervisor = int(pidfile.read_text(encoding="ascii"))
    except (OSError, ValueError) as exc:
        raise SuperviseError(f"{pidfile} names no supervisor: {exc}") from exc
    if os.getppid() != supervisor:
        raise SuperviseError(f"supervisord (process {supervisor}) ended while this process started")


def socket_path(home: Path) -> Path:
    """Supervisord's socket: in the home, or in the temporary folder when the home's path is too long for one."""
    inside = home / "run" / "supervisor.sock"
    if len(str(inside)) <= SUN_PATH_MAX:
        return inside
    return Path(tempfile.gettempdir()) / f"teachback-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.sock"


def pid_file(installation: Installation) -> Path:
    """Where supervisord writes its process id before it starts anything."""
    return installation.home / "run" / "supervisord.pid"


def start(installation: Installation, config: Path | None) -> None:
    """Start supervisord, detached, with all parts known and none started. Does nothing when it runs.

    Raises SuperviseError.
    """
    if running(installation):
        return
    home = installation.home
    for folder in (home / "run", home / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    file = home / "run" / "supervisord.conf"
    file.write_text(_configuration(installation, config), encoding="utf-8")
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:  # otherwise it has put itself into the background
        raise SuperviseError(f"supervisord did not start: {(done.stderr or done.stdout).strip()}")
    _until(lambda: running(installation), 30, f"supervisord does not answer; see {home / 'logs' / 'supervisord.log'}")


def start_part(installation: Installation, name: str) -> None:
    """Start one process, without waiting for it. Does nothing when it runs."""
    try:
        with _rpc(installation) as rpc:
            rpc.startProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise SuperviseError(f"{name} can't be started: {fault.faultString}") from fault
    except GONE as exc:
        raise SuperviseError(f"{name} can't be started: supervisord does not run ({exc})") from exc


def stop_parts(installation: Installation, names: Iterable[str]) -> None:
    """Stop processes, each with its own grace, side by side. Raises SuperviseError when that takes too long."""
    pending = set(names)
    with contextlib.suppress(*GONE), _rpc(installation) as rpc:
        for name in pending:
            with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
                rpc.stopProcess(name, False)
    _until(
        lambda: all(p.pid == 0 for p in states(installation) if p.name in pending), 40, "processes did not stop in time"
    )


def shutdown(installation: Installation) -> None:
    """Stop everything, Kafka last, then supervisord. Does nothing when nothing runs. Raises SuperviseError."""
    try:
        pid = supervisor_pid(installation)
    except SuperviseError:
        return
    with contextlib.suppress(SuperviseError):  # supervisord kills, as it ends, whatever would not stop
        stop_parts(installation, [part.name for part in PARTS])
    with contextlib.suppress(xmlrpc.client.Fault, *GONE), _rpc(installation) as rpc:  # somebody else stops it already
        rpc.shutdown()
    _until(lambda: not _alive(pid), 60, f"supervisord (process {pid}) does not end")


def running(installation: Installation) -> bool:
    """Whether this installation's supervisord answers, and is not about to end."""
    try:
        with _rpc(installation) as rpc:
            return bool(rpc.getState()["statecode"] == 1)
    except GONE:
        return False


def states(installation: Installation) -> list[ProcessState]:
    """All processes; empty when supervisord does not run."""
    try:
        with _rpc(installation) as rpc:
            found: list[dict[str, Any]] = rpc.getAllProcessInfo()
    except (xmlrpc.client.Fault, *GONE):  # a Fault: it is about to end
        return []
    return [
        ProcessState(row["name"], row["statename"].lower(), row["pid"], _uptime(row), row["description"])
        for row in found
    ]


def _uptime(row: dict[str, Any]) -> float:
    """Seconds; 0 for what does not run, whose start is long ago or never was."""
    return float(max(0, row["now"] - row["start"])) if row["pid"] else 0.0


def supervisor_pid(installation: Installation) -> int:
    """Supervisord's process id. Raises SuperviseError when it does not run."""
    try:
        with _rpc(installation) as rpc:
            return int(rpc.getPID())
    except xmlrpc.client.Fault:  # it is about to end
        return int(pid_file(installation).read_text(encoding="ascii"))
    except GONE as exc:
        raise SuperviseError(f"supervisord does not run: {exc}") from exc


@contextlib.contextmanager
def _rpc(installation: Installation) -> Iterator[Any]:
    """Supervisord's procedures. What they raise when it does not run is one of GONE."""
    transport = SupervisorTransport(None, None, f"unix://{socket_path(installation.home)}")
    with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
        yield proxy.supervisor


def _configuration(installation: Installation, config: Path | None) -> str:
    home, sock = installation.home, socket_path(installation.home)
    names = (["kafka"] if installation.local_kafka else []) + [part.name for part in PARTS]
    head = f"""[supervisord]
logfile={home}/logs/supervisord.log
pidfile={pid_file(installation)}
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
        "--under",
        str(pid_file(installation)),
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
