"""What a caller may choose about the writing of shards."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Text
from teachback.schemas.wire import Cluster


class ShardsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One writer. Several with the same `group` and `table` share the partitions of the topic."""

    cluster: Cluster
    table: Text
    """The folder of the Delta table, on a local file system; made when missing."""
    group: Text = "shards"
    """The consumer group; it shares out partitions and holds no offsets."""
    instance: Text | None = None
    """A name for this process among the group, the same after a restart (`group.instance.id`): then a restart after
    kill -9 gets its partitions back at once, not after the session timeout. Two processes may not share one."""
    max_rows: Annotated[int, Meta(ge=1)] = 1000
    """A partition's buffer is committed when it holds this many rows,"""
    max_bytes: Annotated[int, Meta(ge=1)] = 8 * 1024 * 1024
    """or this many bytes of JSON,"""
    max_age_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """or a record that was read this long ago, also when nothing comes after it."""
    session_timeout_seconds: Annotated[float, Meta(gt=0)] = 10.0
    """How long this process may be silent until its partitions are given to another."""
    dead_letter_limit: Annotated[float, Meta(ge=0, le=1)] = 0.2
    """The share of undecodable records, among the last 1,000, above which the writer stops."""
