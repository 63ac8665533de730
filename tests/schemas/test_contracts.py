"""The events and topics keep what the design promises of them."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import EVENTS, Event, Verdict
from teachback.schemas.compatibility import RELEASED, breaking
from teachback.schemas.event import event_name
from teachback.schemas.generate import generated, json_schema
from teachback.schemas.ids import derived, label_id, verdict_id
from teachback.schemas.topics import TEXT_LIMIT_DAYS, TOPICS
from teachback.schemas.wire import BadEvent, decode, encode, headers

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
BY_NAME = {event_name(kind): kind for kind in EVENTS}
FILES = sorted(EXAMPLES.rglob("*.json"))


def kind_of(file: Path) -> type[Event]:
    """The event that a fixture is an example of: examples/<event>/<version>/<what>.json."""
    return BY_NAME[file.parents[1].name, int(file.parent.name)]


def test_every_event_has_an_example_and_no_example_is_an_orphan() -> None:
    assert {kind_of(file) for file in FILES} == set(EVENTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_an_example_fits_its_schema_and_survives_the_wire(file: Path) -> None:
    kind, data = kind_of(file), file.read_bytes()
    jsonschema.validate(json.loads(data), json_schema(kind), jsonschema.Draft202012Validator)
    event = decode(data, kind)
    assert decode(encode(event), kind) == event
    assert json.loads(encode(event)) == json.loads(data)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_explained(kind: type[Event]) -> None:
    assert kind.__doc__ and len(kind.__doc__) > 20


def test_generated_files_are_what_the_structs_say() -> None:
    assert [path for path, text in generated().items() if path.read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_a_released_version_only_gains_optional_fields(kind: type[Event]) -> None:
    name, version = event_name(kind)
    file = RELEASED / name / f"{version}.json"
    if file.exists():
        assert breaking(json.loads(file.read_text(encoding="utf-8")), json_schema(kind)) == []


def test_no_released_version_disappears() -> None:
    released = {(file.parent.name, int(file.stem)) for file in RELEASED.rglob("*.json")}
    assert released <= BY_NAME.keys()


def test_the_compatibility_check_sees_what_breaks() -> None:
    old = json_schema(Verdict)

    def changed(**edits: Any) -> list[str]:
        new = copy.deepcopy(old)
        new["properties"].update(edits.get("put", {}))
        for name in edits.get("drop", ()):
            del new["properties"][name]
        new["required"] = [*new["required"], *edits.get("require", ())]
        return breaking(old, new)

    assert changed(put={"mood": {"type": "string"}}) == []
    assert changed(put={"mood": {"type": "string"}}, require=["mood"]) == ["mood: the field has become required"]
    assert changed(drop=["comment"]) == ["comment: the field is gone"]
    assert changed(put={"round": {"type": "string"}}) == ["round: the type has changed"]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_with_text_expires_within_thirty_days_or_is_compacted(topic: Any) -> None:
    config = topic.config()
    if topic.cleanup == "compact":
        assert int(config["max.compaction.lag.ms"]) <= TEXT_LIMIT_DAYS * 86_400_000
    elif topic.holds_text:
        assert 0 < int(config["retention.ms"]) <= TEXT_LIMIT_DAYS * 86_400_000


@pytest.mark.parametrize("topic", [t for t in TOPICS if not t.holds_text], ids=lambda topic: topic.name)
def test_a_topic_without_text_carries_no_field_that_holds_a_conversation(topic: Any) -> None:
    wordy = {"messages", "answer", "content", "question", "comment", "rejected", "request", "judgments", "samples"}
    for kind in topic.events:
        assert not wordy & set(kind.__struct_fields__)


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.days is None and t.cleanup == "delete"], ids=lambda t: t.name)
def test_what_is_kept_for_ever_is_never_compacted_and_holds_no_text(topic: Any) -> None:
    assert topic.config() == {
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "delete",
        "retention.ms": "-1",
    }
    assert not topic.holds_text
    assert topic.partitions == 1


def test_every_event_lives_on_exactly_one_topic() -> None:
    listed = [kind for topic in TOPICS for kind in topic.events]
    assert sorted(listed, key=repr) == sorted(EVENTS, key=repr)


def test_unknown_fields_are_let_through_and_wrong_types_are_not() -> None:
    data = json.loads((EXAMPLES / "feedback" / "1" / "thumbs-down.json").read_bytes())
    kind = BY_NAME["feedback", 1]
    assert decode(json.dumps(data | {"from_the_future": 1}).encode(), kind).id == data["id"]
    for wrong in ({"thumb": "sideways"}, {"id": 7}, {"created": "yesterday"}, {"created": "2026-11-20T09:14:07"}):
        with pytest.raises(BadEvent, match="feedback/1"):
            decode(json.dumps(data | wrong).encode(), kind)


@pytest.mark.parametrize("garbage", [None, b"", b"{", b"[]", b"\xff\xfe", b'{"event": "exchange/9"}', b"null"])
def test_garbage_is_a_bad_event_with_a_reason(garbage: bytes | None) -> None:
    with pytest.raises(BadEvent) as caught:
        decode(garbage, *EVENTS)
    assert str(caught.value)


def test_an_edit_without_a_text_and_a_text_without_an_edit_are_refused() -> None:
    data = json.loads((EXAMPLES / "verdict" / "1" / "edit.json").read_bytes())
    for wrong in ({"decision": "approve"}, {"answer": "   "}, {"answer": None}):
        with pytest.raises(BadEvent, match="answer"):
            decode(json.dumps(data | wrong).encode(), Verdict)


def test_headers_are_cloud_events_in_binary_mode() -> None:
    event = decode((EXAMPLES / "alias" / "1" / "promoted.json").read_bytes(), BY_NAME["alias", 1])
    found = dict(headers(event, "trainer"))
    assert found["ce_type"] == b"teachback.alias.v1"
    assert found["ce_source"] == b"teachback/trainer"
    assert found["ce_id"] == event.id.encode()
    assert found["ce_time"].endswith(b"Z")


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 5))
def test_ids_are_deterministic_and_depend_on_every_part(exchange: str, reviewer: str, number: int) -> None:
    assert verdict_id(exchange, reviewer, number) == verdict_id(exchange, reviewer, number)
    assert verdict_id(exchange, reviewer, number) != verdict_id(exchange, reviewer, number + 1)
    assert label_id(exchange, 1) != label_id(exchange, 2)
    assert derived("stage", "a", "bc") != derived("stage", "ab", "c")
