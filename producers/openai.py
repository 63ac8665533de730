"""From the shapes of the OpenAI chat API, as dictionaries or as its client's objects, to the fields of an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

LEAST_LOGPROB = -9999.0  # what the OpenAI API says for "impossible"; JSON has no minus infinity
ROLES = {"developer": "system", "function": "tool"}


def messages_of(given: Iterable[Any]) -> list[dict[str, Any]]:
    """Chat messages with `role` and text `content`. Raises TypeError when it is no list of messages."""
    if isinstance(given, str | bytes | Mapping):
        raise TypeError(f"messages must be a list of chat messages, not {type(given).__name__}")
    found = [_fields(one) for one in given]
    return [{"role": ROLES.get(one.get("role", ""), one.get("role")), "content": text_of(one)} for one in found]


def text_of(given: Any) -> str:
    """The text of an answer: a string, a message, or a list of content parts (of which text counts)."""
    if given is None or isinstance(given, str):
        return given or ""
    if isinstance(given, list | tuple):
        return "\n".join(str(part.get("text", "")) for part in map(_fields, given) if part.get("type") == "text")
    return text_of(_fields(given).get("content"))


def logprobs_of(given: Any) -> Sequence[Any] | None:
    """The tokens in `choices[].logprobs`, its `content`, or a list of tokens; as they are, so that it costs nothing."""
    if given is None or isinstance(given, list | tuple):
        return given
    fields = _fields(given)
    return logprobs_of(fields.get("content") if "content" in fields else fields.get("logprobs"))


def mended(tokens: Sequence[Any]) -> list[dict[str, Any]]:
    """Tokens that JSON could not hold as they were: objects as dictionaries, minus infinity as the API writes it."""
    return [_token(one) | {"top_logprobs": [_token(top) for top in _get(one, "top_logprobs") or ()]} for one in tokens]


def _token(given: Any) -> dict[str, Any]:
    return {"token": _get(given, "token"), "logprob": max(float(_get(given, "logprob")), LEAST_LOGPROB)}


def _get(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def _fields(given: Any) -> Mapping[str, Any]:
    """A mapping, a struct, or an object of a client library (which know `model_dump`)."""
    if isinstance(given, Mapping):
        return given
    if isinstance(given, msgspec.Struct):
        return {name: getattr(given, name) for name in given.__struct_fields__}
    dump = getattr(given, "model_dump", None)
    if dump is None:
        raise TypeError(f"expected a dictionary as in the OpenAI chat API, not {type(given).__name__}")
    dumped: Mapping[str, Any] = dump()
    return dumped
