"""The fold over decisions and outcomes: what counts, in which order, and what is forgotten.

`scored` and `outcome` make the records for the other tests of this package too.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from teachback.schemas import Outcome, Scored
from teachback.schemas.event import now
from teachback.schemas.exchange import Source
from teachback.schemas.log import Record
from teachback.schemas.scored import Route
from teachback.streams.calibration.evidence import LARGEST, TRAFFIC, Evidence, matrix, may_learn, names_of

HOUR = 3_600_000
START = int(now().timestamp() * 1000) - 1000 * HOUR
"""Audits of these tests lie well before now: calibrations and certificates carry the time at which they are made."""
AUDITS = [f"x{number}" for number in range(20)]
_offsets = itertools.count()


def scored(
    id_: str,
    at: int = START,
    *,
    route: Route = "audit",
    adapter: str = "base",
    policy: int = 1,
    calibration: int = 0,
    signals: dict[str, float] | None = None,
    source: Source = "live",
    bot: str = "demo",
    reasons: tuple[str, ...] = (),
) -> Record[Scored]:
    """A decision at broker time `at`, ms; offsets count up."""
    event = Scored(
        id=id_,
        bot=bot,
        created=datetime.fromtimestamp(at / 1000, UTC),
        conversation="c",
        adapter=adapter,
        source=source,
        signals={"qa_cosine": 0.8} if signals is None else signals,
        confidence=0.5,
        route=route,
        reasons=reasons,
        policy=policy,
        calibration=calibration,
    )
    return Record(event, id_, 0, next(_offsets), at)


def outcome(id_: str, acceptable: bool, at: int = START + HOUR, *, bot: str = "demo") -> Record[Outcome]:
    """An agreement settled at `at`, ms: the bot's own words, or none that are good."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    event = Outcome(
        id=f"o-{id_}",
        bot=bot,
        created=moment,
        exchange=id_,
        status="labelled" if acceptable else "rejected",
        origin="approved" if acceptable else None,
        round=0,
        judgments=(),
        settled=moment,
    )
    return Record(event, id_, 0, next(_offsets), at + 5)


def opened(id_: str) -> Record[Outcome]:
    """An agreement that is open (again)."""
    event = Outcome(id=f"o-{id_}", bot="demo", created=now(), exchange=id_, status="open", round=1, judgments=())
    return Record(event, id_, 0, next(_offsets), START)


@pytest.fixture
def evidence() -> Evidence:
    return Evidence("demo")


def test_the_first_scored_record_of_an_id_stands(evidence: Evidence) -> None:
    evidence.note_scored(scored("a", signals={"qa_cosine": 0.1}))
    evidence.note_scored(scored("a", START + 5, route="review", signals={"qa_cosine": 0.9}))
    assert evidence.known["a"].route == "audit"
    assert evidence.known["a"].signals == {"qa_cosine": 0.1}
    assert len(evidence.traffic) == 1


@pytest.mark.parametrize("source", ["replay", "batch", "synthetic", "gold"])
def test_only_live_exchanges_count(evidence: Evidence, source: Source) -> None:
    evidence.note_scored(scored("a", source=source, adapter="other"))
    assert not evidence.known and not evidence.traffic
    assert evidence.adapter is None and not evidence.first_calibration


def test_another_bots_events_do_not_count(evidence: Evidence) -> None:
    evidence.note_scored(scored("a", bot="other"))
    evidence.note_outcome(outcome("a", True, bot="other"))
    assert not evidence.known and not evidence.settled and not evidence.traffic


def test_accepted_exchanges_are_traffic_but_never_labels(evidence: Evidence) -> None:
    evidence.note_scored(scored("a", route="accept"))
    evidence.note_outcome(outcome("a", True))
    assert len(evidence.traffic) == 1
    assert evidence.labelled() == []


def test_audits_stand_in_the_order_of_broker_time_however_they_were_read(evidence: Evidence) -> None:
    for id_, at in (("late", 30), ("early", 10), ("middle", 20), ("tie", 20)):
        evidence.note_scored(scored(id_, START + at))
        evidence.note_outcome(outcome(id_, True))
    assert [known.id for known in evidence.audits("base")] == ["early", "middle", "tie", "late"]
    assert [known.id for known in evidence.labelled()] == ["early", "middle", "tie", "late"]


def test_audits_are_told_apart_by_adapter_and_from_reviews(evidence: Evidence) -> None:
    evidence.note_scored(scored("a"))
    evidence.note_scored(scored("b", adapter="new"))
    evidence.note_scored(scored("c", route="review"))
    assert [known.id for known in evidence.audits("base")] == ["a"]
    assert [known.id for known in evidence.audits("new")] == ["b"]


def test_the_adapter_is_that_of_the_newest_live_exchange(evidence: Evidence) -> None:
    evidence.note_scored(scored("a", START + 20, adapter="new", route="accept"))
    evidence.note_scored(scored("b", START + 10, adapter="base"))
    assert evidence.adapter == "new"


def test_the_first_calibration_of_an_adapter_is_the_least_it_answered_under(evidence: Evidence) -> None:
    for id_, version in (("a", 3), ("b", 2), ("c", 4)):
        evidence.note_scored(scored(id_, calibration=version, adapter="new"))
    assert evidence.first_calibration == {"new": 2}


def test_an_outcome_counts_whichever_of_the_two_comes_first(evidence: Evidence) -> None:
    evidence.note_outcome(outcome("a", False, START + HOUR))
    assert evidence.labelled() == []
    evidence.note_scored(scored("a"))
    assert [known.id for known in evidence.labelled()] == ["a"]
    assert evidence.settled["a"] == (False, START + HOUR)  # when it was settled, not when that was read


def test_a_tombstone_removes_an_outcome(evidence: Evidence) -> None:
    evidence.note_scored(scored("a"))
    evidence.note_outcome(outcome("a", True))
    evidence.note_outcome(Record(None, "a", 0, next(_offsets), START))
    assert evidence.labelled() == [] and evidence.settled == {}


def test_what_may_be_learnt_is_counted_as_it_comes_and_goes(evidence: Evidence) -> None:
    for id_ in AUDITS:
        evidence.note_scored(scored(id_))
        evidence.note_outcome(outcome(id_, True))
        evidence.note_outcome(outcome(id_, False))
    evidence.note_outcome(outcome("r", True))
    evidence.note_scored(scored("r", route="review"))
    evidence.note_scored(scored("s", route="accept"))
    evidence.note_outcome(outcome("s", True))
    known = evidence.labelled()
    assert evidence.labels == sum(may_learn(one) for one in known) < len(known)
    evidence.note_outcome(opened("r"))
    evidence.note_outcome(Record(None, "r", 0, next(_offsets), START))
    assert evidence.labels == sum(may_learn(one) for one in evidence.labelled())


def test_only_audits_and_their_outcomes_change_what_is_claimed(evidence: Evidence) -> None:
    changes = [evidence.changes]
    steps: list[Record[Any]] = [
        scored("r", route="review"),
        scored("x", route="accept"),
        outcome("r", True),
        outcome("x", True),
        outcome("unknown", True),
        scored("a"),
        scored("a"),
        outcome("a", True),
        outcome("a", True),
        Record(None, "a", 0, next(_offsets), START),
    ]
    for record in steps:
        if isinstance(record.event, Scored):
            evidence.note_scored(record)
        else:
            evidence.note_outcome(record)
        changes.append(evidence.changes)
    assert [later - earlier for earlier, later in pairwise(changes)] == [0, 0, 0, 0, 0, 1, 0, 1, 0, 1]


def test_the_first_policy_of_an_adapter_is_the_least_it_answered_under(evidence: Evidence) -> None:
    for id_, version in (("a", 3), ("b", 2), ("c", 4)):
        evidence.note_scored(scored(id_, policy=version, adapter="new", route="accept"))
    assert evidence.first_policy == {"new": 2}


def test_an_outcome_that_is_open_again_is_no_evidence(evidence: Evidence) -> None:
    evidence.note_scored(scored("a"))
    evidence.note_outcome(outcome("a", True))
    evidence.note_outcome(opened("a"))
    assert evidence.labelled() == []


def test_traffic_keeps_the_newest_exchanges_only() -> None:
    assert Evidence("demo").traffic.maxlen == TRAFFIC


def test_a_matrix_holds_no_number_whose_square_is_beyond_the_floats() -> None:
    found = matrix([{"a": -1.7e308}, {"a": 1.7e308}, {"a": 0.5}], ("a",))
    assert found.ravel().tolist() == [-LARGEST, LARGEST, 0.5]


def test_a_matrix_holds_nan_where_a_signal_is_missing() -> None:
    rows = [{"b": 1.0}, {"a": 2.0, "b": 3.0}]
    assert names_of(rows) == ("a", "b")
    assert np.array_equal(matrix(rows, ("a", "b")), [[np.nan, 1.0], [2.0, 3.0]], equal_nan=True)
    assert matrix([], ("a", "b")).shape == (0, 2)
    assert matrix(rows, ()).shape == (2, 0)
