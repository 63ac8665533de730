"""What a file or the environment gives, as the fields of a struct: every problem told, nested ones too, in plain words.

A message says where the value stands, what it is, and what it must be. Values that may be secret are not quoted.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

SECRET = ("salt", "token", "password", "secret", "sha256")
MISSING = object()


class Place(NamedTuple):
    """Where values stand: in a file, or (None) in the environment; below which section, field and field of a field."""

    file: str | None
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a message begins: `teachback.toml: [trainer.recipe] rank`, `TEACHBACK_TRAINER_RECIPE: rank`."""
        if self.file is None:
            nested = ".".join(self.path[2:])
            return variable(*self.path[:2]) + (f": {nested}" if nested else "")
        *tables, name = self.path
        return f"{self.file}: [{'.'.join(tables)}] {name}" if tables else f"{self.file}: {name}"

    @property
    def hint(self) -> str:
        """The variable that would set the same, for what stands in a file."""
        return "" if self.file is None else f" (environment: {variable(*self.path[:2])})"

    def below(self, name: str) -> "Place":
        """The place of a field."""
        return Place(self.file, (*self.path, name))

    def name_of(self, field: str) -> str:
        """What one writes here to set a field: its name, or its variable."""
        return variable(*self.path, field) if self.file is None and len(self.path) < 2 else repr(field)


def variable(*path: str) -> str:
    """The environment variable of a section's field, or of a setting of the top level."""
    return "_".join(("TEACHBACK", *path)).upper()


def meant(name: str, known: Iterable[str], show: Callable[[str], str] = repr) -> str:
    """How a message about an unknown name goes on: with the one that was meant, or with all there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {show(near[0])}?" if near else f"; there are {', '.join(sorted(known))}"


def convert_fields(
    kind: type[msgspec.Struct], given: Mapping[str, Any], place: Place, problems: list[str]
) -> dict[str, Any]:
    """Each given value as its field's type; what can't be is added to `problems` and left out."""
    known = get_type_hints(kind, include_extras=True)
    values = {}
    for name, value in given.items():
        here = place.below(name)
        if name not in known:
            problems.append(f"{here} is unknown{meant(name, known, place.name_of)}")
        elif (found := _converted(value, known[name], here, problems)) is not MISSING:
            values[name] = found
    return values


def _converted(value: Any, kind: Any, place: Place, problems: list[str]) -> Any:
    """The value as `kind`, or MISSING with at least one more problem."""
    bare = _bare(kind)
    if place.file is None and len(place.path) <= 2 and _structured(bare):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError) as exc:
            problems.append(f"{place} must be JSON, and is not: {exc}")
            return MISSING
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        return _struct(bare, value, place, problems)
    if get_origin(bare) is tuple and isinstance(value, list):
        return _items(get_args(bare)[0], value, place, problems)
    if bare == dict[str, str] and isinstance(value, dict):
        return _words(value, place, problems)
    try:
        found = msgspec.convert(value, kind, strict=False, dec_hook=_hook)
        if not isinstance(found, float) or math.isfinite(found):
            return found
    except msgspec.ValidationError:
        pass
    problems.append(f"{place} = {_shown(place.path[-1], value)} must be {_plain(kind)}{place.hint}")
    return MISSING


def _struct(kind: type[msgspec.Struct], given: dict[str, Any], place: Place, problems: list[str]) -> Any:
    before = len(problems)
    values = convert_fields(kind, given, place, problems)
    lacking = [field.name for field in msgspec.structs.fields(kind) if field.required and field.name not in given]
    problems += [f"{place}: {name!r} is missing" for name in lacking]
    if len(problems) > before:
        return MISSING
    try:
        return kind(**values)
    except ValueError as exc:
        problems.append(f"{place}: {exc}{place.hint}")
        return MISSING


def _items(kind: Any, given: list[Any], place: Place, problems: list[str]) -> Any:
    found = [_converted(item, kind, place.below(str(number)), problems) for number, item in enumerate(given, 1)]
    return MISSING if any(item is MISSING for item in found) else tuple(found)


def _words(given: dict[str, Any], place: Place, problems: list[str]) -> Any:
    """A table whose values are written as librdkafka reads them: `true`, `5`, as text. Values are never told."""
    before = len(problems)
    for name, value in given.items():
        if isinstance(value, dict):
            problems.append(f'{place}: {name!r} is a table; a name with dots stands in quotes: "{name}.…" = …')
        elif not isinstance(value, str | int | float):
            problems.append(f"{place}: {name!r} must be text, a number, true or false{place.hint}")
    if len(problems) > before:
        return MISSING
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _bare(kind: Any) -> Any:
    """A type without what limits it, and without None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        kinds = [one for one in get_args(kind) if one is not NoneType]
        return _bare(kinds[0]) if len(kinds) == 1 else kind
    return kind


def _structured(bare: Any) -> bool:
    """Whether values of this type are JSON in the environment, rather than the text itself."""
    return get_origin(bare) in {tuple, list, dict} or (isinstance(bare, type) and issubclass(bare, msgspec.Struct))


def _hook(kind: type, value: Any) -> Any:
    if not issubclass(kind, Path):
        raise NotImplementedError(f"{kind.__name__} can't be configured")
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("no path")
    try:
        return Path(value).expanduser()
    except RuntimeError as exc:  # no such user
        raise ValueError(str(exc)) from exc


def _shown(name: str, value: Any) -> str:
    """A value as a message may quote it: what may be secret, or hold a secret, does not get into logs."""
    hidden = isinstance(value, dict | list) or name == "options" or name.endswith(SECRET)
    return "…" if hidden else repr(value)


def _plain(kind: Any) -> str:
    """What values of a type are, in plain words."""
    return _in_words(inspect.type_info(kind))


def _in_words(info: inspect.Type, description: str = "") -> str:
    said = "a table"
    match info:
        case inspect.Metadata():
            said = _in_words(info.type, (info.extra_json_schema or {}).get("description", ""))
        case inspect.UnionType():
            said = " or ".join(_in_words(one) for one in info.types if not isinstance(one, inspect.NoneType))
        case inspect.LiteralType():
            said = f"one of {', '.join(map(str, info.values))}"
        case inspect.IntType() | inspect.FloatType():
            said = ("a whole number" if isinstance(info, inspect.IntType) else "a number") + _range(info)
        case inspect.StrType(pattern=str()) if description:  # which then says the pattern in words
            said = description[0].lower() + description[1:].rstrip(".")
        case inspect.StrType():
            said = "text" + (f" of at least {info.min_length} characters" if info.min_length else "")
        case inspect.BoolType():
            said = "true or false"
        case inspect.VarTupleType():
            said = "a list"
        case inspect.CustomType():
            said = "a path"
    return said


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:.12g} to {info.le:.12g}"
    bounds = (("of at least", info.ge), ("above", info.gt), ("of at most", info.le), ("below", info.lt))
    return " and".join(f" {word} {bound:.12g}" for word, bound in bounds if bound is not None)
