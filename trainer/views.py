"""What the trainer knows of the log: its runs, its adapters, and how far the table has come. Rebuilt at every start."""

import time
from collections.abc import Mapping

from teachback.schemas.label import ShardCommitted
from teachback.schemas.lineage import ADAPTER_EVENTS, AdapterEvent, Lineage
from teachback.schemas.log import Record, Tail
from teachback.schemas.training import Run
from teachback.schemas.wire import Cluster
from teachback.trainer.errors import LedgerError
from teachback.trainer.history import History

SETTLE = 60.0  # seconds until a committed record must be readable


class Views:
    """Three topics, read from their beginning and then followed. Nothing is folded but what stands on the log."""

    def __init__(self, cluster: Cluster, bot: str, timeout: float = 60.0) -> None:
        self.bot, self.cluster = bot, cluster
        self.history, self.lineage = History(bot), Lineage(bot)
        self.announced = -1
        """The newest version of the table that a shard of this bot was announced with; -1 before the first."""
        self.shards_read = 0
        """How many places of `labels.shards` were read."""
        self._ends: dict[str, int] = {}
        self._shards = Tail(cluster, "labels.shards", (ShardCommitted,))
        self._runs = Tail(cluster, "training.runs", (Run,))
        self._adapters = Tail(cluster, "models.adapters", ADAPTER_EVENTS)
        self._shards_taken(list(self._shards.catch_up(timeout)))
        self._runs_taken(list(self._runs.catch_up(timeout)))
        self._adapters_taken(list(self._adapters.catch_up(timeout)))

    def poll(self, timeout: float) -> None:
        """Take what has come, waiting at most `timeout` seconds for a shard."""
        self._shards_taken(self._shards.poll(timeout))
        self._runs_taken(self._runs.poll(0.0))
        self._adapters_taken(self._adapters.poll(0.0))

    def wait_for(self, offsets: Mapping[str, int]) -> None:
        """Follow until the records at these offsets (topic → offset) are folded. Raises LedgerError after a minute."""
        followed = {"training.runs", "models.adapters"}
        deadline = time.monotonic() + SETTLE
        while late := [t for t, offset in offsets.items() if t in followed and self._ends.get(t, -1) < offset]:
            if time.monotonic() > deadline:
                raise LedgerError(f"what was committed to {', '.join(late)} cannot be read after {SETTLE:g} s")
            self.poll(0.05)

    def close(self) -> None:
        """Let go of the connections."""
        for tail in (self._shards, self._runs, self._adapters):
            tail.close()

    def _shards_taken(self, records: list[Record[ShardCommitted]]) -> None:
        for record in records:
            self.shards_read = record.offset + 1
            if record.event is not None and record.event.bot == self.bot:
                self.announced = max(self.announced, record.event.table_version)

    def _runs_taken(self, records: list[Record[Run]]) -> None:
        self.history.fold(records)
        if records:
            self._ends["training.runs"] = records[-1].offset

    def _adapters_taken(self, records: list[Record[AdapterEvent]]) -> None:
        self.lineage = self.lineage.fold_all(records)
        if records:
            self._ends["models.adapters"] = records[-1].offset
