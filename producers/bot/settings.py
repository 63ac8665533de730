"""What the reference chatbot needs to know."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier, Text
from teachback.schemas.wire import Cluster

Positive = Annotated[int, Meta(ge=1)]


class BotSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the chatbot."""

    bot: Identifier
    cluster: Cluster
    base: Path
    """Folder of the base model, in Hugging Face's format."""
    registry: Path
    """Where adapters are; an adapter's event names its folder in it."""
    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8801
    system_prompt: str | None = None
    """Put before conversations that bring no system message of their own."""
    max_new_tokens: Positive = 64
    """Longest answer, in tokens, when a request does not say."""
    max_prompt_tokens: Positive = 2048
    """Longest conversation, in tokens; a longer one is answered with 400."""
    batch: Positive = 16
    """Most requests generated together."""
    waiting: Positive = 512
    """Most requests waiting for their turn; one more is answered with 503."""
    top_logprobs: Annotated[int, Meta(ge=0)] = 5
    """Alternatives kept for each token: the scoring's entropy signal needs more than one."""
