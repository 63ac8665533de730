"""What may change in a released version of an event: optional fields may be added, and nothing else.

`breaking(old, new)` compares two JSON Schemas as `generate` writes them. The schemas of the last release stand in
`released/`; a test holds the present ones against them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

RELEASED = Path(__file__).resolve().parent / "released"


def breaking(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Everything in `new` that a reader or writer of `old` would fall over, in words; empty when nothing is."""
    found = list(_object("", old, new))
    before, after = old.get("$defs", {}), new.get("$defs", {})
    for name, part in before.items():
        found += list(_object(f"{name}.", part, after[name])) if name in after else [f"{name}: the part is gone"]
    return found


def _object(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    fields, now = old.get("properties", {}), new.get("properties", {})
    for name in fields.keys() - now.keys():
        yield f"{where}{name}: the field is gone"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{where}{name}: the field has become required"
    for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
        yield f"{where}{name}: old readers require the field, and it has become optional"
    for name in sorted(fields.keys() & now.keys()):
        if _type(fields[name]) != _type(now[name]):
            yield f"{where}{name}: the type has changed"


def _type(schema: Any) -> Any:
    """What a field may hold, without what only describes it. The order of alternatives does not matter."""
    if isinstance(schema, list):
        return sorted((_type(one) for one in schema), key=repr)
    if not isinstance(schema, dict):
        return schema
    return {key: _type(value) for key, value in schema.items() if key not in {"description", "title", "default"}}
