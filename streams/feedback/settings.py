"""What a caller may choose about feedback."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier
from teachback.schemas.wire import Cluster

Seconds = Annotated[float, Meta(gt=0)]


class FeedbackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One feedback process: there is one for a bot, and it reads every partition."""

    bot: Identifier
    """Only this bot's records count; others may share the topics."""
    cluster: Cluster
    store: Path
    """The SQLite file, on a local disk; made when missing, and filled again from the log when lost."""
    slack: Annotated[float, Meta(ge=0)] = 24 * 60 * 60.0
    """Seconds beyond `Policy.feedback_days` for which rows are kept: how late a score may come."""
    batch: Annotated[int, Meta(ge=1)] = 5000
    """Most records in one commit."""
    wait: Seconds = 0.2
    """Seconds to collect records before looking whether to stop; so also how old news can be."""
    tidy: Seconds = 60.0
    """Seconds between two rounds of housekeeping: rows past their time go, and the counts are logged."""
    transaction_timeout: Seconds = 10.0
    """Seconds after which the broker aborts the transaction of a silent process that nobody succeeded."""
