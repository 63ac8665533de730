"""Following models.adapters: what is put in service, what is refused, what is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from teachback.producers.bot import champion as champion_module
from teachback.producers.bot.batcher import Batcher
from teachback.producers.bot.champion import Champion
from teachback.producers.bot.shapes import Prompt, Sampling
from teachback.schemas import Message
from teachback.schemas.log import Record
from teachback.schemas.wire import Cluster
from tests.producers.bot.fakes import BASE, BOT, FakeModel, FakeTail, promoted, registered

OTHER = msgspec.structs.replace(BASE, sha256="9" * 64)


class Bench:
    """A champion on a log of the test's own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tail = type("OwnTail", (FakeTail,), {"first": [], "later": []})
        monkeypatch.setattr(champion_module, "Tail", self.tail)
        self.model = FakeModel()
        self.batcher = Batcher(self.model, 4, 8)
        self.registry = folder
        self.deaths: list[BaseException] = []
        for version in range(1, 5):
            (folder / BOT / f"v{version}").mkdir(parents=True)
        self.champion = Champion(BOT, Cluster(bootstrap="nowhere:1"), folder, BASE, self.model, self.batcher)

    def start(self, *events: Any) -> None:
        self.tail.first = self._records(events)
        self.champion.start(self.deaths.append)

    def tell(self, *events: Any) -> None:
        self.tail.later.append(self._records(events))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"{self.champion.name} still serves"
            time.sleep(0.01)

    def settled(self) -> None:
        """Everything told has been taken in, and what it led to has been done."""
        self.until(lambda: not self.tail.later)
        self.tell()
        self.until(lambda: not self.tail.later)
        self.batcher.call(lambda: None).result(10)

    @staticmethod
    def _records(events: Sequence[Any]) -> list[Record[Any]]:
        return [Record(event, BOT, 0, place, 0) for place, event in enumerate(events)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path, monkeypatch)
    yield bench
    bench.champion.close()
    bench.batcher.close()


def test_without_a_promotion_the_bare_base_serves(bench: Bench) -> None:
    bench.start(registered(1))
    assert bench.champion.pin() == (f"{BOT}@v0", None)
    assert bench.model.events == []


def test_a_start_puts_the_last_champion_in_service_before_it_returns(bench: Bench) -> None:
    bench.start(registered(1), registered(2), promoted(1, 0), promoted(2, 1))
    assert bench.champion.pin() == (f"{BOT}@v2", f"{BOT}@v2")
    assert bench.model.events == [f"load {BOT}@v2"]


def test_a_promotion_is_loaded_before_it_is_named(bench: Bench) -> None:
    bench.start()
    bench.model.gate.clear()
    asked = bench.batcher.submit(None, Prompt((Message(role="user", content="q"),), 99), Sampling())
    assert bench.model.under_way.acquire(timeout=10)
    bench.tell(registered(1), promoted(1, 0))
    bench.until(lambda: not bench.tail.later)
    assert bench.champion.name == f"{BOT}@v0"  # the batch under way holds it up
    bench.model.gate.set()
    bench.until(lambda: bench.champion.name == f"{BOT}@v1")
    assert asked.result(10).text.startswith("base heard")
    assert bench.model.events[:2] == ["generate None", f"load {BOT}@v1"]


@pytest.mark.parametrize("why", ["base", "folder", "unregistered", "unreadable"])
def test_an_adapter_that_must_not_serve_leaves_the_old_one_in_service(
    bench: Bench, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.start(registered(1), promoted(1, 0))
    if why == "folder":
        (bench.registry / BOT / "v2").rmdir()
    if why == "unreadable":
        bench.model.unreadable.add(f"{BOT}@v2")
    known = [] if why == "unregistered" else [registered(2, OTHER if why == "base" else BASE)]
    bench.tell(*known, promoted(2, 1))
    bench.settled()
    assert bench.champion.pin() == (f"{BOT}@v1", f"{BOT}@v1")
    assert f"{BOT}@v2" not in bench.model.loaded
    assert "can't serve here" in caplog.text
    bench.tell(registered(3), promoted(3, 2))
    bench.until(lambda: bench.champion.name == f"{BOT}@v3")
    assert bench.deaths == []


def test_a_rollback_to_the_bare_base_needs_no_folder(bench: Bench) -> None:
    bench.start(registered(1), promoted(1, 0))
    bench.tell(promoted(0, 1, "rollback"))
    bench.until(lambda: bench.champion.pin() == (f"{BOT}@v0", None))


def test_adapters_that_nobody_waits_for_are_forgotten_but_the_last_champion_is_not(bench: Bench) -> None:
    bench.start(*[registered(version) for version in range(1, 5)], promoted(1, 0))
    for version in (2, 3):
        bench.tell(promoted(version, version - 1))
    bench.settled()
    assert bench.model.loaded == {f"{BOT}@v2", f"{BOT}@v3"}
    bench.tell(promoted(1, 3, "rollback"))
    bench.until(lambda: bench.champion.name == f"{BOT}@v1")
    bench.settled()
    assert bench.model.loaded == {f"{BOT}@v1", f"{BOT}@v3"}


def test_an_adapter_that_a_waiting_request_was_admitted_with_stays(bench: Bench) -> None:
    bench.start(*[registered(version) for version in range(1, 4)], promoted(1, 0))
    bench.model.gate.clear()
    question = Prompt((Message(role="user", content="q"),), 99)
    first = bench.batcher.submit(None, question, Sampling())
    assert bench.model.under_way.acquire(timeout=10)
    pinned = bench.batcher.submit(f"{BOT}@v1", question, Sampling())
    bench.champion._forget({f"{BOT}@v2", f"{BOT}@v3"})
    assert f"{BOT}@v1" in bench.model.loaded
    bench.model.gate.set()
    assert first.result(10).text.startswith("base")
    assert pinned.result(10).text.startswith(f"{BOT}@v1")


def test_when_following_ends_somebody_is_told_why(bench: Bench) -> None:
    bench.start()
    bench.tail.later.append(OSError("the log is gone"))
    bench.until(lambda: bool(bench.deaths))
    assert str(bench.deaths[0]) == "the log is gone"
