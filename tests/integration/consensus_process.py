"""A consensus processor as a process of its own: `python -m tests.integration.consensus_process SETTINGS` (JSON)."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import msgspec

from teachback.streams.consensus import ConsensusSettings, run

ROOT = Path(__file__).resolve().parents[2]


def start(settings: ConsensusSettings, log: Path) -> subprocess.Popen[bytes]:
    """The processor in a process of its own, to be stopped, stalled and killed. Its log is appended to `log`."""
    command = [
        sys.executable,
        "-m",
        "tests.integration.consensus_process",
        msgspec.json.encode(settings, enc_hook=str).decode(),
    ]
    with log.open("ab") as file:
        return subprocess.Popen(command, cwd=ROOT, stderr=file)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    run(msgspec.json.decode(sys.argv[1], type=ConsensusSettings, dec_hook=lambda kind, text: kind(text)))
