"""What asking again needs to know."""

import msgspec

from teachback.schemas.wire import Cluster


class AgainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process that asks edited questions again."""

    bot: str
    cluster: Cluster
    chatbot: str
    """Base address of the chatbot's OpenAI-compatible API."""
    group: str = "again"
    """The bot's name is put after it."""
    at_once: int = 16
    """Questions under way at a time."""
    most: int = 200
    """Most questions asked after one promotion, the newest edits first."""
