"""A whole trainer in a process of its own, with a fake embedder and a fake job, to be killed.

python -m tests.trainer.parent SETTINGS.json [STOP_AT]

STOP_AT is a named place at which the process kills itself by SIGKILL, once: `PLACE` of the table in `main`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from teachback.trainer import run as trainer_run
from teachback.trainer.child import Child
from teachback.trainer.folder import JobFolder
from teachback.trainer.ledger import Ledger
from teachback.trainer.registry import Registry
from teachback.trainer.settings import TrainerSettings
from tests.trainer.fakes import BASE, embed

JOB = (sys.executable, "-m", "tests.trainer.fake_job")


def die_after(kind: type[Any], method: str, times: int = 1) -> None:
    """Kill this process as soon as `method` has returned for the `times`-th time."""
    real = getattr(kind, method)
    left = times

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        result = real(*args, **kwargs)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(kind, method, wrapped)


def die_before(kind: type[Any], method: str, times: int = 1) -> None:
    """Kill this process as `method` is called for the `times`-th time."""
    real = getattr(kind, method)
    left = times

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(kind, method, wrapped)


PLACES = {
    "splits undecided": lambda: die_before(Ledger, "write", 1),
    "splits committed": lambda: die_after(Ledger, "write", 1),
    "run not yet open": lambda: die_before(Ledger, "write", 2),
    "run open": lambda: die_after(Ledger, "write", 2),
    "folder filled": lambda: die_after(JobFolder, "fill"),
    "child started": lambda: die_after(Child, "start"),
    "adapter not yet put": lambda: die_before(Registry, "put"),
    "adapter put": lambda: die_after(Registry, "put"),
    "end committed": lambda: die_after(Ledger, "write", 3),
}


def main(arguments: list[str]) -> None:
    settings = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=TrainerSettings, dec_hook=_path)
    if len(arguments) > 1:
        PLACES[arguments[1]]()
    settings.work.mkdir(parents=True, exist_ok=True)
    with trainer_run.until_told() as told:
        trainer_run.serve(settings, embed, JOB, lambda _: BASE, told)


def _path(kind: type[Any], value: Any) -> Any:
    assert kind is Path
    return Path(value)


if __name__ == "__main__":
    main(sys.argv[1:])
