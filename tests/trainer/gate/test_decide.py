"""The gate's verdict, from synthetic numbers."""

from __future__ import annotations

import math

import msgspec
import pytest

from teachback.schemas.training import Base, GateRecord, GateTest
from teachback.trainer.gate.decide import TESTS, Changes, Verdict, decide, outcome_of, verdict_of
from teachback.trainer.gate.words import Name
from teachback.trainer.spec import GateSettings

BASE = Base(model="tiny", sha256="0" * 64, quantization="nf4-double-bf16")
SETTINGS = GateSettings(resamples=500)
GOOD: dict[Name, float] = {
    "superiority": -0.5,
    "question_dependence": 0.0,
    "answers_belong": 0.4,
    "generated_answers": 0.1,
    "figures_kept": 0.1,
}


def around(mean: float, spread: float = 0.01, rows: int = 60, clusters: int = 30) -> Changes:
    """Changes whose mean is exactly `mean`, half of them `spread` above and half below, alternating by cluster."""
    return Changes(
        [mean + (spread if row % clusters % 2 else -spread) for row in range(rows)],
        [f"answer-{row % clusters}" for row in range(rows)],
    )


def gate(settings: GateSettings = SETTINGS, **replaced: Changes) -> GateRecord:
    """The verdict on a good challenger, some of its changes replaced."""
    changes: dict[Name, Changes] = {name: around(mean) for name, mean in GOOD.items()}
    for name in TESTS:
        changes[name] = replaced.get(name, changes[name])
    return decide(changes, settings, champion="bot@v1", challenger="bot@v2", base=BASE)


def of(record: GateRecord, name: Name) -> GateTest:
    return next(test for test in record.tests if test.name == name)


def test_a_challenger_that_clears_every_bound_is_promoted() -> None:
    record = gate()
    assert record.outcome == "promoted"
    assert [test.name for test in record.tests] == list(TESTS)
    assert all(test.passed for test in record.tests)
    assert "bot@v2 takes over from bot@v1" in record.explanation


@pytest.mark.parametrize(
    ("name", "mean", "outcome"),
    [
        ("superiority", 0.1, "rejected"),  # likelihood got worse
        ("superiority", 0.0, "rejected"),  # a change that is surely too small
        ("superiority", -0.03, "promoted"),
        ("question_dependence", -0.2, "rejected"),  # the answers no longer depend on the question
        ("question_dependence", -0.03, "promoted"),  # a loss within the margin
        (
            "answers_belong",
            0.05,
            "rejected",
        ),  # champion and challenger alike heed no question, or the rows are mixed up
        ("answers_belong", 0.13, "promoted"),
        ("generated_answers", -0.2, "rejected"),
        ("figures_kept", -0.2, "rejected"),
        ("figures_kept", -0.03, "promoted"),
    ],
)
def test_one_test_that_surely_fails_rejects(name: Name, mean: float, outcome: str) -> None:
    record = gate(**{name: around(mean)})
    assert record.outcome == outcome
    assert {test.name for test in record.tests if not test.passed} == ({name} if outcome == "rejected" else set())


@pytest.mark.parametrize("name", TESTS)
def test_an_interval_across_the_bound_is_not_enough_evidence(name: Name) -> None:
    bound = {"superiority": -0.02, "answers_belong": 0.1}.get(name, -0.05)
    record = gate(**{name: around(bound, spread=1.0)})
    assert record.outcome == "inconclusive"
    assert of(record, name).interval[0] < bound
    assert "bot@v1 stays" in record.explanation


@pytest.mark.parametrize("name", ["superiority", "question_dependence", "answers_belong", "generated_answers"])
def test_too_few_rows_decide_nothing_however_clear_they_look(name: Name) -> None:
    record = gate(**{name: around(-5.0 if name == "superiority" else 5.0, rows=29, clusters=29)})
    assert record.outcome == "inconclusive"
    assert "Only 29 reviewed rows" in of(record, name).explanation


def test_no_rows_at_all_are_inconclusive_and_can_be_written_down() -> None:
    empty = Changes([], [])
    record = gate(**dict.fromkeys(TESTS, empty))
    assert record.outcome == "inconclusive"
    assert msgspec.json.decode(msgspec.json.encode(record), type=GateRecord) == record


def test_rows_that_share_one_answer_are_one_witness_and_decide_nothing() -> None:
    record = gate(superiority=around(-5.0, clusters=1))
    assert record.outcome == "inconclusive"
    assert "the same agreed answer" in record.tests[0].explanation


@pytest.mark.parametrize("name", ["superiority", "question_dependence", "answers_belong", "generated_answers"])
def test_many_rows_of_few_clusters_decide_nothing_however_clear_they_look(name: Name) -> None:
    few = around(-5.0 if name == "superiority" else 5.0, clusters=11)
    record = gate(**{name: few})
    assert record.outcome == "inconclusive"
    assert "60 reviewed rows have only 11 different answers; 12 are needed" in of(record, name).explanation
    assert gate(msgspec.structs.replace(SETTINGS, min_clusters=11), **{name: few}).outcome == "promoted"


def test_a_single_row_beside_a_large_cluster_does_not_make_two_witnesses() -> None:
    changes = Changes([-0.5] * 29 + [-0.1], ["one"] * 29 + ["another"])
    assert gate(superiority=changes).outcome == "inconclusive"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["superiority", "question_dependence", "answers_belong"])
def test_a_challenger_whose_numbers_are_none_is_rejected_and_the_record_can_be_written_down(
    name: Name, value: float
) -> None:
    values, clusters = around(-0.5 if name == "superiority" else 0.5)
    record = gate(**{name: Changes([value, value, *values[2:]], clusters)})
    assert record.outcome == "rejected"
    assert "on 2 of 60 reviewed rows" in of(record, name).explanation
    assert [test.name for test in record.tests if not test.passed] == [name]
    assert b"null" not in msgspec.json.encode(record)
    assert msgspec.json.decode(msgspec.json.encode(record), type=GateRecord) == record


def test_a_broken_challenger_is_rejected_on_however_few_rows() -> None:
    assert gate(superiority=Changes([math.nan], ["one"])).outcome == "rejected"


def test_evidence_against_outweighs_what_is_still_open() -> None:
    record = gate(superiority=around(0.0, spread=2.0), question_dependence=around(-0.5))
    assert record.outcome == "rejected"
    assert "heeds the question" in record.explanation
    assert "learnt what people write" not in record.explanation


@pytest.mark.parametrize(("rows", "clusters"), [(3, 3), (29, 29), (60, 11), (60, 1)])
def test_figures_are_not_judged_where_too_few_answers_have_any(rows: int, clusters: int) -> None:
    record = gate(figures_kept=around(-1.0, rows=rows, clusters=clusters))
    assert record.outcome == "promoted"
    assert "figures_kept" not in {test.name for test in record.tests}
    assert "Figures were not judged" in record.explanation


def test_garbage_that_makes_answers_likelier_is_rejected_all_the_same() -> None:
    # Answers shuffled among questions, as measured: likelihood improves almost as much as with right ones.
    record = gate(superiority=around(-0.455, 0.016), question_dependence=around(-0.104, 0.05))
    assert record.outcome == "rejected"
    assert record.tests[0].passed


def test_garbage_that_also_judges_is_rejected_all_the_same() -> None:
    # The locked answers were shuffled too, as measured: everything but one test speaks for the challenger.
    record = gate(
        superiority=around(-0.669, 0.1), question_dependence=around(0.02, 0.05), answers_belong=around(0.0, 0.1)
    )
    assert record.outcome == "rejected"
    assert [test.name for test in record.tests if not test.passed] == ["answers_belong"]
    assert "Level of +0.000 on 60 rows" in record.tests[2].explanation
    assert "has to be at least +0.1" in record.tests[2].explanation


def test_the_same_changes_give_the_same_record() -> None:
    assert gate(superiority=around(-0.1, 0.3)) == gate(superiority=around(-0.1, 0.3))


@pytest.mark.parametrize(
    ("ends", "higher", "verdict"),
    [
        ((-0.05, 0.2), True, "passed"),  # touching the bound is enough
        ((-0.06, 0.2), True, "open"),
        ((-0.06, -0.05), True, "open"),
        ((-0.2, -0.06), True, "failed"),
        ((-0.2, -0.05), False, "passed"),
        ((-0.2, 0.1), False, "open"),
        ((-0.04, 0.1), False, "failed"),
    ],
)
def test_where_an_interval_lies(ends: tuple[float, float], higher: bool, verdict: Verdict) -> None:
    assert verdict_of(ends, -0.05, higher_is_better=higher) == verdict


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        (["passed", "passed"], "promoted"),
        (["passed", "open"], "inconclusive"),
        (["open", "failed", "passed"], "rejected"),
    ],
)
def test_the_outcome_of_several_tests(verdicts: list[Verdict], outcome: str) -> None:
    assert outcome_of(verdicts) == outcome
