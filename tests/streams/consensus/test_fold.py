"""The fold: which verdicts count, what outcomes and labels hold, and that the same input is the same output."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Label, Outcome, Verdict
from teachback.schemas.ids import label_id
from teachback.schemas.wire import decode, encode
from teachback.streams.consensus.fold import contradictions, fold
from tests.streams.consensus.samples import BOT_ANSWER, ByLetter, request, verdict


def fold_all(verdicts: Sequence[Verdict]) -> tuple[list[Outcome], list[Label]]:
    """Every outcome, in turn, and every label."""
    outcomes: list[Outcome] = []
    labels: list[Label] = []
    for each in verdicts:
        outcome, label = fold(outcomes[-1] if outcomes else None, each, ByLetter())
        outcomes.append(outcome)
        labels += [label] if label else []
    return outcomes, labels


def test_two_approvals_make_one_label_of_the_bots_answer() -> None:
    first, second = verdict("a", "ana"), verdict("a", "bo")
    (opened, settled), (label,) = fold_all([first, second])
    assert (opened.status, opened.need, opened.agreed) == ("open", "reviewer", None)
    assert (settled.status, settled.need, settled.agreed) == ("labelled", None, True)
    assert (settled.answer, settled.answered_by) == (BOT_ANSWER, ("ana", "bo"))
    assert (settled.label, settled.revision) == (label.id, 1)
    assert label == Label(
        id=label_id("x1", 1),
        bot="harbour",
        created=second.created,
        exchange="x1",
        conversation="c-x1",
        revision=1,
        messages=request().messages,
        answer=BOT_ANSWER,
        origin="approved",
        adapter="harbour@v0",
        source="live",
        reviewers=("ana", "bo"),
        topic="cards",
        subject="u-7",
    )


def test_agreeing_edits_make_a_label_with_the_bots_answer_as_the_rejected_one() -> None:
    _, (label,) = fold_all([verdict("e:X long", "ana"), verdict("e:X", "bo")])
    assert (label.answer, label.origin, label.rejected) == ("X", "edited", BOT_ANSWER)


def test_an_edit_of_an_empty_answer_rejects_nothing() -> None:
    _, (label,) = fold_all([verdict("e:X", "ana", answer=""), verdict("e:X", "bo", answer="")])
    assert label.rejected is None


def test_two_rejections_make_no_label() -> None:
    outcomes, labels = fold_all([verdict("r", "ana"), verdict("r", "bo")])
    assert (outcomes[-1].status, outcomes[-1].label, outcomes[-1].answer, labels) == ("rejected", None, None, [])


def test_a_third_reviewer_then_the_adjudicator() -> None:
    outcomes, labels = fold_all(
        [verdict("a", "ana"), verdict("e:X", "bo"), verdict("r", "cem"), verdict("E:Y", "dora")]
    )
    assert [outcome.need for outcome in outcomes] == ["reviewer", "reviewer", "adjudicator", None]
    assert [outcome.agreed for outcome in outcomes] == [None, False, False, False]
    assert [(label.answer, label.reviewers) for label in labels] == [("Y", ("dora",))]


def test_a_verdict_after_the_end_is_late() -> None:
    outcomes, labels = fold_all([verdict("a", "ana"), verdict("a", "bo"), verdict("r", "cem")])
    assert [judgment.reviewer for judgment in outcomes[-1].late] == ["cem"]
    assert [judgment.reviewer for judgment in outcomes[-1].judgments] == ["ana", "bo"]
    assert (outcomes[-1].status, len(labels)) == ("labelled", 1)


def test_a_verdict_seen_before_changes_nothing_whatever_it_says_now() -> None:
    (outcome,), _ = fold_all([verdict("a", "ana")])
    assert fold(outcome, verdict("a", "ana"), ByLetter()) == (outcome, None)
    assert fold(outcome, verdict("r", "ana"), ByLetter())[0] is outcome


def test_a_late_verdict_seen_before_changes_nothing() -> None:
    outcomes, _ = fold_all([verdict("a", "ana"), verdict("a", "bo"), verdict("r", "cem")])
    assert fold(outcomes[-1], verdict("r", "cem"), ByLetter())[0] is outcomes[-1]


def test_a_person_who_comes_again_in_another_round_counts_once() -> None:
    outcomes, labels = fold_all([verdict("a", "ana"), verdict("a", "ana", round_=1)])
    assert (outcomes[-1].status, labels) == ("open", [])
    assert len(outcomes[-1].judgments) == len(outcomes[-1].late) == 1


def test_an_adjudicator_reopens_in_a_later_round_and_makes_a_new_revision() -> None:
    outcomes, (first, second) = fold_all([verdict("a", "ana"), verdict("a", "bo"), verdict("E:X", "dora", round_=1)])
    assert (second.revision, second.supersedes, second.id) == (2, first.id, label_id("x1", 2))
    assert (outcomes[-1].round, outcomes[-1].revision, outcomes[-1].answer) == (1, 2, "X")
    assert len(outcomes[-1].judgments) == 3


def test_a_second_adjudicator_of_the_same_round_is_late() -> None:
    outcomes, labels = fold_all([verdict("f", "ana"), verdict("A", "dora"), verdict("E:X", "eli")])
    assert ([judgment.reviewer for judgment in outcomes[-1].late], len(labels)) == (["eli"], 1)


def test_a_reviewer_cannot_reopen() -> None:
    outcomes, labels = fold_all([verdict("a", "ana"), verdict("a", "bo"), verdict("r", "cem", round_=1)])
    assert (outcomes[-1].status, outcomes[-1].round, len(labels)) == ("labelled", 0, 1)


def test_a_reopened_exchange_can_be_rejected_and_labelled_again() -> None:
    outcomes, labels = fold_all(
        [
            verdict("a", "ana"),
            verdict("a", "bo"),
            verdict("R", "dora", round_=1),
            verdict("A", "dora", round_=2),
        ]
    )
    assert [outcome.status for outcome in outcomes] == ["open", "labelled", "rejected", "labelled"]
    assert [outcome.label for outcome in outcomes] == [None, label_id("x1", 1), None, label_id("x1", 2)]
    assert labels[-1].supersedes == labels[0].id


def test_an_adjudicators_flag_in_a_later_round_opens_the_exchange_again() -> None:
    outcomes, labels = fold_all([verdict("a", "ana"), verdict("a", "bo"), verdict("F", "dora", round_=1)])
    assert (outcomes[-1].status, outcomes[-1].need, len(labels)) == ("open", "adjudicator", 1)


def test_what_is_written_can_be_read_by_others() -> None:
    outcomes, labels = fold_all([verdict("a", "ana"), verdict("e:X", "bo"), verdict("e:X", "cem")])
    assert [decode(encode(outcome), Outcome) for outcome in outcomes] == outcomes
    assert [decode(encode(label), Label) for label in labels] == labels


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"exchange": "x2"}, "key"),
        ({"id": "v1"}, "id"),
        ({"round": 1}, "id"),
        ({"bot": "other"}, "request"),
        ({"request": request("x2")}, "request"),
    ],
)
def test_a_verdict_that_contradicts_itself_is_found(change: dict[str, object], named: str) -> None:
    good = verdict("a")
    assert contradictions(good, b"x1") is None
    problem = contradictions(msgspec.structs.replace(good, **change), b"x1")
    assert problem is not None
    assert named in problem


@pytest.mark.parametrize("key", [None, b"", b"x2"])
def test_a_verdict_under_another_key_is_found(key: bytes | None) -> None:
    assert contradictions(verdict("a"), key) is not None


PEOPLE = ["ana", "bo", "cem", "dora", "eli"]
WORDS = st.sampled_from(["a", "r", "f", "e:X", "e:Y", "A", "R", "E:X"])
VERDICTS = st.lists(st.builds(verdict, WORDS, st.sampled_from(PEOPLE), round_=st.integers(0, 2)), max_size=12)


@given(VERDICTS)
def test_folding_again_what_was_folded_changes_nothing(verdicts: list[Verdict]) -> None:
    """So reading verdicts twice, from anywhere, makes no difference: the processor's last line of defence."""
    outcomes, _ = fold_all(verdicts)
    for each in verdicts:
        assert fold(outcomes[-1], each, ByLetter()) == (outcomes[-1], None)


@given(VERDICTS)
def test_the_same_verdicts_make_the_same_bytes(verdicts: list[Verdict]) -> None:
    first, second = fold_all(verdicts), fold_all([decode(encode(each), Verdict) for each in verdicts])
    assert [[encode(event) for event in events] for events in first] == [
        [encode(event) for event in events] for events in second
    ]


@given(VERDICTS)
def test_every_verdict_is_kept_exactly_once(verdicts: list[Verdict]) -> None:
    outcomes, _ = fold_all(verdicts)
    kept = [judgment.verdict for outcome in outcomes[-1:] for judgment in (*outcome.judgments, *outcome.late)]
    assert sorted(kept) == sorted({each.id for each in verdicts})


@given(VERDICTS)
def test_revisions_count_up_and_each_supersedes_the_one_before(verdicts: list[Verdict]) -> None:
    _, labels = fold_all(verdicts)
    assert [label.revision for label in labels] == list(range(1, len(labels) + 1))
    assert [label.supersedes for label in labels] == [None, *(label.id for label in labels)][: len(labels)]


@given(VERDICTS)
def test_without_an_adjudicator_there_is_at_most_one_label_by_two_people(verdicts: list[Verdict]) -> None:
    _, labels = fold_all([each for each in verdicts if each.role == "reviewer"])
    assert len(labels) <= 1
    assert all(len(set(label.reviewers)) >= 2 for label in labels)
