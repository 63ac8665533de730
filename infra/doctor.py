"""Checks of the machine and the configuration, each with what to do when it fails."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from teachback.infra.settings import Installation, SettingsError, load

GIB = 1 << 30


class Check(NamedTuple):
    """One finding."""

    name: str
    good: bool
    finding: str


def checks(config: Path | None) -> list[Check]:
    """All checks. Those that need a configuration are left out when it can't be read."""
    found = [_python(), _memory(), _cores()]
    try:
        installation = load(config)
    except SettingsError as exc:
        return [*found, Check("configuration", False, str(exc))]
    found.append(Check("configuration", True, "can be read, every part's settings are valid"))
    return found + [check(installation) for check in (_disk, _home, _java, _kafka, _models)]


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
    folder = installation.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / GIB
    return Check("disk", free > 2, f"{free:.0f} GiB free in {folder}; 2 are needed")


def _home(installation: Installation) -> Check:
    folder = installation.home
    while not folder.exists():
        folder = folder.parent
    return Check(
        "home",
        os.access(folder, os.W_OK),
        f"{installation.home}" + ("" if os.access(folder, os.W_OK) else " can't be written"),
    )


def _java(installation: Installation) -> Check:
    if not installation.local_kafka:
        return Check("Java", True, "not needed: Kafka is a configured cluster")
    from teachback.infra.kafka.errors import JavaError
    from teachback.infra.kafka.java import find_java

    return _tried("Java", lambda: str(find_java()), JavaError)


def _kafka(installation: Installation) -> Check:
    from teachback.infra.topics import show
    from teachback.schemas.wire import TopicMismatch

    if installation.local_kafka:
        from teachback.infra.kafka.node import status

        state = status(installation.home / "kafka").state
        if state != "running":
            return Check("Kafka", True, f"the local node is {state}; `teachback up` starts it")

    def finding() -> str:
        states = show(installation.cluster, 5)
        missing = sum(state.found is None for state in states)
        return f"{installation.cluster.bootstrap} answers; {missing or 'no'} topics are missing"

    return _tried("Kafka", finding, TopicMismatch)


def _models(installation: Installation) -> Check:
    from teachback.infra.parts import base_model, embedder

    missing = [str(path) for path in (base_model(installation), embedder(installation)) if not path.is_dir()]
    configured = installation.models.base or installation.models.embedder
    if missing and configured:
        return Check("models", False, f"there is no folder {', '.join(missing)}: mend models.base or models.embedder")
    return Check("models", True, "will be fetched by `teachback up`" if missing else "are there")


def _tried(name: str, finding: Callable[[], str], error: type[Exception]) -> Check:
    try:
        return Check(name, True, finding())
    except error as exc:
        return Check(name, False, str(exc))
