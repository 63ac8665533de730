"""Which side a label is on: claims of the split, as properties over small worlds where everything collides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Label, SplitAssigned
from teachback.trainer.dataset.split import Splitter, normalised, side_of
from tests.trainer.fakes import BOT, decided, embed, label

WORDS = ("card", "loan", "fee", "app", "rate")


def splitter(salt: str = "a salt for tests", share: float = 0.4) -> Splitter:
    return Splitter(BOT, salt, share, embed)


@st.composite
def worlds(draw: st.DrawFn) -> list[Label]:
    """A few dozen labels about few things: questions, answers, conversations and exchanges are often shared."""
    made = []
    for number in range(draw(st.integers(1, 30))):
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
        few = st.integers(0, 12)
        made.append(
            label(
                f"l{number}",
                " ".join(words) + draw(st.sampled_from(["", "?", " please"])),
                f"answer {draw(few)}{draw(st.sampled_from(['', '.', ' ']))}",
                conversation=f"c{draw(few)}",
                exchange=f"x{draw(st.integers(0, 20))}",
                revision=number + 1,
            )
        )
    return made


def used(labels: Sequence[Label], decisions: Sequence[SplitAssigned], side: str) -> list[tuple[Label, SplitAssigned]]:
    pairs = zip(labels, decisions, strict=True)
    return [(one, split) for one, split in pairs if split.side == side and not split.quarantined]


@given(worlds())
def test_train_and_eval_share_no_cluster_answer_question_conversation_or_exchange(labels: list[Label]) -> None:
    decisions = splitter().assign(labels)
    train, judge = used(labels, decisions, "train"), used(labels, decisions, "eval")
    for key in (
        lambda one, split: split.leader,
        lambda one, split: normalised(one.answer),
        lambda one, split: normalised(one.question),
        lambda one, split: one.conversation,
        lambda one, split: one.exchange,
    ):
        assert not {key(*pair) for pair in train} & {key(*pair) for pair in judge}


@given(worlds(), st.lists(st.integers(0, 30), max_size=4))
def test_batches_do_not_change_decisions(labels: list[Label], cuts: list[int]) -> None:
    whole = {split.id: key(split) for split in splitter().assign(labels)}
    parts, bounds = splitter(), sorted({0, len(labels), *(min(cut, len(labels)) for cut in cuts)})
    found: dict[str, Any] = {}
    for start, end in pairwise(bounds):
        found |= {split.id: key(split) for split in parts.assign(labels[start:end])}
    assert found == whole


@given(worlds(), st.integers(0, 30))
def test_a_rebuilt_splitter_decides_as_the_old_one_would_have(labels: list[Label], cut: int) -> None:
    old = splitter()
    first = old.assign(labels[:cut])
    new = splitter()
    new.remember(list(zip(first + first, labels[:cut] * 2, strict=True)))  # a decision that was published twice
    assert new.decided == old.decided
    assert [key(split) for split in new.assign(labels)] == [key(split) for split in old.assign(labels)]


@given(worlds())
def test_nothing_is_decided_twice(labels: list[Label]) -> None:
    one = splitter()
    assert len(one.assign(labels)) == len(labels)
    assert one.assign(labels) == []


def key(split: SplitAssigned) -> tuple[str, str, str, bool]:
    return split.id, split.leader, split.side, split.quarantined


def test_the_same_answer_is_the_same_cluster_however_it_is_written() -> None:
    first, second = splitter().assign(
        [label("a", "what is the fee", "It is £4.50."), label("b", "cost of a new card", " it  is £4.50")]
    )
    assert second.leader == first.leader == "a"


def test_a_near_question_joins_and_a_far_one_leads() -> None:
    near = label("b", "what is the fee for a lost card today now", "another answer")
    far = label("c", "opening hours", "nine to five")
    one = [label("a", "what is the fee for a lost card today"), near, far]
    assert [split.leader for split in splitter().assign(one)] == ["a", "a", "c"]


def test_clusters_do_not_creep() -> None:
    """Each question is near the one before, the last one far from the first: it must not join."""
    words = [f"w{number}" for number in range(30)]
    chain = [label(f"l{n}", " ".join(words[n : n + 20]), f"answer {n}") for n in range(10)]
    leaders = [split.leader for split in splitter().assign(chain)]
    assert leaders[:2] == ["l0", "l0"] and len(set(leaders)) > 2


def test_a_revision_follows_its_predecessor() -> None:
    first = label("a1", "what is the fee", "four pounds", exchange="x")
    second = label("a2", "what is the fee", "five pounds", exchange="x", revision=2, supersedes="a1")
    old, new = splitter().assign([first, second])
    assert (new.leader, new.side) == (old.leader, old.side)


def on(side: str) -> str:
    """A label id whose own cluster stands on `side`."""
    return next(f"{side}{n}" for n in range(100) if side_of(f"{side}{n}", "a salt for tests", 0.4) == side)


def test_a_conversation_on_both_sides_loses_its_later_label() -> None:
    teaches, judges = label(on("train"), conversation="c"), label(on("eval"), conversation="c")
    first, second = splitter().assign([teaches, judges])
    assert (first.quarantined, second.quarantined) == (False, True)


def test_an_answer_of_one_side_under_a_question_of_the_other_is_quarantined() -> None:
    teaches = label(on("train"), "what is the fee", "four pounds")
    judges = label(on("eval"), "opening hours", "nine to five")
    mixed = label("mixed", "opening hours", "four pounds")
    *_, last = splitter().assign([teaches, judges, mixed])
    assert last.leader == teaches.id and last.quarantined


def test_gold_labels_are_left_out_and_replayed_ones_join_their_question() -> None:
    labels = [label("a", "what is the fee"), label("g", source="gold")]
    again = label("r", "what is the fee", "a newer answer", source="replay")
    first, second = splitter().assign([*labels, again])
    assert (first.id, second.id, second.leader) == ("a", "r", "a")


def test_an_erased_leader_keeps_its_cluster() -> None:
    leader, member = label("a", "what is the fee", "four"), label("b", "how much", "four")
    one = splitter()
    one.remember([(decided(leader, "a", "eval"), None), (decided(member, "a", "eval"), member)])
    (after,) = one.assign([label("c", "charges", "four")])
    assert (after.leader, after.side, one.decided) == ("a", "eval", 3)


def test_the_share_of_eval_clusters_is_as_asked() -> None:
    sides = [side_of(f"label-{n}", "another salt", 0.25) for n in range(4_000)]
    assert 0.22 < sides.count("eval") / len(sides) < 0.28
