"""From records to columns: the first of each id, in broker time, with what people found."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np

from teachback.infra.history import ACCEPT, ACCEPTABLE, AUDIT, UNSETTLED, WRONG, History
from teachback.infra.history.build import Builder, Row
from teachback.infra.history.columns import ARRAYS
from teachback.infra.history.read import decoded
from teachback.schemas import Scored
from teachback.schemas.event import now
from teachback.schemas.wire import encode


def row(number: int | str, **fields: Any) -> Row:
    stated: dict[str, Any] = {
        "id": f"x{number}",
        "bot": "harbour",
        "adapter": "harbour@v0",
        "source": "live",
        "signals": {},
        "confidence": 0.9,
        "route": "accept",
        "reasons": (),
        "policy": 1,
        "calibration": 0,
    }
    return Row(**(stated | fields))


def built(*batches: list[tuple[Row, int]], since: int = 0, until: int | None = None, **verdicts: Any) -> History:
    builder = Builder("harbour")
    for batch in batches:
        builder.add([one for one, _ in batch], [time for _, time in batch])
    return builder.history(verdicts, since, until)


def test_rows_stand_in_broker_time_whatever_partition_they_came_from() -> None:
    found = built([(row(1), 10), (row(2), 30)], [(row(3), 20), (row(4), 40)])
    assert found.ids.tolist() == ["x1", "x3", "x2", "x4"]
    assert found.time.tolist() == [10, 20, 30, 40]


def test_the_first_record_of_an_id_is_the_decision() -> None:
    found = built([(row(1, confidence=0.2), 10), (row(2), 15), (row(1, confidence=0.7), 20)], [(row(2), 5)])
    assert found.ids.tolist() == ["x2", "x1"]
    assert found.confidence.tolist() == [0.9, 0.2]


def test_what_was_decided_before_the_window_is_no_decision_of_it() -> None:
    found = built([(row(1), 10), (row(1), 25), (row(2), 25), (row(3), 40)], since=20, until=40)
    assert found.ids.tolist() == ["x2"]


def test_signals_become_a_matrix_with_nan_for_the_missing() -> None:
    dice = random.Random(3)
    names = ("a", "b", "c")
    given = [{name: dice.random() for name in names if dice.random() < 0.6} for _ in range(200)]
    rows = [(row(number, signals=signals), number) for number, signals in enumerate(given)]
    found = built(rows[:70], rows[70:71], rows[71:])
    assert set(found.signal_names) == set(names)
    for number, signals in enumerate(given):
        for column, name in enumerate(found.signal_names):
            value = found.signals[number, column]
            assert np.isnan(value) if name not in signals else value == np.float32(signals[name])


def test_codes_stand_for_what_was_recorded() -> None:
    rows = [
        row(1, topic="cards", adapter="harbour@v1", reasons=("audit", "rule:fees"), route="audit", threshold=0.6),
        row(2, source="replay", reasons=("replay", "confidence<0.80"), route="review"),
        row(3, topic="loans"),
    ]
    found = built([(one, number) for number, one in enumerate(rows)])
    assert [found.adapters[code] for code in found.adapter] == [one.adapter for one in rows]
    assert [found.topics[code] if code >= 0 else None for code in found.topic] == ["cards", None, "loans"]
    assert [found.reasons[code] for code in found.reason] == [one.reasons for one in rows]
    assert found.live.tolist() == [True, False, True]
    assert found.ruled.tolist() == [True, False, False]
    assert found.replayed.tolist() == [False, True, False]
    assert found.route.tolist()[::2] == [AUDIT, ACCEPT]
    assert found.threshold[0] == 0.6 and np.isnan(found.threshold[1])


def test_what_people_found_is_joined_by_id() -> None:
    found = built([(row(1), 1), (row(2), 2), (row(3), 3)], x1=(True, 70), x3=(False, 80), x9=(True, 90))
    assert found.verdict.tolist() == [ACCEPTABLE, UNSETTLED, WRONG]
    assert found.outcome_time.tolist() == [70, 0, 80]
    assert found.settled.tolist() == [True, False, True]


def test_without_a_record_there_is_an_empty_history() -> None:
    found = built()
    assert len(found) == 0 and found.signals.shape == (0, 0)
    assert len(found.window(0, 100)) == 0
    assert found.live.tolist() == found.ruled.tolist() == []


def test_a_window_takes_its_beginning_and_leaves_its_end() -> None:
    found = built([(row(number), number * 10) for number in range(5)]).window(10, 30)
    assert found.ids.tolist() == ["x1", "x2"]
    assert all(len(getattr(found, name)) == 2 for name in ARRAYS)


def test_every_field_that_becomes_a_column_is_one_of_the_contract() -> None:
    contract = {field.name: field for field in msgspec.structs.fields(Scored)}
    assert set(Row.__struct_fields__) <= set(contract)


def test_only_a_decision_is_decoded() -> None:
    scored = Scored(
        id="x1",
        bot="harbour",
        created=now(),
        conversation="c1",
        adapter="harbour@v0",
        source="live",
        signals={"a": 0.5},
        confidence=0.5,
        route="review",
        reasons=("confidence<0.80",),
        policy=1,
        calibration=0,
        threshold=0.8,
    )
    whole = encode(scored)
    assert decoded(whole) == row(
        1, signals={"a": 0.5}, confidence=0.5, route="review", reasons=("confidence<0.80",), threshold=0.8
    )
    bad = [
        None,
        b"",
        b"\xff\xfe",
        b"{}",
        whole.replace(b"scored/1", b"outcome/1"),
        whole.replace(b'"confidence":0.5', b'"confidence":1.5'),
    ]
    assert [decoded(value) for value in bad] == [None] * len(bad)
