"""A whole demo, started as `make demo` starts it, in a home of its own; and what stays when it has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from teachback.infra.settings import Installation, load
from tests.infra.demo.witness import Log, Table, read_table

COMMAND = (sys.executable, "-m", "teachback.infra.command")
LONGEST_S = 3600.0
END_S = 180.0


def environment(**more: str) -> dict[str, str]:
    """This process's, without settings of another installation; caches and models are shared."""
    shared = ("TEACHBACK_CACHE", "TEACHBACK_MODELS_")
    kept = {n: v for n, v in os.environ.items() if not n.startswith("TEACHBACK_") or n.startswith(shared)}
    return kept | {"OMP_WAIT_POLICY": "PASSIVE"} | more


class Demo:
    """One demo. `down` must be called, whatever happens; it may be called again."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.folder = folder
        self.home = folder / "home" / "demo"
        self.config = self.home / "teachback.toml"
        self._output = folder / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "demo", *arguments],
                cwd=folder,
                env=environment(TEACHBACK_HOME=str(folder / "home")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def running(self) -> bool:
        """Whether it is not over."""
        return self.process.poll() is None

    def ended(self) -> int:
        """Its exit status, once it is over."""
        return self.process.wait(LONGEST_S)

    def said(self) -> str:
        """What it printed, the end of it."""
        return self._output.read_text(encoding="utf-8", errors="replace")[-8_000:]

    @property
    def report(self) -> dict[str, Any]:
        """Its report."""
        found: dict[str, Any] = json.loads((self.home / "report.json").read_bytes())
        return found

    @property
    def installation(self) -> Installation:
        """Its installation, by its own configuration file."""
        return load(self.config, environment())

    def log(self) -> Log:
        """Its topics, read to their ends as they are now."""
        with Log(self.bootstrap) as log:
            return log.to_end()

    @property
    def bootstrap(self) -> str:
        """Where its Kafka listens."""
        return f"127.0.0.1:{json.loads((self.home / 'kafka' / 'node.json').read_bytes())['port']}"

    def table(self) -> Table:
        """Its table of labels."""
        return read_table(self.home / "labels")

    def url(self, part: str) -> str:
        """Where its chatbot or desk serves."""
        return f"http://127.0.0.1:{tomllib.loads(self.config.read_text())[part]['port']}"

    def serving(self) -> str:
        """The adapter that its chatbot names first."""
        answer = httpx.get(f"{self.url('chatbot')}/v1/models", trust_env=False).raise_for_status()
        return str(answer.json()["data"][0]["id"])

    def teachback(self, *arguments: str) -> str:
        """What a command says about it. Fails, with all that was said, when the command does."""
        done = subprocess.run(
            [*COMMAND, "--config", str(self.config), *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"teachback {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def down(self) -> None:
        """End it, if it is not over, and stop what it left running."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.config.exists():
            self.teachback("down")
