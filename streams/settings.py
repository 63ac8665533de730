"""What the scoring workers need to know."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier, Text
from teachback.schemas.wire import Cluster

# `streams.batches.worker.Guarantee`, in a form that the configuration can refuse with these words
Guarantee = Annotated[str, Meta(pattern="^(exactly_once|at_least_once)$", description="exactly_once or at_least_once")]


class ScoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the scoring leg: `chat.exchanges` in, `chat.scored` and `review.requests` out."""

    bot: Identifier
    cluster: Cluster
    embedder: Path
    """Folder of the sentence-transformers model that measures question–answer closeness."""
    group: Text = "scoring"
    guarantee: Guarantee = "exactly_once"
    max_batch: Annotated[int, Meta(ge=1)] = 500
    dead_letter_limit: Annotated[float, Meta(ge=0, le=1)] = 0.2
    """Largest share of dead letters among the last thousand records; above it the worker stops."""
    session_timeout: Annotated[float, Meta(gt=0)] = 8.0
    embed_batch: Annotated[int, Meta(ge=1)] = 32
    """Texts embedded at a time."""
