"""Every private name that we lean on is listed, and looks as it did when it was read."""

from __future__ import annotations

import ast
import re
from importlib.metadata import requires
from pathlib import Path

import faust
import pytest
from faust.transport.drivers import aiokafka as driver

import teachback.streams.batches as package
from teachback.streams.batches import touchpoints, transport, worker
from teachback.streams.batches.errors import WrongVersion

SOURCES = sorted(Path(package.__path__[0]).glob("*.py"))


def test_the_private_names_look_as_they_did() -> None:
    assert list(touchpoints.problems()) == []


def test_a_changed_signature_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def newer(self: object, consumer: object, partitions: object) -> None: ...

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", newer)
    assert [problem for problem in touchpoints.problems() if "_fetch_records(self, consumer, partitions)" in problem]


def test_a_name_that_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("faust.transport.consumer.Consumer._new_offset")
    assert [problem for problem in touchpoints.problems() if "_new_offset is gone" in problem]


def test_another_version_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    touchpoints.require_versions()
    monkeypatch.setitem(touchpoints.PINS, "aiokafka", "0.13.0")
    with pytest.raises(WrongVersion, match=r"install aiokafka==0\.13\.0"):
        touchpoints.require_versions()


def test_the_distribution_pins_what_the_list_was_written_for() -> None:
    wanted = " ".join(requires("teachback") or [])
    for name, pinned in touchpoints.PINS.items():
        assert f"{name}=={pinned}" in wanted


def listed() -> set[str]:
    """Names that the list speaks of."""
    return {name for point in touchpoints.POINTS for name in re.findall(r"\w+", f"{point.name} {point.looks}")}


def test_every_private_method_that_we_override_is_listed() -> None:
    pairs = [
        (transport.ConsumerThread, driver.AIOKafkaConsumerThread),
        (transport.Consumer, driver.Consumer),
        (worker.BatchApp, faust.App),
    ]
    overridden = {
        name
        for ours, theirs in pairs
        for name in vars(ours)
        if name.startswith("_") and not name.startswith("__") and hasattr(theirs, name)
    }
    assert "_fetch_records" in overridden
    assert overridden - listed() <= {"_abc_impl"}


def test_every_private_attribute_of_others_that_we_use_is_listed() -> None:
    used, own = set(), set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
                (own if isinstance(node.ctx, ast.Store) and is_self(node.value) else used).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own.add(node.name)
    assert "_subscription" in used
    assert used - own - listed() <= {"_thread", "_exit"}, "list it in touchpoints.POINTS"


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
