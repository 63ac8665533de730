"""Approved labels into Parquet files: each in exactly one row of a Delta Lake table.

Read in this order: `settings`, `roll` (when a buffer becomes a file), `files` (Parquet, on the disk for certain),
`table` (the commit, and who owns the offset), `writer` (buffers, repeats, conflicts), `consumer` (Kafka), `outbox`
(dead letters and announcements).

The table owns the offset. Each commit adds files and moves the number of `<topic id>/<partition>` to the last offset
that they cover, atomically; on assignment reading starts at that number + 1, whatever the consumer group says. A
writer that was replaced while it slept finds the number moved, and can commit nothing.
"""

from teachback.consumers.shards.consumer import run
from teachback.consumers.shards.settings import ShardsSettings

__all__ = ["ShardsSettings", "run"]
