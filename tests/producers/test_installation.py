"""What a chatbot gets with `pip install teachback[producers]`: our wheel, into a fresh environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "faust",
    "aiokafka",
    "transformers",
    "pyarrow",
    "deltalake",
    "litestar",
    "numpy",
    "sentence_transformers",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("schemas", "producers", "streams", "consumers", "trainer", "infra", "src"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=source)
    (built,) = out.glob("*.whl")
    return built


def test_the_only_top_level_package_is_teachback(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    (record,) = [name for name in names if name.endswith(".dist-info/RECORD")]
    tops = {name.split("/")[0] for name in names} - {record.split("/")[0]}
    assert tops == {"teachback"}
    assert {"teachback/schemas/topics.py", "teachback/producers/client.py", "teachback/py.typed"} <= set(names)


@pytest.mark.acceptance
def test_a_chatbot_gets_no_torch_and_no_faust(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    _run(str(python), "-m", "pip", "install", "-q", f"teachback[producers] @ {wheel.as_uri()}", cwd=tmp_path)
    found = f"import importlib.util as u; print(*[m for m in {HEAVY!r} if u.find_spec(m)])"
    assert _run(str(python), "-c", found, cwd=tmp_path).strip() == ""
    listed = _run(str(python), "-m", "pip", "list", "--format=freeze", cwd=tmp_path).lower()
    assert {line.split("==")[0].split(" ")[0] for line in listed.split("\n") if line} == {
        "confluent-kafka", "msgspec", "pip", "setuptools", "teachback",
    }  # fmt: skip
    code = "from teachback import Teachback; s = Teachback(bot='b', bootstrap='127.0.0.1:1', exit_seconds=0); "
    code += "s.exchange(messages=[{'role': 'user', 'content': 'q'}], answer='a'); print(s.stats().accepted)"
    assert _run(str(python), "-c", code, cwd=tmp_path).strip() == "1"


def _run(*command: str, cwd: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
