"""Mismatched pairs are found: on made-up vectors, and on the demo bank's own questions with the real embedder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.trainer.dataset.check import Check, check, share_and_cut
from teachback.trainer.dataset.conflicts import conflicts, figures
from teachback.trainer.dataset.embed import SentenceEmbedder, Vectors
from tests.trainer.fakes import embed, label


class World(NamedTuple):
    """Question and answer vectors that belong together row by row, and what each row is about."""

    questions: Vectors
    answers: Vectors
    about: np.ndarray


def made_up(rows: int, seed: int = 0) -> World:
    """Rows in topics: questions and answers share a direction of their topic and one of their own, under noise."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(12, 96))[rng.integers(0, 12, rows)]
    own = rng.normal(size=(rows, 96))
    questions, answers = (topics + 0.9 * own + 0.9 * rng.normal(size=(rows, 96)) for _ in range(2))
    unit = [(part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32) for part in (questions, answers)]
    return World(unit[0], unit[1], np.arange(rows))


def shuffled(world: World, share: float, seed: int = 0) -> tuple[World, np.ndarray]:
    """The world with the answers of a share of the rows moved around among themselves, and which rows are wrong now."""
    rows = len(world.about)
    moved = np.random.default_rng(seed).choice(rows, int(share * rows), replace=False)
    order = np.arange(rows)
    order[moved] = np.roll(moved, 1)
    wrong = world.about != world.about[order]
    return World(world.questions, world.answers[order], world.about[order]), wrong


def judged(world: World) -> Check:
    return check(world.questions, world.answers, [str(one) for one in world.about], [0] * len(world.about))


def holds_what_is_wrong(world: World, seed: int) -> None:
    """The claims of the check, for one world of questions that stand with their answers."""
    clean = judged(world)
    assert clean.batches[0].mismatched < 0.1
    assert clean.held.mean() < 0.05

    some, wrong = shuffled(world, 0.3, seed)
    part = judged(some)
    assert 0.15 < part.batches[0].mismatched < 0.5
    assert part.held[wrong].mean() > 0.6
    assert part.held[~wrong].mean() < 0.15

    every, _ = shuffled(world, 1.0, seed)
    assert judged(every).batches[0].mismatched > 0.7


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_answers_are_found_in_a_made_up_world(seed: int) -> None:
    holds_what_is_wrong(made_up(200, seed), seed)


@pytest.mark.model
@pytest.mark.parametrize("rows", [120, 270])
def test_shuffled_answers_are_found_in_the_bank_s_inbox(bank: World, rows: int) -> None:
    for seed in range(5):
        chosen = np.random.default_rng(seed).choice(len(bank.about), rows, replace=False)
        holds_what_is_wrong(World(bank.questions[chosen], bank.answers[chosen], bank.about[chosen]), seed)


@pytest.fixture(scope="module")
def bank(embedder: Path) -> World:
    """Every question of the demo bank, worded as customers do, with the vector of its agreed answer."""
    folder = Path(__file__).resolve().parents[2] / "infra" / "harbour" / "facts"
    facts = [fact for file in sorted(folder.glob("*.toml")) for fact in tomllib.loads(file.read_text())["fact"]]
    encode = SentenceEmbedder(embedder)
    about = np.array([n for n, fact in enumerate(facts) for _ in fact["wordings"]])
    answers = encode([fact["answer"] for fact in facts])
    return World(encode([one for fact in facts for one in fact["wordings"]]), answers[about], about)


def test_a_bad_batch_is_found_among_many_good_pairs() -> None:
    good, (bad, _) = made_up(400, 1), shuffled(made_up(100, 2), 1.0)
    clusters = [f"good{one}" for one in good.about] + [f"bad{one}" for one in bad.about]
    found = check(
        np.concatenate([good.questions, bad.questions]),
        np.concatenate([good.answers, bad.answers]),
        clusters,
        [0] * 400 + [1] * 100,
    )
    assert found.batches[0].mismatched < 0.1 and found.batches[1].mismatched > 0.7
    assert found.held[:400].mean() < 0.05 and found.held[400:].mean() > 0.9


def test_many_pairs_are_compared_with_some_of_the_others() -> None:
    """More pairs than strangers are looked at: the same finding, at a cost that grows with the pairs only."""
    some, wrong = shuffled(made_up(3_000), 0.3)
    found = judged(some)
    assert found.held[wrong].mean() > 0.6 and found.held[~wrong].mean() < 0.15


def test_without_strangers_nothing_is_held() -> None:
    one = made_up(5)
    found = check(one.questions, one.answers, ["same"] * 5, [0] * 5)
    assert not found.held.any() and found.batches[0].mismatched == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_shares_and_cuts_stay_in_their_range(p: list[float]) -> None:
    share, cut = share_and_cut(np.array(p))
    assert 0 <= share <= 1 and 0 <= cut <= 1


def test_perfect_pairs_are_never_held() -> None:
    share, cut = share_and_cut(np.zeros(50))
    assert share == 0.0 and not (np.zeros(50) > cut).any()


def test_contradictions_and_near_copies_are_counted_not_removed() -> None:
    labels = [
        label("a", "what is the fee for a new card", "It costs £4.50, and takes 3 days."),
        label("b", "what is the fee for a new card", "It costs £6.50, and takes 3 days."),
        label("c", "what is the fee for a new card", "It costs £4.50, and takes 3 days!"),
        label("d", "opening hours of the branch", "nine to five"),
    ]
    found = conflicts(labels, embed)
    assert found.contradicting == (("a", "b"), ("b", "c"))
    assert found.contradictions == 2
    assert conflicts([], embed).near_copies == 0


def test_near_copies_are_named() -> None:
    labels = [label("a", "what is the fee", "four pounds in all"), label("b", "what is the fee", "four pounds in all")]
    assert conflicts(labels, embed).copying == (("a", "b"),)


def test_a_figure_is_the_same_however_it_is_written() -> None:
    assert figures("£1,000.50 by 10:30.") == figures("1000.5 until 10:30")
    assert figures("£4.50") != figures("£4.55")
