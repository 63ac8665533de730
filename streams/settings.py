"""What the scoring workers need to know."""

from pathlib import Path

import msgspec

from teachback.schemas.wire import Cluster


class ScoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the scoring leg: `chat.exchanges` in, `chat.scored` and `review.requests` out."""

    bot: str
    cluster: Cluster
    embedder: Path
    """Folder of the sentence-transformers model that measures question–answer closeness."""
    group: str = "scoring"
    guarantee: str = "exactly_once"
    max_batch: int = 500
    dead_letter_limit: float = 0.2
    """Largest share of dead letters among the last thousand records; above it the worker stops."""
    session_timeout: float = 8.0
    embed_batch: int = 32
    """Texts embedded at a time."""
