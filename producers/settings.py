"""The SDK's settings: arguments first, then `TEACHBACK_*` variables.

The SDK is the one part that reads the environment itself: it lives in someone else's program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from teachback.producers.errors import NotConfigured

Drop = Literal[
    "newest",  # a full buffer refuses what comes
    "oldest",  # a full buffer gives up what has waited longest
]
VARIABLES = {
    "bot": ("TEACHBACK_BOT",),
    "bootstrap": ("TEACHBACK_KAFKA_BOOTSTRAP", "TEACHBACK_BOOTSTRAP"),
    "prefix": ("TEACHBACK_KAFKA_PREFIX", "TEACHBACK_TOPIC_PREFIX"),
    "options": ("TEACHBACK_KAFKA_OPTIONS",),
    "model": ("TEACHBACK_MODEL",),
}


class SdkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a chatbot emits."""

    bot: Annotated[str, Meta(min_length=1)]
    bootstrap: Annotated[str, Meta(min_length=1)]
    prefix: str = ""
    options: dict[str, str] = {}
    """librdkafka's own (`security.protocol`, …); in the environment as JSON."""
    model: str = "unknown"
    """The base model, for exchanges that do not name it."""
    max_messages: Annotated[int, Meta(ge=1)] = 10_000
    """Waiting events, those under way included; beyond it `drop` decides."""
    max_bytes: Annotated[int, Meta(ge=1)] = 32 * 1024 * 1024
    """Waiting bytes of JSON, as `max_messages`."""
    drop: Drop = "newest"
    delivery_seconds: Annotated[float, Meta(gt=0)] = 300.0
    """How long Kafka may be silent until an event under way counts as failed."""
    exit_seconds: Annotated[float, Meta(ge=0)] = 3.0
    """How long the end of the process may wait for what is not delivered yet."""


def resolve(given: Mapping[str, Any], environ: Mapping[str, str]) -> SdkSettings:
    """The settings of what was given and, for what was not (None), the environment. Raises NotConfigured."""
    values = {name: value for name, value in given.items() if value is not None}
    for name, variables in VARIABLES.items():
        found = next((environ[one] for one in variables if environ.get(one)), None)
        if name not in values and found is not None:
            values[name] = _options(found) if name == "options" else found
    missing = [name for name in ("bot", "bootstrap") if not values.get(name)]
    if missing:
        how = "; ".join(f"give `{name}=` or set {VARIABLES[name][0]}" for name in missing)
        raise NotConfigured(f"teachback emits nothing: {how}")
    try:
        return msgspec.convert(values, SdkSettings)
    except msgspec.ValidationError as exc:
        raise NotConfigured(f"teachback emits nothing: {exc}") from exc


def _options(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as exc:
        raise NotConfigured(f"teachback emits nothing: TEACHBACK_KAFKA_OPTIONS is not a JSON object: {exc}") from exc
