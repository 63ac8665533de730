"""What a caller may choose about consensus."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier, Text
from teachback.schemas.wire import Cluster

Seconds = Annotated[float, Meta(gt=0)]


class ConsensusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One consensus process. Processes of the same `group` share the partitions of `review.verdicts`."""

    bot: Identifier
    """Names the process in Kafka's logs (`client.id`). Verdicts of every bot are processed: the bot is in the event."""
    cluster: Cluster
    embedder: Path
    """Folder of a sentence-transformers model; loaded at the first two edits that differ by more than typing."""
    same_meaning: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.9
    """Cosine from which two texts mean the same, provided that their figures and negations agree."""
    group: Text = "consensus"
    """Consumer group, and the stem of the transactional ids. All processes of an installation must share it."""
    batch: Annotated[int, Meta(ge=1)] = 500
    """Most verdicts in one transaction."""
    wait: Seconds = 0.2
    """Seconds to wait for a verdict before looking whether to stop."""
    session_timeout: Seconds = 10.0
    """Seconds after which a silent process loses its partitions to another."""
    transaction_timeout: Seconds = 10.0
    """Seconds after which the broker aborts the transaction of a silent process that nobody succeeded."""
