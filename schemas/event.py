"""What all events have in common: one JSON object, tagged with its name and version.

`"event": "exchange/1"` stands in every message, so that a reader needs no registry to know what it holds. A released
version only gains optional fields; anything else is a new version (`exchange/2`) beside the old one.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with a time zone; ours are UTC.")]
Ratio = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Share = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Identifier = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        pattern=r"^[^\s\x00-\x1f]+$",
        description="An id of at most 200 characters, without white space.",
    ),
]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of an event. Unknown fields are ignored (rolling upgrades); wrong types are refused."""


class Event(Part, frozen=True, kw_only=True, tag_field="event"):
    """A message on a topic. `id` is deterministic: the same input twice is the same event twice (see `ids`)."""

    id: Identifier
    bot: Identifier
    created: Moment


def event_name(kind: type[Event]) -> tuple[str, int]:
    """The name and version in the tag of an event's class: `("exchange", 1)`."""
    name, _, version = str(kind.__struct_config__.tag).partition("/")
    return name, int(version)


def now() -> datetime:
    """The wall clock, UTC, to the millisecond. For display only: order comes from offsets and broker time."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
