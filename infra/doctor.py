"""Checks of the machine and the configuration, each with what to do when it fails."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from teachback.infra.away import NODE, answering
from teachback.infra.failures import failures, told
from teachback.infra.settings import Installation, SettingsError, load

GIB = 1 << 30


class Check(NamedTuple):
    """One finding."""

    name: str
    good: bool
    finding: str


def checks(config: Path | None) -> list[Check]:
    """All checks: one that fails is one finding, and ends no other. Without a configuration some are left out."""
    found = [_python(), _memory(), _cores()]
    try:
        installation = load(config)
    except SettingsError as exc:
        return [*found, Check("configuration", False, str(exc))]
    found.append(Check("configuration", True, "can be read, every part's settings are valid"))
    return found + [_tried(name, check, installation) for name, check in OF_THE_INSTALLATION.items()]


def _tried(name: str, check: Callable[[Installation], Check], installation: Installation) -> Check:
    try:
        return check(installation)
    except failures() as exc:
        return Check(name, False, told(exc))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed")


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIB
    return Check("memory", free > 6, f"{free:.1f} GiB free; the whole loop on one machine takes up to 6")


def _cores() -> Check:
    cores = os.cpu_count() or 1
    return Check("processors", cores >= 2, f"{cores}; 2 or more keep training from holding up the chatbot")


def _disk(installation: Installation) -> Check:
    folder = _nearest(installation.home)
    free = shutil.disk_usage(folder).free / GIB
    return Check("disk", free > 2, f"{free:.0f} GiB free in {folder}; 2 are needed")


def _home(installation: Installation) -> Check:
    problem = home_problem(installation.home)
    return Check("home", problem is None, problem or str(installation.home))


def home_problem(home: Path) -> str | None:
    """Why nothing can be kept in a home, with what to do; None when it can."""
    folder = _nearest(home)
    if not folder.is_dir():
        return f"{folder} is no folder: move the file away, or choose another `home`"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} can't be written: mend its permissions, or choose another `home`"
    return None


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _java(installation: Installation) -> Check:
    if not installation.local_kafka:
        return Check("Java", True, "not needed: Kafka is a configured cluster")
    from teachback.infra.kafka.java import find_java

    return Check("Java", True, str(find_java()))


def _kafka(installation: Installation) -> Check:
    from teachback.infra.kafka.node import status
    from teachback.infra.topics import show

    if installation.local_kafka:
        state = status(installation.home / "kafka").state
        if state != "running":
            return Check("Kafka", True, f"the local node: {NODE[state]}; `teachback up` starts it")
    cluster = answering(installation, 5)
    states = show(cluster, 5)
    finding = "all topics are there"
    if missing := sum(state.found is None for state in states):
        finding = (
            f"{missing} of {len(states)} topics are missing: `teachback topics apply` or `teachback up` makes them"
        )
    elif changed := [state.full_name for state in states if state.found != state.wanted]:
        finding = f"not with the configured number of partitions: {', '.join(changed)}; see `teachback topics show`"
    return Check("Kafka", all(s.found == s.wanted for s in states), f"{cluster.bootstrap} answers; {finding}")


def _models(installation: Installation) -> Check:
    from teachback.infra.parts import base_model, embedder

    missing = [str(path) for path in (base_model(installation), embedder(installation)) if not path.is_dir()]
    configured = installation.models.base or installation.models.embedder
    if missing and configured:
        return Check("models", False, f"there is no folder {', '.join(missing)}: mend models.base or models.embedder")
    return Check("models", True, "will be fetched by `teachback up`" if missing else "are there")


OF_THE_INSTALLATION: dict[str, Callable[[Installation], Check]] = {
    "disk": _disk,
    "home": _home,
    "Java": _java,
    "Kafka": _kafka,
    "models": _models,
}
