"""Writes what derives from the structs: JSON Schemas, the AsyncAPI document, the topics table and its picture.

python -m teachback.schemas.generate           # write
python -m teachback.schemas.generate --check   # fail, naming the files, when they are not what would be written
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from teachback.schemas import EVENTS, Event
from teachback.schemas.event import event_name
from teachback.schemas.topics import DLQ_DAYS, TOPICS, Topic

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"


def json_schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event, its parts under `$defs`."""
    name, version = event_name(kind)
    (root,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    body: dict[str, Any] = definitions.pop(kind.__name__)
    assert root == {"$ref": f"#/$defs/{kind.__name__}"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:teachback:{name}:{version}"}
    return head | body | ({"$defs": definitions} if definitions else {})


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3 document: a channel a topic, a message an event, who sends and who receives."""
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        channel = {"$ref": f"#/channels/{topic.name}"}
        operations |= {f"{who}.send.{topic.name}": {"action": "send", "channel": channel} for who in topic.writers}
        operations |= {
            f"{who}.receive.{topic.name}": {"action": "receive", "channel": channel} for who in topic.readers
        }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "teachback", "version": "1", "description": "The log that the loop is made of."},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": operations,
        "components": {"messages": {kind.__name__: _message(kind) for kind in EVENTS}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Kept: {kept(topic)}.",
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in topic.events},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": [topic.cleanup]}}},
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    name, version = event_name(kind)
    return {
        "name": f"teachback.{name}.v{version}",
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "payload": {"$ref": f"./json/{name}/{version}.json"},
    }


def kept(topic: Topic) -> str:
    """How long a topic's records stay, in words."""
    if topic.cleanup == "compact":
        return "compacted"
    return "for ever" if topic.days is None else f"{topic.days} days"


def table() -> str:
    """The topics table as Markdown."""
    rows = [
        "| topic | key | events | written by → read by | text | kept | partitions |",
        "|---|---|---|---|---|---|---|",
    ]
    for topic in TOPICS:
        events = ", ".join(f"`{'/'.join(map(str, event_name(kind)))}`" for kind in topic.events)
        ways = f"{', '.join(topic.writers)} → {', '.join(topic.readers) or '–'}"
        text, count = "yes" if topic.holds_text else "no", topic.partitions or "as configured"
        rows.append(f"| `{topic.name}` | {topic.key} | {events} | {ways} | {text} | {kept(topic)} | {count} |")
    letters = ", ".join(f"`{topic.dlq}`" for topic in TOPICS if topic.dead_letters)
    return "\n".join(rows) + f"\n\nDead letters ({letters}) keep the original bytes and key for {DLQ_DAYS} days.\n"


def picture() -> str:
    """Topics and the parts between them, as a mermaid flow chart."""
    lines = ["flowchart LR"]
    parts = sorted({who for topic in TOPICS for who in topic.writers + topic.readers})
    lines += [f"  {_node(part)}([{part}])" for part in parts]
    for topic in TOPICS:
        lines.append(f"  {_node(topic.name)}[[{topic.name}]]")
        lines += [f"  {_node(who)} --> {_node(topic.name)}" for who in topic.writers]
        lines += [f"  {_node(topic.name)} --> {_node(who)}" for who in topic.readers]
    return "\n".join(lines) + "\n"


def _node(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    import yaml

    files = {}
    for kind in EVENTS:
        name, version = event_name(kind)
        files[HERE / "json" / name / f"{version}.json"] = (
            json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
        )
    files[HERE / "asyncapi.yaml"] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)
    page = "# Topics\n\nGenerated from `schemas/topics.py` by `make generate`.\n\n"
    files[DOCS / "topics.md"] = f"{page}{table()}\n```mermaid\n{picture()}```\n"
    return files


def main(arguments: list[str], say: Callable[[str], object] = sys.stderr.write) -> int:
    """Write, or with `--check` compare. Returns the exit status."""
    files = generated()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            say(f"{path.relative_to(HERE.parent)} is not what the structs say: run `make generate`\n")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
