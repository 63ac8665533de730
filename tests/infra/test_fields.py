"""Given values become fields, or a message that says where, what, and what it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from teachback.infra.fields import Place, convert_fields
from teachback.schemas.event import Identifier

FILE = Place("t.toml", ("part",))
ENVIRONMENT = Place(None, ("part",))


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """Settings inside a setting; `low` must not be above `high`."""

    low: Annotated[int, Meta(ge=0)] = 1
    high: Annotated[float, Meta(gt=0, lt=9)] = 2.0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("`low` must not be above `high`")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One of a list."""

    name: str
    token: Annotated[str, Meta(min_length=8)] = "long enough"


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """One field of each kind."""

    inner: Inner = Inner()
    maybe: Inner | None = None
    items: tuple[Item, ...] = ()
    options: dict[str, str] = {}
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    share: Annotated[float, Meta(ge=0, le=1)] = 0.5
    kind: Literal["one", "two"] = "one"
    name: Identifier = "x"
    folder: Path = Path()
    on: bool = True
    salt: Annotated[str, Meta(min_length=8)] = "long enough"


def converted(given: dict[str, Any], place: Place = FILE) -> tuple[dict[str, Any], list[str]]:
    problems: list[str] = []
    return convert_fields(Fields, given, place, problems), problems


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"prot": 1}, "t.toml: [part] prot is unknown; did you mean 'port'?"),
        (
            {"port": 0},
            "t.toml: [part] port = 0 must be a whole number from 1 to 65535 (environment: TEACHBACK_PART_PORT)",
        ),
        ({"port": True}, "port = True must be a whole number from 1 to 65535"),
        ({"share": float("nan")}, "share = nan must be a number from 0 to 1"),
        ({"kind": "three"}, "kind = 'three' must be one of one, two"),
        ({"name": "a b"}, "name = 'a b' must be an id of at most 200 characters, without white space"),
        ({"folder": 5}, "folder = 5 must be a path"),
        ({"folder": "~nobody-of-this-name/x"}, "must be a path"),
        ({"on": "perhaps"}, "on = 'perhaps' must be true or false"),
        ({"inner": "low"}, "inner = 'low' must be a table"),
        ({"items": 5}, "items = 5 must be a list"),
        ({"items": [{}]}, "[part.items] 1: 'name' is missing"),
        ({"inner": {"low": 5}}, "[part] inner: `low` must not be above `high`"),
        ({"maybe": {"high": 9}}, "[part.maybe] high = 9 must be a number above 0 and below 9"),
    ],
)
def test_a_problem_says_where_what_and_what_it_must_be(given: dict[str, Any], problem: str) -> None:
    values, problems = converted(given)
    assert values == {}
    assert len(problems) == 1
    assert problem in problems[0]


def test_every_problem_inside_a_setting_is_told_at_once() -> None:
    _, problems = converted({"inner": {"lwo": 1, "low": -1, "high": 0}, "share": 2})
    assert len(problems) == 4
    assert "t.toml: [part.inner] lwo is unknown; did you mean 'low'?" in problems


def test_structures_are_json_in_the_environment_and_other_values_the_text_itself() -> None:
    given = {
        "inner": '{"low": 0}',
        "items": '[{"name": "a"}]',
        "port": "80",
        "on": "false",
        "name": "{}",
        "maybe": "null",
    }
    values, problems = converted(given, ENVIRONMENT)
    assert problems == []
    assert values == {
        "inner": Inner(low=0),
        "items": (Item(name="a"),),
        "port": 80,
        "on": False,
        "name": "{}",
        "maybe": None,
    }


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"inner": '{"low"'}, "TEACHBACK_PART_INNER must be JSON, and is not: "),
        ({"inner": '{"lwo": 1}'}, "TEACHBACK_PART_INNER: lwo is unknown; did you mean 'low'?"),
        ({"inner": '{"low": -1}'}, "TEACHBACK_PART_INNER: low = -1 must be a whole number of at least 0"),
        ({"prot": "1"}, "TEACHBACK_PART_PROT is unknown; did you mean TEACHBACK_PART_PORT?"),
        ({"port": "x"}, "TEACHBACK_PART_PORT = 'x' must be a whole number from 1 to 65535"),
    ],
)
def test_a_problem_of_the_environment_names_the_variable(given: dict[str, str], problem: str) -> None:
    _, problems = converted(given, ENVIRONMENT)
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_options_are_written_as_librdkafka_reads_them() -> None:
    values, problems = converted({"options": {"a": True, "b": False, "c": 5, "d": 0.5, "e": "SSL"}})
    assert problems == []
    assert values["options"] == {"a": "true", "b": "false", "c": "5", "d": "0.5", "e": "SSL"}


@pytest.mark.parametrize(
    "given",
    [
        {"options": {"sasl": {"password": "hunter2"}, "other": ["hunter2"]}},
        {"options": "hunter2"},
        {"options": ["hunter2"]},
        {"salt": "hunter2"},
        {"items": [{"name": "a", "token": "hunter2"}]},
        {"port": {"hunter2": "hunter2"}},
    ],
)
def test_what_may_be_secret_is_not_told(given: dict[str, Any]) -> None:
    _, problems = converted(given)
    assert problems
    assert "hunter2" not in "".join(problems)
