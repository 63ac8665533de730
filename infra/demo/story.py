"""The demo, told in order. Each step waits for what it names to be true on the log, and says so on the board."""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from teachback.infra import policy, reviewers, supervise, up
from teachback.infra.demo.board import Board
from teachback.infra.demo.counts import Follower
from teachback.infra.demo.errors import DemoError
from teachback.infra.demo.memory import MemoryWatch
from teachback.infra.demo.patience import Patience
from teachback.infra.demo.people import HABITS, Reviewer
from teachback.infra.demo.recount import decisive_run, make
from teachback.infra.demo.report import Report
from teachback.infra.demo.script import Asked, Script
from teachback.infra.demo.settings import AUDIT_SALT, REPLAYS
from teachback.infra.demo.traffic import Chatbot, Reply, exchange_id, named
from teachback.infra.demo.watch import Watch
from teachback.infra.settings import Installation
from teachback.schemas import Run
from teachback.schemas.wire import Cluster
from teachback.trainer.run import STATUS, Status

LIVE = "live"
LOST_S = 30.0  # an exchange that is not on the log so long after its answer is not under way any more
TIMES = 5
GREETINGS = 6


class Story:
    """One demo, from an empty home to a report. `tell` is the whole of it; `close` ends its threads."""

    def __init__(
        self, script: Script, demo: Installation, config: Path, board: Board, tick: Callable[[], None]
    ) -> None:
        self.script, self.demo, self.config, self.board, self.tick = script, demo, config, board, tick
        self.stop = threading.Event()
        self.memory = MemoryWatch(self._supervisor)
        self.watch = Watch(demo)
        self.patience = Patience(self._check, self._look, self.watch)
        self._asked = frozenset(map(exchange_id, named(LIVE, script.traffic)))
        self._people: list[Reviewer] = []
        self._follower: Follower | None = None
        self._chatbot: Chatbot | None = None

    def tell(self) -> Report:
        """Turn the loop once. Raises DemoError and what the parts raise."""
        self.memory.start()
        cluster = self._prepare()
        before = self._probe("before")
        self._traffic()
        run = self._train()
        if run.state == "promoted":
            self._swap(run)
            self._again(run)
        else:
            for key in ("swap", "again"):
                self.board.finish(key, f"not done: the run ended {run.state}")
        after = self._probe("after")
        return self._report(cluster, before, after)

    def close(self) -> None:
        """End the threads. Processes are the supervisor's."""
        self.stop.set()
        for person in self._people:
            if person.ident is not None:  # started
                person.join(5)
        if self._follower is not None:
            self._follower.close()
        if self._chatbot is not None:
            self._chatbot.close()
        self.memory.close()

    @property
    def follower(self) -> Follower:
        """The follower of the topics, once Kafka is up."""
        assert self._follower is not None
        return self._follower

    @property
    def chatbot(self) -> Chatbot:
        """The chatbot's API, once it is up."""
        assert self._chatbot is not None
        return self._chatbot

    def _prepare(self) -> Cluster:
        stage = self.board.start("prepare")
        tokens = {name: reviewers.add(self.demo.home, name, role) for name, (role, _) in HABITS.items()}

        def say(step: str, done: int = 0, total: int = 0) -> None:
            stage.note, stage.done, stage.total = step, done, total
            self._look()

        cluster = up.up(self.demo, self.config, say)
        changes = {"audit_salt": AUDIT_SALT, "reason": "the demo draws the same audits every time"}
        policy.change(cluster, self.demo.bot, changes)
        self._follower = Follower(cluster, self.demo.bot)
        self._follower.start()
        chatbot, desk = (up.address(self.demo, name) or "" for name in ("chatbot", "desk"))
        self._chatbot = Chatbot(chatbot, self.stop)
        known = self.script.known()
        self._people = [Reviewer(name, desk, token, known, self.stop) for name, token in tokens.items()]
        self.board.finish("prepare", f"Kafka {cluster.bootstrap}, chatbot {chatbot}, review desk {desk}")
        return cluster

    def _probe(self, key: str) -> list[Reply]:
        """Ask the questions that are kept out of the traffic, and off the log."""
        stage = self.board.start(key, total=len(self.script.probes), note="off the log")

        def heard(_: Reply) -> None:
            stage.done += 1

        found: list[Reply] = []
        self.patience.beside(lambda: found.extend(self.chatbot.ask_all(named(key, self.script.probes), False, heard)))
        self.board.finish(key, f"{len(found)} answers by {', '.join(sorted({reply.adapter for reply in found}))}")
        return found

    def _traffic(self) -> None:
        total = len(self.script.traffic)
        asking = self.board.start("traffic", total=total)
        reviewing = self.board.start("review", total=total)
        labelling = self.board.start("labels", total=total)
        for person in self._people:
            person.start()

        answered: set[str] = set()

        def heard(reply: Reply) -> None:
            answered.add(reply.exchange)
            asking.done = len(answered)
            self.board.ticker.append(("customer", reply.asked.question))
            self.board.ticker.append(("chatbot", reply.answer))

        self._converse(LIVE, self.script.traffic, heard)
        self.board.finish("traffic", f"{total} exchanges by {self.demo.bot}@v0")
        self.patience.until(self._reviewed, "the reviewers' work to end", "consensus")
        tally = self.follower.tally
        routed = len(self._asked & tally.requests.keys())
        self.board.finish("review", f"{len(tally.verdicts)} verdicts on {routed} of {total} answers")
        reviewing.total = labelling.total = routed
        self.patience.until(self._stored, "the labels to reach the table", "shards")
        self.board.finish("labels", f"{len(tally.labels)} labels, {sum(tally.shards.values())} rows")

    def _reviewed(self) -> bool:
        tally, stage = self.follower.tally, self.board.stages["review"]
        routed = self._asked & tally.requests.keys()
        settled = sum(map(tally.settled, routed))
        stage.done, stage.total = settled, len(routed) or 1
        stage.note = f"{len(tally.verdicts)} verdicts"
        return self._asked <= tally.routes.keys() and settled >= len(routed) > 0

    def _stored(self) -> bool:
        tally, stage = self.follower.tally, self.board.stages["labels"]
        stage.done, stage.total = sum(tally.shards.values()), len(tally.labels)
        return sum(tally.shards.values()) >= len(tally.labels) > 0

    def _train(self) -> Run:
        """Wait until a run, which starts by itself, has ended."""
        self.board.start("train", note="waiting for the label threshold")
        self.patience.until(self._trained, "the training run to end", "trainer")
        run = decisive_run(self.follower.tally)
        if run.state in {"held", "failed"}:
            self.board.finish("train", run.reason or run.state, failed=True)
            self.board.finish("gate", "not reached")
            return run
        self.board.finish("train")
        self.board.finish("gate", f"{run.state}: {run.gate.explanation if run.gate else ''}")
        return run

    def _trained(self) -> bool:
        runs = list(self.follower.tally.runs.values())
        train, gate = self.board.stages["train"], self.board.stages["gate"]
        status = self._trainer_status()
        if status is not None and status.progress is not None:
            progress = status.progress
            stage = train if progress.stage in {"load", "train"} else gate
            if stage is gate and gate.state == "waiting":
                self.board.finish("train", train.note)
                self.board.start("gate")
            stage.done, stage.total = progress.done, progress.total
            loss = "" if progress.loss is None else f", loss {progress.loss:.2f}"
            stage.note = f"{progress.stage} {progress.done} of {progress.total}{loss}"
        elif status is not None:
            train.note = "; ".join(status.decision.missing) or "starting"
        return any(run.state != "started" for run in runs)

    def _trainer_status(self) -> Status | None:
        try:
            return msgspec.json.decode((self.demo.home / "training" / STATUS).read_bytes(), type=Status)
        except (OSError, msgspec.DecodeError):
            return None

    def _swap(self, run: Run) -> None:
        """The next exchanges on the log must name the new adapter."""
        adapter = run.adapter or ""
        self.board.start("swap", note=f"waiting for {adapter}")
        self.patience.until(lambda: self.chatbot.serving() == adapter, f"the chatbot to serve {adapter}", "chatbot")
        ids = self._converse(f"next-{adapter}", self.script.traffic[:GREETINGS], lambda _: None)
        adapters = {self.follower.tally.exchanges[exchange][1] for exchange in ids}
        if adapters != {adapter}:
            raise DemoError(f"the exchanges after the swap name {', '.join(sorted(adapters))}, not {adapter}")
        self.board.finish("swap", f"the next {len(ids)} exchanges name {adapter}")

    def _again(self, run: Run) -> None:
        tally = self.follower.tally
        labels = list(tally.labels.values())
        edited = sum(label.origin == "edited" and label.source == "live" for label in labels)
        expected = min(edited, REPLAYS)
        stage = self.board.start("again", total=expected)

        def queued() -> bool:
            stage.done = list(tally.requests.values()).count("replay")
            return stage.done >= expected

        self.patience.until(queued, "the edited questions to queue again", "again")
        self.board.finish("again", f"{expected} queued as source=replay, for you to look at")

    def _report(self, cluster: Cluster, before: list[Reply], after: list[Reply]) -> Report:
        self.board.start("report")
        self._come_to_rest()
        memory = self.memory.peaks | {"total": self.memory.peak_total}
        table = self.demo.home / "labels"
        seconds = self.board.seconds()
        report = make(self.script, cluster, self.demo.bot, table, before, after, seconds, memory)
        file = self.demo.home / "report.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
        self.board.finish("report", str(file))
        self._look()
        return report

    def _come_to_rest(self) -> None:
        """End the reviewers' work, and wait until all that they said is where it belongs, so that it can be counted."""
        self.stop.set()
        for person in self._people:
            person.join(LOST_S)
        said = set[str]().union(*(person.verdicts for person in self._people))
        self.patience.until(
            lambda: self.follower.tally.at_rest(said), "the last verdicts to reach the table", "consensus"
        )

    def _converse(self, round_: str, asks: Sequence[Asked], heard: Callable[[Reply], object]) -> set[str]:
        """Ask, and ask again whatever does not reach the log: a killed chatbot loses what it has not sent yet.

        Returns the exchanges' ids, once they are all on the log. Raises DemoError.
        """
        left = named(round_, asks)
        for _ in range(TIMES):
            self.patience.beside(partial(self.chatbot.ask_all, left, True, heard))
            self.patience.within(LOST_S, partial(self._logged, left))
            left = {name: asked for name, asked in left.items() if not self._logged([name])}
            if not left:
                return set(map(exchange_id, named(round_, asks)))
        raise DemoError(
            f"{len(left)} questions were asked {TIMES} times, and are not on the log; see {self.watch.log('chatbot')}"
        )

    def _logged(self, names: Iterable[str]) -> bool:
        """Whether the exchanges of these names are on the log."""
        return self.follower.tally.exchanges.keys() >= set(map(exchange_id, names))

    def _check(self) -> None:
        """Raise DemoError for what does not pass by itself."""
        if self.follower.error is not None:
            raise DemoError(f"the topics can't be followed any more: {self.follower.error}")
        for person in self._people:
            if person.error is not None:
                raise DemoError(f"a scripted reviewer stopped: {person.error}")
        self.watch.check()

    def _look(self) -> None:
        """Put what is known now on the board."""
        if self.board.stages["review"].state == "running":
            self._reviewed()
            self._stored()
        self.board.memory = self.memory.now_total
        if self._follower is not None:
            tally = self._follower.tally
            self.board.adapter = tally.lineage.champion
            self.board.count(
                {
                    "exchanges": len(tally.exchanges),
                    "scored": len(tally.routes),
                    "requests": len(tally.requests),
                    "verdicts": len(tally.verdicts),
                    "labels": len(tally.labels),
                    "rows": sum(tally.shards.values()),
                }
            )
        self.tick()

    def _supervisor(self) -> int | None:
        try:
            return supervise.supervisor_pid(self.demo)
        except (OSError, supervise.SuperviseError):
            return None
