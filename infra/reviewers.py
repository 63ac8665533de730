"""Who may review: names, roles and the hashes of their tokens, in `<home>/reviewers.toml`.

A token is shown once, when it is made; only its SHA-256 is kept. The desk reads the file when it starts.
"""

import hashlib
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec

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

    people = {name: row | {"name": name} for name, row in _people(home).items()}
    try:
        return tuple(msgspec.convert(list(people.values()), tuple[Reviewer, ...]))
    except msgspec.ValidationError as exc:
        raise ReviewerError(f"{home / FILE}: {exc}; mend it, or remove it and add everyone again") from exc


def _people(home: Path) -> dict[str, dict[str, Any]]:
    file = home / FILE
    try:
        people = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ReviewerError(f"{file}: not valid TOML: {exc}") from exc
    if strange := [name for name, row in people.items() if not isinstance(row, dict)]:
        raise ReviewerError(f"{file}: {strange[0]!r} is no table; a reviewer is [name] with role and token_sha256")
    return people


def _write(home: Path, people: dict[str, dict[str, Any]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, row in people.items():
        fields = "".join(f"{key} = {_toml(value)}\n" for key, value in row.items())
        lines.append(f'["{name}"]\n{fields}')
    new = home / (FILE + ".new")
    new.touch(mode=0o600)
    new.write_text("\n".join(lines), encoding="utf-8")
    new.replace(home / FILE)


def _toml(value: str | list[str]) -> str:
    return msgspec.json.encode(value).decode()  # JSON's strings and arrays are TOML's
