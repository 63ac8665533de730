"""What the gate compares, from likelihoods and answers that are given."""

from __future__ import annotations

import pytest

from teachback.schemas.exchange import Message
from teachback.schemas.label import Origin
from teachback.trainer.encode import Encoded
from teachback.trainer.gate.losses import other_questions, swapped
from teachback.trainer.gate.measure import Likelihoods, compare, spread
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


def test_with_a_single_cluster_there_is_no_other_question() -> None:
    one = [row("a", "l1"), row("b", "l1")]
    nll = {"champion": Likelihoods([1.0, 1.0], []), "challenger": Likelihoods([1.0, 1.0], [])}
    measured = compare(one, [], nll, {"champion": [], "challenger": []}, {"champion": [], "challenger": []})
    assert measured.changes["question_dependence"] == measured.changes["answers_belong"] == ([], [])
    assert other_questions(["l1", "l1"], seed=1) is None


def test_another_question_is_always_of_another_cluster_and_the_same_for_both_models() -> None:
    clusters = ["l1", "l1", "l2", "l3"] * 5
    others = other_questions(clusters, seed=4)
    assert others is not None
    assert all(clusters[other] != own for other, own in zip(others, clusters, strict=True))
    assert others == other_questions(clusters, seed=4)
    assert others != other_questions(clusters, seed=5)


def test_swapping_keeps_the_answer_and_takes_the_other_question() -> None:
    encoded = [Encoded([1], [2]), Encoded([3], [4])]
    assert swapped(encoded, [1, 0]) == [Encoded([3], [2]), Encoded([1], [4])]


@pytest.mark.parametrize(("limit", "chosen"), [(2, "ac"), (3, "acd"), (4, "abcd"), (9, "abcd")])
def test_a_sample_takes_every_cluster_before_any_second_row(limit: int, chosen: str) -> None:
    assert "".join(row.id for row in spread(ROWS, limit)) == chosen
