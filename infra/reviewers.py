"""Who may review: names, roles and the hashes of their tokens, in `<home>/reviewers.toml`.

A token is shown once, when it is made; only its SHA-256 is kept. The desk reads the file when it starts.
"""

import hashlib
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, get_args

from teachback.schemas.review import Role

FILE = "reviewers.toml"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ReviewerError(Exception):
    """A reviewer can't be added, or the file can't be read; the message says why."""


def add(home: Path, name: str, role: str = "reviewer", topics: tuple[str, ...] = ()) -> str:
    """Add a reviewer, or give an old one a new token. Returns the token, which is kept nowhere."""
    if not NAME.fullmatch(name):
        raise ReviewerError(
            f"{name!r} is no reviewer's name: use a–z, 0–9, dot, dash, underscore, at most 64 characters"
        )
    if role not in get_args(Role):
        raise ReviewerError(f"{role!r} is no role; there are {', '.join(get_args(Role))}")
    people = _people(home)
    token = secrets.token_urlsafe(24)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    people[name] = {"role": role, "topics": list(topics), "token_sha256": hashed}
    _write(home, people)
    return token


def read(home: Path) -> tuple[Any, ...]:
    """The reviewers, as the desk's settings want them. Raises ReviewerError."""
    from teachback.consumers.desk.settings import Reviewer

    return tuple(
        Reviewer(name=name, role=row["role"], topics=tuple(row["topics"]), token_sha256=row["token_sha256"])
        for name, row in _people(home).items()
    )


def _people(home: Path) -> dict[str, dict[str, Any]]:
    file = home / FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as exc:
        raise ReviewerError(f"{file}: not valid TOML: {exc}") from exc


def _write(home: Path, people: dict[str, dict[str, Any]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, row in people.items():
        topics = ", ".join(f'"{topic}"' for topic in row["topics"])
        lines.append(
            f'["{name}"]\nrole = "{row["role"]}"\ntopics = [{topics}]\ntoken_sha256 = "{row["token_sha256"]}"\n'
        )
    new = home / (FILE + ".new")
    new.write_text("\n".join(lines), encoding="utf-8")
    new.chmod(0o600)
    new.replace(home / FILE)
