"""Apache Kafka's jars: Maven coordinates in a lock file, fetched once, checked always.

`jars.lock`, beside this file, holds one line a jar: coordinate, size in bytes, SHA-256. Running never resolves a POM:
the locked coordinates are fetched as they stand, so what runs is what was reviewed. Only `relock` resolves, when
somebody upgrades Kafka: `python -m teachback.infra.kafka.jars --relock`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from teachback.infra.filelock import exclusive
from teachback.infra.kafka.errors import JarError, JarMismatchError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA_VERSION = "4.3.1"
KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# Kafka logs through slf4j 1.7, to which this binds; the version is that of Kafka's own log4j-core. All that it needs is
# Kafka's already. It is not resolved beside Kafka: jgo would let its parent manage Kafka's versions (to clients 3.9).
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
LOCK_FILE = Path(__file__).with_name("jars.lock")

ATTEMPTS = 4
FIRST_PAUSE_S = 1.0
"""Between the first two attempts; doubles."""
PARALLEL = 6

Progress = Callable[[int, int], None]
"""Called with (bytes here so far, bytes in all); from several threads, one at a time."""


class Jar(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the lock file."""

    coordinate: str
    """`group:artifact:version`."""
    size: int
    """Bytes."""
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The locked jars, in class path order. Raises JarError on a malformed line."""
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 3 or fields[0].count(":") != 2 or not fields[1].isdigit() or len(fields[2]) != 64:
            raise JarError(f"{path}:{number}: expected `group:artifact:version size sha256`, found {line!r}")
        jars.append(Jar(coordinate=fields[0], size=int(fields[1]), sha256=fields[2]))
    return tuple(jars)


def ensure_jars(
    cache: Path, *, progress: Progress | None = None, lock: Path = LOCK_FILE, repository: str | None = None
) -> list[Path]:
    """The class path: every locked jar under `cache`, each with its locked SHA-256.

    Jars that are there are hashed and kept (about 60 MB, a fifth of a second); the rest are fetched from Maven
    Central, or from `repository`, a mirror's address. Safe to interrupt and to run in two processes at once.

    Raises JarMismatchError when a fetched jar is not the locked one, JarError when one cannot be fetched.
    """
    jars = read_lock(lock)
    folder = cache / "jars"
    with exclusive(folder / ".lock"):
        missing = [jar for jar in jars if not _is_whole(folder / jar.file_name, jar)]
        tally = _Tally(jars, missing, progress)
        if missing:
            _fetch_all(missing, folder, tally, repository)
    return [folder / jar.file_name for jar in jars]


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def relock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Resolve Kafka's dependencies and write the lock file: for an upgrade, to be reviewed like any change."""
    with tempfile.TemporaryDirectory() as scratch:
        context = _context(Path(scratch), None, None)
        kafka, binding = context.create_dependency(KAFKA), context.create_dependency(LOG_BINDING)
        _, transitive = context.resolver.resolve([kafka])
        jars = []
        for dependency in [kafka, *transitive, binding]:
            file = dependency.artifact.resolve()
            coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            jars.append(Jar(coordinate=coordinate, size=file.stat().st_size, sha256=digest(file)))
    lines = [f"{jar.coordinate} {jar.size} {jar.sha256}" for jar in jars]
    header = "# Written by `python -m teachback.infra.kafka.jars --relock`: coordinate, size in bytes, SHA-256."
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return tuple(jars)


class _Tally:
    """Counts the bytes that are here, for the progress callback."""

    def __init__(self, jars: Sequence[Jar], missing: Sequence[Jar], progress: Progress | None) -> None:
        self._total = sum(jar.size for jar in jars)
        self._done = self._total - sum(jar.size for jar in missing)
        self._progress = progress
        self._mutex = threading.Lock()
        self.add(0)

    def add(self, count: int) -> None:
        with self._mutex:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)


def _is_whole(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and digest(path) == jar.sha256


def _fetch_all(jars: Sequence[Jar], folder: Path, tally: _Tally, repository: str | None) -> None:
    # jgo asserts that what it downloads is not there yet, so each call gets a scratch repository of its own.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch, ThreadPoolExecutor(PARALLEL) as pool:
        work = {pool.submit(_fetch, jar, Path(scratch), folder, tally, repository): jar for jar in jars}
        try:
            for done in as_completed(work):
                done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(jar: Jar, scratch: Path, folder: Path, tally: _Tally, repository: str | None) -> None:
    """Download one jar, check it, and move it into place in one step."""
    path = _download(jar, scratch, tally, repository)
    found = digest(path)
    if found != jar.sha256:
        raise JarMismatchError(
            f"{jar.coordinate}: the fetched jar has SHA-256 {found}, the lock file says {jar.sha256}. It is not the "
            f"file that was reviewed, so it was thrown away. Check the repository or mirror it came from."
        )
    path.replace(folder / jar.file_name)


def _download(jar: Jar, scratch: Path, tally: _Tally, repository: str | None) -> Path:
    import requests

    for attempt in range(1, ATTEMPTS + 1):
        received = 0

        def count(size: int) -> None:
            nonlocal received
            received += size
            tally.add(size)

        context = _context(scratch / f"{jar.file_name}.{attempt}", count, repository)
        try:
            return context.create_dependency(jar.coordinate).artifact.resolve()
        # jgo says RuntimeError for any answer but 200, and for a checksum that differs from the repository's own.
        except (requests.RequestException, RuntimeError, OSError) as error:
            tally.add(-received)
            if attempt == ATTEMPTS:
                raise JarError(
                    f"{jar.coordinate} could not be fetched after {ATTEMPTS} attempts: {error}. Check the network; "
                    f"jars that arrived are kept, so running again goes on from here."
                ) from error
            time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _context(folder: Path, count: Callable[[int], None] | None, repository: str | None) -> MavenContext:
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def callback(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield count or (lambda _size: None)

    remote = None if repository is None else {"mirror": repository.rstrip("/")}
    return MavenContext(PythonResolver(progress_callback=callback), folder, remote_repos=remote, timeout=60)


def main(arguments: Sequence[str]) -> int:
    """`--relock` resolves and writes the lock file; `--fetch FOLDER` fills a cache."""
    parser = argparse.ArgumentParser(prog="python -m teachback.infra.kafka.jars", description=main.__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--relock", action="store_true", help="resolve Kafka's dependencies and write jars.lock")
    what.add_argument("--fetch", type=Path, metavar="FOLDER", help="fetch and check the locked jars")
    chosen = parser.parse_args(arguments)
    jars = relock() if chosen.relock else read_lock()
    if chosen.fetch is not None:
        ensure_jars(chosen.fetch)
    sys.stdout.write(f"{len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.0f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
