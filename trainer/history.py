"""The runs of one bot, folded from `training.runs`: which one is open, what the finished ones have seen."""

import time
from collections.abc import Iterable

import msgspec

from teachback.schemas.event import now
from teachback.schemas.log import Record, Tail
from teachback.schemas.training import Run
from teachback.schemas.wire import Cluster, require_topics
from teachback.trainer.errors import RetryRefused
from teachback.trainer.ledger import send

FINISHED = frozenset({"promoted", "rejected", "inconclusive", "held"})


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run: its newest state, all the states it went through, and when (broker's time, seconds since 1970)."""

    id: str
    last: Run
    states: tuple[str, ...]
    began: float
    ended: float | None

    @property
    def open(self) -> bool:
        """Whether it is started and not over."""
        return self.last.state == "started"


class History:
    """All runs of a bot. The order of events is the log's; events that a restart repeats change nothing."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.runs: dict[str, RunView] = {}

    def fold(self, records: Iterable[Record[Run]]) -> None:
        """Take what came on the topic; other bots' runs are passed over."""
        for record in records:
            if record.event is not None and record.event.bot == self.bot:
                self._take(record.event, record.timestamp / 1000)

    def _take(self, run: Run, at: float) -> None:
        before = self.runs.get(run.id)
        if before is not None and before.last.state in FINISHED:
            return
        self.runs[run.id] = RunView(
            id=run.id,
            last=run,
            states=(*(before.states if before else ()), run.state),
            began=before.began if before else at,
            ended=None if run.state == "started" else at,
        )

    @property
    def open(self) -> RunView | None:
        """The oldest run that is started and not over."""
        return min((run for run in self.runs.values() if run.open), key=lambda run: run.began, default=None)

    @property
    def last_over(self) -> RunView | None:
        """The run that ended last, however it ended."""
        return max((run for run in self.runs.values() if run.ended), key=lambda run: run.ended or 0, default=None)

    @property
    def seen(self) -> tuple[int, ...]:
        """How many split decisions the finished runs had seen, ascending: the bounds of the batches of labels."""
        return tuple(sorted({run.last.dataset.splits for run in self.runs.values() if run.last.state in FINISHED}))

    @property
    def failed_at(self) -> int | None:
        """How many split decisions the last run had seen, if it failed."""
        last = self.last_over
        return last.last.dataset.splits if last is not None and last.last.state == "failed" else None

    def rested(self, clock: float | None = None) -> float | None:
        """Seconds since the last run was over, or None."""
        last = self.last_over
        return None if last is None or last.ended is None else (clock or time.time()) - last.ended


def runs(cluster: Cluster, bot: str, timeout: float = 30.0) -> list[RunView]:
    """The bot's runs as the log has them now, oldest first. Raises TopicMismatch when Kafka or the topic is away."""
    return sorted(_read(cluster, bot, timeout).runs.values(), key=lambda run: run.began)


def retry(cluster: Cluster, bot: str, run: str, timeout: float = 30.0) -> RunView:
    """Open a failed run again: the trainer goes on from what its folder holds, or makes it again.

    Raises RetryRefused for a run that is unknown or did not fail, TopicMismatch as `runs`.
    """
    view = _read(cluster, bot, timeout).runs.get(run)
    if view is None or view.last.state != "failed":
        what = "there is no such run" if view is None else f"it is {view.last.state}"
        raise RetryRefused(f"run {run} of {bot} cannot be tried again: {what}; only a failed run can")
    again = msgspec.structs.replace(view.last, created=now(), state="started", reason=None, seconds=None)
    send(cluster, "training.runs", again, "retry", timeout)
    return view


def _read(cluster: Cluster, bot: str, timeout: float) -> History:
    require_topics(cluster, "training.runs", timeout=timeout)
    history = History(bot)
    with Tail(cluster, "training.runs", (Run,)) as tail:
        history.fold(tail.catch_up(timeout))
    return history
