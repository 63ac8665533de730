"""What the reference chatbot needs to know."""

from pathlib import Path

import msgspec

from teachback.schemas.wire import Cluster


class BotSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the chatbot."""

    bot: str
    cluster: Cluster
    base: Path
    """Folder of the base model, in Hugging Face's format."""
    registry: Path
    """Where adapters are; an adapter's event names its folder in it."""
    host: str = "127.0.0.1"
    port: int = 8801
    system_prompt: str | None = None
    """Put before conversations that bring no system message of their own."""
    max_new_tokens: int = 64
    """Longest answer, in tokens, when a request does not say."""
    max_prompt_tokens: int = 2048
    """Longest conversation, in tokens; a longer one is answered with 400."""
    batch: int = 16
    """Most requests generated together."""
    waiting: int = 512
    """Most requests waiting for their turn; one more is answered with 503."""
    top_logprobs: int = 5
    """Alternatives kept for each token: the scoring's entropy signal needs more than one."""
