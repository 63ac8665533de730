"""Faust's own forms lose messages (docs/decisions/0002): none of our sources may use them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import teachback

ROOT = Path(teachback.__path__[0])
PARTS = ("schemas", "producers", "streams", "consumers", "trainer", "infra")
TRANSPORT = ROOT / "streams" / "batches"

LOSING = {
    "take": "acks a whole batch when it raises",
    "noack_take": "loses the first batch of a fresh partition when it raises",
    "group_by": "repartitions with sends that nobody awaits",
    "through": "forwards with sends that nobody awaits",
    "Table": "writes a changelog whose delivery is not sure",
    "GlobalTable": "writes a changelog whose delivery is not sure",
    "SetTable": "writes a changelog whose delivery is not sure",
    "send_soon": "is not awaited before the commit",
    "Stream": "acks by itself",
}


def uses_faust(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Import) and any(name.name.split(".")[0] == "faust" for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "faust")
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("teachback.streams.batches"))
        for node in ast.walk(tree)
    )


def findings(source: str, inside_transport: bool = False) -> Iterator[str]:
    """The losing forms in a source file."""
    tree = ast.parse(source)
    if not uses_faust(tree):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in LOSING:
            yield f"line {node.lineno}: .{node.attr} {LOSING[node.attr]}"
        if isinstance(node, ast.Call):
            yield from call_findings(node, inside_transport)


def call_findings(call: ast.Call, inside_transport: bool) -> Iterator[str]:
    if isinstance(call.func, ast.Attribute) and is_app(call.func.value) and not inside_transport:
        if call.func.attr in {"topic", "channel"}:
            yield f"line {call.lineno}: .{call.func.attr}() delivers messages one by one; use a Leg"
        if call.func.attr in {"agent", "timer", "crontab"}:
            yield f"line {call.lineno}: @app.{call.func.attr} acks by itself; use a Leg"
    for keyword in call.keywords:
        one = isinstance(keyword.value, ast.Constant) and keyword.value.value == 1
        if keyword.arg == "concurrency" and not one:
            yield f"line {call.lineno}: concurrency above 1 commits past a message in flight"
        if keyword.arg == "processing_guarantee":
            yield f"line {call.lineno}: Faust's exactly_once sends outside its transactions"


def is_app(node: ast.expr) -> bool:
    """`app` or `something.app`."""
    return (isinstance(node, ast.Name) and node.id == "app") or (isinstance(node, ast.Attribute) and node.attr == "app")


def sources() -> list[Path]:
    return [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py"))]


def test_our_sources_use_none_of_the_forms_that_lose_messages() -> None:
    found = {
        str(path.relative_to(ROOT)): list(findings(path.read_text(), path.parent == TRANSPORT)) for path in sources()
    }
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert len(found) > 20


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("async for batch in stream.take(100, within=1): ...", "acks a whole batch"),
        ("async for batch in stream.noack_take(100, within=1): ...", "fresh partition"),
        ("counts = app.Table('counts')", "changelog"),
        ("stream.group_by(key)", "repartitions"),
        ("topic = app.topic('numbers')", "use a Leg"),
        ("@app.agent(topic)\nasync def work(stream): ...", "use a Leg"),
        ("agent = make(topic, concurrency=4)", "concurrency"),
        ("app = faust.App('x', processing_guarantee='exactly_once')", "outside its transactions"),
    ],
)
def test_the_naive_form_is_found(form: str, why: str) -> None:
    body = "\n".join("    " + line for line in form.splitlines())
    found = list(findings(f"import faust\nasync def naive():\n{body}\n"))
    assert any(why in finding for finding in found)


def test_a_file_without_faust_may_take_what_it_likes() -> None:
    assert list(findings("import queue\nqueue.take(3)\n")) == []
