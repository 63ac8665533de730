"""A file's exchanges, emitted at a rate."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from teachback.producers.errors import BadFile, NotReplayed
from teachback.producers.replay import ReplaySettings, replay
from teachback.schemas import Exchange
from teachback.schemas.wire import Cluster, decode
from tests.producers.conftest import MockBroker


@pytest.fixture
def settings(broker: MockBroker, tmp_path: Path) -> ReplaySettings:
    path = tmp_path / "pairs.csv"
    path.write_text("question,answer,topic\n" + "".join(f"q{n},a{n},cards\n" for n in range(40)) + "q0,a0,cards\n")
    return ReplaySettings(bot="support", cluster=broker.cluster, file=path, rate=0)


def emitted(broker: MockBroker, count: int) -> list[Exchange]:
    return [decode(bytes(one.value() or b""), Exchange) for one in broker.messages("chat.exchanges", count)]


def test_every_pair_becomes_an_exchange_that_counts_for_no_audit(settings: ReplaySettings, broker: MockBroker) -> None:
    seen: list[tuple[int, int]] = []
    assert replay(settings, lambda done, total: seen.append((done, total))).delivered == 41
    events = emitted(broker, 41)
    assert sorted(one.question for one in events) == sorted([f"q{n}" for n in range(40)] + ["q0"])
    assert {(one.source, one.topic, one.adapter) for one in events} == {("batch", "cards", "support@v0")}
    assert seen == [(n, 41) for n in range(1, 42)]


def test_the_same_file_again_is_the_same_events_again(settings: ReplaySettings, broker: MockBroker) -> None:
    for _ in range(2):
        replay(settings)
    replay(msgspec.structs.replace(settings, salt="again", limit=5))
    ids = [one.id for one in emitted(broker, 87)]
    assert (len(ids), len(set(ids))) == (87, 46)


def test_the_rate_paces_it_and_a_stop_ends_it_early(settings: ReplaySettings, broker: MockBroker) -> None:
    stop = threading.Event()

    def progress(done: int, _: int) -> None:
        if done == 3:
            stop.set()

    assert replay(msgspec.structs.replace(settings, rate=50.0), progress, stop).delivered == 3


def test_a_bad_row_stops_it_before_the_first_exchange_leaves(settings: ReplaySettings, broker: MockBroker) -> None:
    with settings.file.open("a") as file:
        file.write("too,many,values,here\n")
    told: list[int] = []
    with pytest.raises(BadFile, match="line 43"):
        replay(settings, lambda done, _: told.append(done))
    assert told == []


def test_what_kafka_did_not_take_is_an_error(settings: ReplaySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachback.producers.replay.FLUSH_SECONDS", 0.2)
    nowhere = Cluster(bootstrap="127.0.0.1:1")
    with pytest.raises(NotReplayed, match="took 0 of 41"):
        replay(msgspec.structs.replace(settings, cluster=nowhere))
