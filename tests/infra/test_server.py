"""What the local broker is told, and how its home is named and numbered: no broker needed."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

import pytest

from teachback.infra.kafka import identity
from teachback.infra.kafka.errors import HomeError, PortTakenError
from teachback.infra.kafka.identity import new_cluster_id, settle
from teachback.infra.kafka.ports import RANGE, check_free, free_ports
from teachback.infra.kafka.server import server_properties
from teachback.infra.kafka.settings import KafkaSettings


def properties() -> dict[str, str]:
    text = server_properties(data=Path("/data"), port=9092, controller_port=9093)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_is_reachable_from_this_machine_only() -> None:
    found = properties()
    for key in ("listeners", "advertised.listeners"):
        assert all("://127.0.0.1:" in listener for listener in found[key].split(","))
    assert found["controller.quorum.voters"] == "1@127.0.0.1:9093"


def test_every_internal_topic_lives_with_one_copy() -> None:
    found = properties()
    copies = {key: value for key, value in found.items() if key.endswith((".replication.factor", ".min.isr"))}
    assert len(copies) == 6
    assert set(copies.values()) == {"1"}


def test_a_cluster_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(ids))
    assert new_cluster_id() == "A" * 22


def test_ports_are_chosen_once_and_kept_until_others_are_asked_for(tmp_path: Path) -> None:
    settings = KafkaSettings(home=tmp_path, cache=tmp_path)
    first = settle(settings, tmp_path)
    assert {first.port, first.controller_port} <= set(RANGE)
    assert settle(settings, tmp_path) == first
    moved = settle(KafkaSettings(home=tmp_path, cache=tmp_path, port=4242), tmp_path)
    assert (moved.port, moved.controller_port, moved.cluster_id) == (4242, first.controller_port, first.cluster_id)
    assert settle(settings, tmp_path) == moved


def test_a_damaged_record_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / identity.FILE).write_text('{"port": 1', encoding="utf-8")
    with pytest.raises(HomeError, match=r"node\.json is not a node's record"):
        settle(KafkaSettings(home=tmp_path, cache=tmp_path), tmp_path)
    assert (tmp_path / identity.FILE).read_text(encoding="utf-8") == '{"port": 1'


def test_free_ports_differ_and_a_taken_one_is_refused_by_its_setting() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[0]))
        other.listen()
        with pytest.raises(PortTakenError, match=rf"{ports[0]}.*`controller_port`"):
            check_free({"port": ports[1], "controller_port": ports[0]})
    check_free({"port": ports[0]})
