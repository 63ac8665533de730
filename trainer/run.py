"""The trainer: waits for labels, decides their side, starts a run when there are enough, and publishes how it ended.

One process a bot. It holds no state that is not on the log, in the table or in a job folder that can be made again:

    labels.shards ─▶ read the table ─▶ decide sides ─▶ labels.splits
                                  └▶ enough? ─▶ data set, data check ─▶ training.runs: started, or held
                                                 └▶ child trains and holds the gate
                                                     └▶ registry ─▶ models.adapters + training.runs, one transaction

A run's id is a hash of bot, data set and configuration, so a trainer that was killed anywhere finds the open run on
the log and goes on with it, in the same folder, to the same single end.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag

import msgspec

from teachback.schemas.base import describe
from teachback.schemas.lineage import bare
from teachback.schemas.training import Base
from teachback.schemas.wire import require_topics
from teachback.trainer import outcome
from teachback.trainer.child import Child, last_words
from teachback.trainer.dataset.build import Dataset
from teachback.trainer.dataset.embed import CachedEmbedder, Embedder, EmbedderProcess
from teachback.trainer.errors import BadJob, BadRegistry, Stale
from teachback.trainer.folder import JobFolder, write
from teachback.trainer.history import RunView
from teachback.trainer.labels import Labels
from teachback.trainer.ledger import Entries, Ledger
from teachback.trainer.registry import Registry
from teachback.trainer.settings import TrainerSettings
from teachback.trainer.spec import JobSpec, Progress
from teachback.trainer.trigger import Decision, count, decide
from teachback.trainer.views import Views

STATUS = "status.json"
POLL = 0.3
SPLITS_AT_ONCE = 5_000


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the trainer is doing, in `<work>/status.json`, for whoever shows it."""

    decision: Decision
    run: str | None = None
    progress: Progress | None = None
    attempts: int = 0


class Trainer:
    """One bot's trainer. Opening it fences any other; `step` does what there is to do and waits a little.

    `command` is what trains in a job folder; `describe` names the base in a folder; `make_room` lets go of what the
    trainer can do without while a job trains.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        embed: Embedder,
        command: Sequence[str],
        describe: Callable[[Path], Base],
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings, self.command, self.describe, self.make_room = settings, command, describe, make_room
        self.registry = Registry(settings.registry, settings.bot)
        self.labels = Labels(settings, embed)
        topics = ("labels.shards", "labels.splits", "training.runs", "models.adapters")
        require_topics(settings.cluster, *topics)
        self.ledger = Ledger(settings.cluster, settings.bot)  # before reading: from here on nobody else writes
        self.views = Views(settings.cluster, settings.bot)
        self.labels.rebuild()
        self.child: Child | None = None
        self._base: Base | None = None
        self._beat = self._not_before = 0.0
        self._status = b""
        self._fresh: Dataset | None = None

    def step(self) -> None:
        """One turn. Raises Fenced when another trainer has taken over."""
        self.views.poll(POLL)
        if time.monotonic() - self._beat >= self.settings.heartbeat_seconds:
            self.ledger.heartbeat(self.views.shards_read)
            self._beat = time.monotonic()
        if self.child is None:  # a job needs the machine: new labels wait, they are for the next run
            self._split()
        decision, run = self._decision(), self.views.history.open
        if run is None:
            self._consider(decision)
        elif self.child is not None:
            self._watch(run, self.child)
        elif time.monotonic() >= self._not_before:
            self._go_on(run)
        self._report(decision, run)

    def close(self) -> None:
        """End the child and let go of Kafka."""
        if self.child is not None:
            self.child.stop()
        self.views.close()
        self.ledger.close()

    def _split(self) -> None:
        decided = self.labels.follow(self.views.announced)
        for start in range(0, len(decided), SPLITS_AT_ONCE):
            self.ledger.write([("labels.splits", one) for one in decided[start : start + SPLITS_AT_ONCE]])

    def _decision(self) -> Decision:
        history = self.views.history
        seen = history.seen[-1] if history.seen else 0
        return decide(count(self.labels.usable, seen, history.rested(), history.failed_at), self.settings)

    def _consider(self, decision: Decision) -> None:
        """Open a run when there is enough to train on, or say why it is held."""
        if not decision.start:
            return
        history = self.views.history
        dataset = self.labels.dataset(self.labels.version, self.labels.decided, history.seen)
        if self._base is None:
            self._base = self.describe(self.settings.base)
        run = outcome.opened(self.settings, dataset, self._base, self.views.lineage.champion, history)
        self._fresh = dataset
        self._publish([("training.runs", run)])

    def _go_on(self, run: RunView) -> None:
        """Start the open run's job, for the first time or again."""
        folder = JobFolder(self.settings.work, run.id)
        try:
            if not folder.filled:
                folder.fill(self._spec(run), self._dataset(run))
            if folder.done:
                self._finish(run, folder)
            else:
                self.make_room()
                self.child = Child.start(self.command, folder.path)
        except (Stale, BadRegistry) as exc:
            self._fail(run, folder, str(exc))

    def _dataset(self, run: RunView) -> Dataset:
        """The run's data set, made again unless it was made just now. Raises Stale when it is no longer the same."""
        wanted = run.last.dataset
        if self._fresh is not None and self._fresh.ref == wanted:
            return self._fresh
        bounds = [seen for seen in self.views.history.seen if seen < wanted.splits]
        dataset = self.labels.dataset(wanted.table_version, wanted.splits, bounds)
        if dataset.ref != wanted:
            raise Stale("the data set of this run cannot be made again: the table, or the check's settings, changed")
        return dataset

    def _spec(self, run: RunView) -> JobSpec:
        settings, last = self.settings, run.last
        if last.configuration != outcome.configuration(settings):
            raise Stale("the recipe's settings changed while this run was open, and its folder is gone")
        champion = None if last.champion == bare(settings.bot) else str(self.registry.verified(last.champion))
        return JobSpec(
            run=run.id,
            bot=settings.bot,
            base=str(settings.base),
            base_sha256=last.base.sha256,
            embedder=str(settings.embedder),
            champion=champion,
            champion_name=last.champion,
            challenger_name=f"{settings.bot}@v{self.registry.next_version()}",
            recipe=settings.recipe,
            gate=settings.gate,
        )

    def _watch(self, run: RunView, child: Child) -> None:
        status = child.ended()
        if status is None:
            return
        self.child = None
        folder = JobFolder(self.settings.work, run.id)
        if status == 0 and folder.done:
            self._finish(run, folder)
            return
        attempts = folder.attempts = folder.attempts + 1
        reason = last_words(folder.path) or f"the job ended with status {status}"
        if status == outcome.HOPELESS or attempts >= self.settings.max_attempts:
            self._fail(run, folder, f"after {attempts} attempts: {reason}")
        else:
            self._not_before = time.monotonic() + self.settings.retry_seconds * 2 ** (attempts - 1)

    def _finish(self, run: RunView, folder: JobFolder) -> None:
        """Put the adapter into the registry, then publish adapter, end of the run and champion in one transaction."""
        try:
            card = self.registry.put(folder.adapter, outcome.provenance(run.last, folder))
        except (BadJob, BadRegistry) as exc:
            self._fail(run, folder, str(exc))
            return
        self._publish(outcome.finished(run, card, self.views.lineage))

    def _fail(self, run: RunView, folder: JobFolder, reason: str) -> None:
        folder.forget_attempts()
        self._publish([("training.runs", outcome.failed(run, reason))])

    def _publish(self, entries: Entries) -> None:
        """Write to the log and go on only when it is part of what this trainer knows."""
        self.views.wait_for(self.ledger.write(entries))

    def _report(self, decision: Decision, run: RunView | None) -> None:
        folder = None if run is None else JobFolder(self.settings.work, run.id)
        status = Status(
            decision=decision,
            run=None if run is None else run.id,
            progress=None if folder is None else folder.progress(),
            attempts=0 if folder is None else folder.attempts,
        )
        encoded = msgspec.json.encode(status)
        if encoded != self._status:
            self._status = encoded
            write(self.settings.work / STATUS, encoded)


def run(settings: TrainerSettings) -> None:
    """Train whenever there is enough to learn, until SIGTERM or SIGINT. Raises TrainerError, WireError, Kafka's own."""
    job = (sys.executable, "-m", "teachback.trainer.job", "--parent", str(os.getpid()))
    settings.work.mkdir(parents=True, exist_ok=True)
    process = EmbedderProcess(settings.embedder)
    embed = CachedEmbedder(process, settings.work / "vectors.sqlite", str(settings.embedder))
    try:
        with until_told() as told:
            serve(settings, embed, job, describe, told, make_room=process.close)
    finally:
        embed.close()
        process.close()


def serve(
    settings: TrainerSettings,
    embed: Embedder,
    command: Sequence[str],
    describe: Callable[[Path], Base],
    told: Flag,
    make_room: Callable[[], None] = lambda: None,
) -> None:
    """As `run`, with the models given, until `told` is set."""
    trainer = Trainer(settings, embed, command, describe, make_room)
    try:
        while not told.is_set():
            trainer.step()
    finally:
        trainer.close()


@contextmanager
def until_told() -> Iterator[Flag]:
    """A flag that SIGTERM and SIGINT set."""
    told = Flag()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
