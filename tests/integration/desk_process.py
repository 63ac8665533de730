"""Desks as processes, to be killed: `python -m tests.integration.desk_process SETTINGS.json`, and what starts them."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import msgspec

from teachback.consumers.desk import DeskSettings, run

ROOT = Path(__file__).resolve().parents[2]


class DeskProcess:
    """One desk. `start` again after it ended: same port, same settings."""

    def __init__(self, settings: DeskSettings, folder: Path) -> None:
        self.settings = settings
        self.url = f"http://{settings.host}:{settings.port}"
        self._file = folder / f"desk-{settings.port}.json"
        self._file.write_bytes(msgspec.json.encode(settings))
        self.log = folder / f"desk-{settings.port}.log"

    def start(self, wait: bool = True) -> DeskProcess:
        command = [sys.executable, "-m", "tests.integration.desk_process", str(self._file)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout: float = 60.0) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                if httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the desk is not ready (exit {self.process.poll()}):\n{self.log.read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9; also ends a stopped process."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.terminate()
        return self.process.wait(30)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=DeskSettings))
