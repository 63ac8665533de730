"""What asking again needs to know."""

from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier, Text
from teachback.schemas.wire import Cluster


class AgainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process that asks edited questions again."""

    bot: Identifier
    cluster: Cluster
    chatbot: Text
    """Base address of the chatbot's OpenAI-compatible API."""
    group: Text = "again"
    """The bot's name is put after it."""
    at_once: Annotated[int, Meta(ge=1)] = 16
    """Questions under way at a time."""
    most: Annotated[int, Meta(ge=0)] = 200
    """Most questions asked after one promotion, the newest edits first."""
