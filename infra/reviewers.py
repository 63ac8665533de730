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

from teachback.infra.wholefile import whole
from teachback.schemas.review import Role

FILE = "reviewers.toml"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ReviewerError(Exception):
    """A reviewer can't be added, or the file can't be read; the message says why."""


def add(home: Path, name: str, role: str | None = None, topics: tuple[str, ...] | None = None) -> str:
    """Add a reviewer, or give a known one a new token in place of the old. Returns the token, which is kept nowhere.

    Role and topics of a known reviewer stay unless they are given; a new one is a `reviewer` of all topics.
    """
    if not NAME.fullmatch(name):
        raise ReviewerError(
            f"{name!r} is no reviewer's name: use a–z, 0–9, dot, dash, underscore, at most 64 characters"
        )
    if role is not None and role not in get_args(Role):
        raise ReviewerError(f"{role!r} is no role; there are {', '.join(get_args(Role))}")
    if topics and not all(topic.strip() for topic in topics):
        raise ReviewerError("a topic is empty: name it, or give none, which is all topics")
    people = _people(home)
    token = secrets.token_urlsafe(24)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    given = {"role": role, "topics": None if topics is None else list(topics)}
    kept = {"role": "reviewer", "topics": [], **people.get(name, {})}
    people[name] = kept | {key: value for key, value in given.items() if value is not None} | {"token_sha256": hashed}
    _write(home, people)
    return token


def remove(home: Path, name: str) -> None:
    """Let somebody review no more; what they judged stays. Raises ReviewerError for a name that isn't there."""
    people = _people(home)
    if name not in people:
        raise ReviewerError(f"there is no reviewer {name!r}; there are {', '.join(people) or 'none'}")
    del people[name]
    _write(home, people)


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
    whole(home / FILE, "\n".join(lines), mode=0o600)


def _toml(value: str | list[str]) -> str:
    return msgspec.json.encode(value).decode()  # JSON's strings and arrays are TOML's
