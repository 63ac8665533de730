"""What of the log counts: outcomes as they stand now, versions that are the next, records within the ranges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from teachback.infra.history import HistoryError
from teachback.infra.history.bounds import refuse_beyond, told_time
from teachback.infra.history.build import Verdicts
from teachback.infra.history.decisions import Decisions, valid_calibrations, valid_policies
from teachback.infra.history.outcomes import take
from teachback.infra.history.scan import sorted_out
from teachback.schemas import Calibration, Certificate, Event, Outcome
from teachback.schemas.calibration import Quality
from teachback.schemas.log import Record
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import encode
from tests.infra.whatif.making import BOT, policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def outcome(status: str, **fields: Any) -> Outcome:
    stated = {"id": "x1", "bot": BOT, "created": NOW, "exchange": "x1", "status": status, "round": 0, "judgments": ()}
    return Outcome(**cast(Any, stated | fields))


def folded(*records: tuple[int, Outcome | bytes | None]) -> Verdicts:
    found: Verdicts = {}
    for time, record in records:
        take(found, BOT, b"x1", encode(record) if isinstance(record, Outcome) else record, time)
    return found


def test_the_newest_outcome_holds_and_a_late_verdict_does_not_move_its_time() -> None:
    right, wrong = outcome("labelled", origin="approved"), outcome("rejected")
    assert folded((5, right)) == {"x1": (True, 5)}
    assert folded((5, right), (9, right)) == {"x1": (True, 5)}
    assert folded((5, right), (9, wrong)) == {"x1": (False, 9)}
    assert folded((5, outcome("labelled", origin="edited"))) == {"x1": (False, 5)}


def test_the_time_that_an_outcome_states_is_taken() -> None:
    stated = outcome("rejected", settled=NOW)
    assert folded((5, stated)) == {"x1": (False, int(NOW.timestamp() * 1000))}


def test_what_is_open_again_or_erased_is_not_settled() -> None:
    right = outcome("labelled", origin="approved")
    assert folded((5, right), (6, outcome("open"))) == {}
    assert folded((5, right), (6, None)) == {}
    assert folded((5, right), (6, outcome("open")), (7, right)) == {"x1": (True, 7)}


def test_garbage_and_other_bots_outcomes_change_nothing() -> None:
    right = outcome("labelled", origin="approved")
    assert folded((5, right), (6, b"\xff"), (7, b"{}"), (8, outcome("rejected", bot="other"))) == {"x1": (True, 5)}


def records(*events: Event | None) -> list[Record[Any]]:
    return [Record(event, "", 0, offset, 100 + offset) for offset, event in enumerate(events)]


def test_only_versions_that_workers_take_up_are_decisions() -> None:
    found = valid_policies(
        BOT,
        records(
            policy(2, threshold=0.1),  # too early
            policy(1),
            None,
            policy(1, threshold=0.2),  # somebody was first
            policy(2, threshold=0.3),
            policy(4),
        ),
    )
    assert [(one.event.version, one.event.threshold, one.time) for one in found] == [(1, 0.8, 101), (2, 0.3, 104)]
    decisions = Decisions(found)
    assert [decisions.policy_of(version) is not None for version in (0, 1, 2, 3)] == [False, True, True, False]
    assert decisions.policy == found[1].event


def calibration(version: int) -> Calibration:
    return Calibration(
        id=f"c{version}",
        bot=BOT,
        created=NOW,
        version=version,
        intercept=0.0,
        terms=(),
        labels=0,
        audits=0,
        wrong=0,
        sha256="0",
        quality=Quality(n=0, wrong=0, ece=0.0, brier=0.0),
    )


def certificate(of: int) -> Certificate:
    return Certificate(
        id=f"k{of}",
        bot=BOT,
        created=NOW,
        state="certified",
        adapter=f"{BOT}@v0",
        calibration=of,
        policy=1,
        population="p",
        target=0.03,
        confidence=0.95,
        attempt=1,
        alpha=0.03,
        threshold=0.9,
        coverage=0.2,
        audits=200,
        errors=0,
        e_value=30.0,
    )


def test_a_certificate_about_a_calibration_that_never_was_is_none() -> None:
    calibrations, certificates = valid_calibrations(
        BOT, records(certificate(0), calibration(1), calibration(3), certificate(1), certificate(3), calibration(2))
    )
    assert [one.event.version for one in calibrations] == [1, 2]
    assert [one.event.calibration for one in certificates] == [1]
    assert certificates[0].time == 103


class FakeMessage:
    """As much of a message as a scan looks at."""

    def __init__(self, partition: int, offset: int = -1, error: int | None = None) -> None:
        self._place = partition, offset
        self._error = None if error is None else KafkaError(error)

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]

    def error(self) -> KafkaError | None:
        return self._error


def looked_at(messages: Sequence[FakeMessage], ends: dict[int, int]) -> tuple[list[tuple[int, int]], set[int]]:
    inside, finished = sorted_out(cast(list[Message], messages), ends)
    return [(message.partition() or 0, message.offset() or 0) for message in inside], finished


def test_a_scan_ends_behind_its_range_or_where_all_ends() -> None:
    eof = KafkaError._PARTITION_EOF
    messages = [FakeMessage(0, 4), FakeMessage(1, 7), FakeMessage(0, 5), FakeMessage(1, 8), FakeMessage(2, error=eof)]
    assert looked_at(messages, {0: 5, 1: 9, 2: 3}) == ([(0, 4), (1, 7), (1, 8)], {0, 2})


def test_a_gap_of_markers_before_the_end_of_a_range_ends_nothing() -> None:
    assert looked_at([FakeMessage(0, 3)], {0: 5}) == ([(0, 3)], set())


def test_what_still_comes_of_a_finished_partition_is_left_out() -> None:
    eof = FakeMessage(0, error=KafkaError._PARTITION_EOF)
    assert looked_at([FakeMessage(0, 1), eof], {1: 5}) == ([], set())


def test_an_error_that_the_client_cannot_mend_is_raised() -> None:
    with pytest.raises(KafkaException):
        looked_at([FakeMessage(0, error=KafkaError.TOPIC_AUTHORIZATION_FAILED)], {0: 5})


def test_a_time_that_the_topic_keeps_is_not_refused() -> None:
    now = 1000 * DAY_MS
    refuse_beyond("chat.scored", now - 7 * DAY_MS, now, 365 * DAY_MS, [])
    refuse_beyond("chat.scored", 0, now, None, [])
    refuse_beyond("chat.scored", now - DAY_MS, now, 365 * DAY_MS, [now - 300 * DAY_MS])


def test_a_time_beyond_retention_is_refused_with_what_to_ask_instead() -> None:
    now = 1000 * DAY_MS
    with pytest.raises(HistoryError, match=r"keeps 365 days .* ask from 1971-09-28T01:00Z or later"):
        refuse_beyond("chat.scored", now - 366 * DAY_MS, now, 365 * DAY_MS, [])


def test_a_time_whose_records_somebody_deleted_is_refused_too() -> None:
    now = 1000 * DAY_MS
    with pytest.raises(HistoryError, match=f"lost its records from before {told_time(now - DAY_MS)}"):
        refuse_beyond("chat.scored", now - 7 * DAY_MS, now, 365 * DAY_MS, [now - 9 * DAY_MS, now - DAY_MS])
