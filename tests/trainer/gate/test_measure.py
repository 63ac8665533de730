"""What the gate compares, from likelihoods and answers that are given."""

from __future__ import annotations

import math

import pytest

from teachback.schemas.exchange import Message
from teachback.schemas.label import Origin
from teachback.trainer.encode import Encoded
from teachback.trainer.gate.losses import other_questions, swapped
from teachback.trainer.gate.measure import Likelihoods, Side, compare, means, spread
from teachback.trainer.spec import Row


def row(name: str, leader: str, origin: Origin = "edited", answer: str = "It costs £5.") -> Row:
    messages = (Message(role="user", content=f"{name}?"), Message(role="assistant", content=answer))
    return Row(id=name, messages=messages, origin=origin, leader=leader)


ROWS = [row("a", "l1"), row("b", "l1", "approved"), row("c", "l2"), row("d", "l3", answer="Just ask.")]


def test_changes_are_paired_and_signed_challenger_less_champion() -> None:
    measured = compare(
        ROWS,
        ROWS[2:],
        {
            "champion": Likelihoods([3.0, 1.0, 3.0, 3.0], [3.5, 1.5, 3.5, 3.5]),
            "challenger": Likelihoods([2.0, 2.0, 2.5, 1.0], [2.25, 2.5, 3.5, 1.5]),
        },
        {"champion": ["£6", "no"], "challenger": ["£5", "yes"]},
        {"champion": [0.25, 0.5], "challenger": [0.75, 0.25]},
    )
    changes = measured.changes
    # Answers that were approved as they were are the champion's own words: not in the likelihood test.
    assert changes["superiority"].values == [-1.0, -0.5, -2.0]
    assert changes["superiority"].clusters == ["l1", "l2", "l3"]
    assert changes["question_dependence"].values == [-0.25, 0.0, 0.5, 0.0]
    # The only measure of the challenger by itself.
    assert changes["answers_belong"].values == [0.25, 0.5, 1.0, 0.5]
    assert changes["answers_belong"].clusters == ["l1", "l1", "l2", "l3"]
    assert changes["generated_answers"].values == [0.5, -0.25]
    # Only answers with figures are judged by them.
    assert (changes["figures_kept"].values, changes["figures_kept"].clusters) == ([1.0], ["l2"])
    assert measured.metrics["champion_superiority"] == 3.0
    assert measured.metrics["challenger_figures_kept"] == 1.0


def nll_of(champion: list[float], challenger: list[float]) -> dict[Side, Likelihoods]:
    own: dict[Side, list[float]] = {"champion": champion, "challenger": challenger}
    return {side: Likelihoods(values, [value + 0.5 for value in values]) for side, values in own.items()}


NOTHING_SAID: dict[Side, list[str]] = {"champion": [], "challenger": []}
NO_COSINES: dict[Side, list[float]] = {"champion": [], "challenger": []}


def test_a_row_whose_champion_alone_has_no_number_is_left_out_and_one_of_the_challenger_stays_to_be_seen() -> None:
    nan = math.nan
    measured = compare(ROWS, [], nll_of([nan, 3.0, 3.0, nan], [2.0, 2.0, nan, nan]), NOTHING_SAID, NO_COSINES)
    superiority = measured.changes["superiority"]
    assert superiority.clusters == ["l2", "l3"]
    assert not any(math.isfinite(change) for change in superiority.values)
    assert measured.changes["question_dependence"].clusters == ["l1", "l2", "l3"]
    assert measured.changes["answers_belong"].clusters == ["l1", "l1", "l2", "l3"]


def test_without_any_row_there_is_nothing_to_compare() -> None:
    measured = compare([], [], nll_of([], []), NOTHING_SAID, NO_COSINES)
    assert all(change == ([], []) for change in measured.changes.values())
    assert measured.metrics == {}


def test_with_a_single_cluster_there_is_no_other_question() -> None:
    one = [row("a", "l1"), row("b", "l1")]
    nll = {"champion": Likelihoods([1.0, 1.0], []), "challenger": Likelihoods([1.0, 1.0], [])}
    measured = compare(one, [], nll, {"champion": [], "challenger": []}, {"champion": [], "challenger": []})
    assert measured.changes["question_dependence"] == measured.changes["answers_belong"] == ([], [])
    assert other_questions(["l1", "l1"], 4, seed=1) is None


@pytest.mark.parametrize(("most", "found"), [(1, 1), (4, 4), (99, 10)])
def test_other_questions_are_of_other_clusters_each_once_and_the_same_for_both_models(most: int, found: int) -> None:
    clusters = ["l1", "l1", "l2", "l3"] * 5
    others = other_questions(clusters, most, seed=4)
    assert others is not None
    for own, chosen in zip(clusters, others, strict=True):
        assert own not in {clusters[index] for index in chosen}
        assert found <= len(chosen) == len(set(chosen)) <= most
    assert others == other_questions(clusters, most, seed=4)
    assert others != other_questions(clusters, most, seed=5)


def test_swapping_keeps_the_answer_and_takes_the_other_questions() -> None:
    encoded = [Encoded([1], [2]), Encoded([3], [4]), Encoded([5], [6])]
    expected = [Encoded([3], [2]), Encoded([5], [2]), Encoded([1], [4]), Encoded([3], [6]), Encoded([1], [6])]
    assert swapped(encoded, [[1, 2], [0], [1, 0]]) == expected
    assert means([1.0, 3.0, 5.0, 2.0, math.nan], [[1, 2], [0], [1, 0]])[:2] == [2.0, 5.0]
    assert math.isnan(means([2.0, math.nan], [[1, 0]])[0])


@pytest.mark.parametrize(("limit", "chosen"), [(2, "ac"), (3, "acd"), (4, "abcd"), (9, "abcd")])
def test_a_sample_takes_every_cluster_before_any_second_row(limit: int, chosen: str) -> None:
    assert "".join(row.id for row in spread(ROWS, limit)) == chosen
