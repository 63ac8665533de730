"""`read_history`: the decisions of a time, and what people found about them."""

import time

import msgspec

from teachback.infra.history.bounds import Bounds, refuse_beyond
from teachback.infra.history.build import Builder, Row
from teachback.infra.history.columns import History
from teachback.infra.history.errors import HistoryError
from teachback.infra.history.outcomes import read_outcomes
from teachback.infra.history.scan import Progress, scan
from teachback.schemas.wire import Cluster, require_topics

SCORED = "chat.scored"
MARGIN_MS = 3_600_000
"""Read before the window too: what a restarted worker decided again within the hour is no new decision."""
DECODER = msgspec.json.Decoder(Row)


def read_history(
    cluster: Cluster, bot: str, since_ms: int, until_ms: int | None = None, progress: Progress | None = None
) -> History:
    """The bot's decisions with `since_ms` ≤ broker time < `until_ms` (None: up to now), joined with outcomes.

    `progress` is called with records read, and of how many. A million records take less than a gigabyte of memory
    (`bench/whatif.py` measures it).
    Raises HistoryError for a time that is none or that `chat.scored` no longer reaches back to, TopicMismatch when a
    topic is missing, TimeoutError and KafkaException when Kafka does not answer.
    """
    now = int(time.time() * 1000)
    if since_ms >= (now if until_ms is None else until_ms):
        raise HistoryError("the time asked about ends before it begins; `--since` lies further back than `--until`")
    require_topics(cluster, SCORED, "review.outcomes")
    bounds = Bounds(cluster, SCORED)
    refuse_beyond(bounds.name, since_ms, now, bounds.retention_ms(), bounds.beginnings())
    builder = Builder(bot)
    for messages in scan(cluster, SCORED, bounds.between(max(0, since_ms - MARGIN_MS), until_ms), progress):
        rows, times = [], []
        for message in messages:
            row = decoded(message.value())
            if row is None:
                builder.bad += 1
            elif row.bot == bot:
                rows.append(row)
                times.append(message.timestamp()[1])
        builder.add(rows, times)
    return builder.history(read_outcomes(cluster, bot), since_ms, until_ms)


def decoded(value: bytes | None) -> Row | None:
    """The row in a record's value, or None when it is no `scored/1`."""
    if value is None:
        return None
    try:
        return DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
