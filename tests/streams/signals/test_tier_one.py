"""One pass over a batch: what it embeds, what it says, and what it does when the model or the index fails."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from teachback.streams.signals import TIER_ONE
from teachback.streams.signals.reviewed import NEIGHBOURS, Neighbour
from teachback.streams.signals.similarity import SentenceEmbedder, Vectors, unit_vectors
from teachback.streams.signals.texts import MOST, answer_text, question_text
from teachback.streams.signals.tier_one import tier_one
from tests.streams.signals.making import DIMENSIONS, ByWords, exchange, passages


class Shelf:
    """An index that always finds the same, or fails."""

    def __init__(self, *found: Neighbour, failing: Exception | None = None) -> None:
        self.found, self.failing, self.refreshed = list(found), failing, 0

    def refresh(self) -> None:
        self.refreshed += 1

    def near(self, bots: Sequence[str], questions: Vectors, count: int) -> list[list[Neighbour]]:
        if self.failing is not None:
            raise self.failing
        assert count == NEIGHBOURS
        assert questions.shape[0] == len(bots)
        return [self.found for _ in bots]


def neighbour(cosine: float, answer: str, rejected: str | None = None, whose: str = "other") -> Neighbour:
    """A reviewed question with an answer of these words."""
    rows = unit_vectors(ByWords()([answer, rejected or answer]), 2).astype(np.float16)
    numbers = frozenset(word for word in answer.split() if word.isdigit())
    return Neighbour(cosine, whose, rows[0], rows[1] if rejected else None, numbers)


def signals(*batch: Any, embed: Any = None, shelf: Shelf | None = None) -> list[dict[str, float]]:
    """Tier one of a batch in which nothing may fail."""
    failures: Counter[str] = Counter()
    found = tier_one(batch, embed or ByWords(), shelf, failures)
    assert not failures
    assert all(set(each) <= set(TIER_ONE) for each in found)
    return found


def test_one_call_embeds_each_different_text_of_the_batch_once() -> None:
    embed = ByWords()
    signals(exchange("a b"), exchange("a b"), exchange("c d", passages=passages("c d", "e f")), embed=embed)
    assert len(embed.calls) == 1
    assert sorted(embed.calls[0]) == ["What does it cost?", "a b", "c d", "e f"]


def test_the_cosine_is_that_of_unit_vectors_whatever_the_embedder_gives() -> None:
    assert signals(exchange("what does it cost what does it cost"))[0]["qa_cosine"] == 1.0


def test_an_exchange_without_text_is_missing_alone() -> None:
    first, second, third = signals(exchange("  "), exchange("x", question="\n"), exchange("cost"))
    assert (first, second) == ({}, {})
    assert third["qa_cosine"] == 0.5


def test_an_empty_batch_embeds_nothing() -> None:
    embed = ByWords()
    assert signals(embed=embed) == []
    assert embed.calls == []


def test_long_texts_are_embedded_in_part() -> None:
    embed = ByWords()
    long = f"first {'x ' * MOST * 100} last"
    signals(exchange(long, question=long, passages=passages(long)), embed=embed)
    assert max(map(len, embed.calls[0])) <= MOST + 1
    assert question_text(long).startswith("first") and question_text(long).endswith("last")
    assert answer_text(long) == long[:MOST]


def test_support_is_high_where_each_sentence_stands_in_a_passage() -> None:
    given = passages("Opening hours are nine to five.", "The fee is five pounds. It takes two days.")
    grounded, invented = signals(
        exchange("The fee is five pounds.", passages=given), exchange("Elephants never forget.", passages=given)
    )
    assert grounded["support"] > 0.7
    assert invented["support"] < 0.3


def test_a_long_sentence_weighs_more_in_support_than_a_greeting() -> None:
    given = passages("The yearly fee of the account is five pounds.")
    greeted, plain = signals(
        exchange("Hello! The yearly fee of the account is five pounds.", passages=given),
        exchange("Elephants! The yearly fee of the account is seven elephants or eleven zebras.", passages=given),
    )
    assert greeted["support"] > 0.8 > plain["support"]


def test_without_passages_or_with_empty_ones_there_is_no_support() -> None:
    assert all("support" not in each for each in signals(exchange(), exchange(passages=passages("", " "))))


def test_passages_beyond_measure_cost_a_bounded_number_of_texts() -> None:
    embed = ByWords()
    many = passages(*(f"Passage {n}. " * 500 for n in range(200)))
    signals(exchange("One. " * 500, passages=many), embed=embed)
    assert len(embed.calls[0]) < 60


def test_like_questions_say_how_near_the_answer_is_to_what_was_approved_and_rejected() -> None:
    shelf = Shelf(neighbour(0.9, "it costs 5", "never costs anything"), neighbour(0.6, "zebra"), neighbour(0.2, "lion"))
    right, wrong = signals(exchange("it costs 5"), exchange("never costs anything 7"), shelf=shelf)
    assert right["near_approved"] > 0.9 > wrong["near_approved"]
    assert right["near_rejected"] < wrong["near_rejected"]
    assert (right["figures_approved"], wrong["figures_approved"]) == (1.0, 0.0)
    assert shelf.refreshed == 1


def test_the_nearer_question_weighs_more() -> None:
    near_zebra = signals(exchange("zebra"), shelf=Shelf(neighbour(0.9, "zebra"), neighbour(0.7, "lion")))[0]
    near_lion = signals(exchange("zebra"), shelf=Shelf(neighbour(0.7, "zebra"), neighbour(0.9, "lion")))[0]
    assert near_zebra["near_approved"] > 0.9
    assert near_lion["near_approved"] < 0.1


def test_questions_that_are_not_like_say_nothing_about_the_answer() -> None:
    found = signals(exchange("zebra 5"), shelf=Shelf(neighbour(0.4, "zebra 5", "lion")))[0]
    assert set(found) == {"qa_cosine"}


def test_an_exchange_scored_again_does_not_find_its_own_label() -> None:
    shelf = Shelf(neighbour(1.0, "It costs £5.", whose="e1"))
    assert set(signals(exchange(), shelf=shelf)[0]) == {"qa_cosine"}
    assert "near_approved" in signals(exchange(id="e2"), shelf=shelf)[0]


def raising(error: BaseException) -> Callable[[Sequence[str]], Vectors]:
    def embed(_texts: Sequence[str]) -> Vectors:
        raise error

    return embed


@pytest.mark.parametrize(
    ("embed", "reason"),
    [
        (raising(RuntimeError("out of order")), "embedder: RuntimeError"),
        (raising(KeyError("layer")), "embedder: KeyError"),
        (lambda texts: np.ones((len(texts) - 1, 3)), "embedder: ValueError"),
        (lambda texts: np.ones(len(texts)), "embedder: ValueError"),
        (lambda texts: np.ones((len(texts), 2, 2)), "embedder: ValueError"),
        (lambda texts: np.ones((len(texts), 0)), "embedder: ValueError"),
        (lambda _texts: None, "embedder: ValueError"),
        (lambda texts: ["no vector"] * len(texts), "embedder: ValueError"),
        (lambda texts: [[1.0, 2.0], [1.0]] * len(texts), "embedder: ValueError"),
    ],
)
def test_an_embedder_that_fails_costs_the_batch_its_signals_and_is_counted(
    embed: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    failures: Counter[str] = Counter()
    with caplog.at_level(logging.WARNING):
        assert tier_one([exchange(), exchange("other")], embed, Shelf(), failures) == [{}, {}]
        assert tier_one([exchange()], embed, None, failures) == [{}]
    assert failures == {reason: 2}
    assert len(caplog.records) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_row_that_is_no_direction_costs_only_the_exchanges_that_need_it(bad: float) -> None:
    def embed(texts: Sequence[str]) -> Vectors:
        rows = ByWords()(texts)
        rows[[text == "broken 5" for text in texts]] = bad
        return rows

    failures: Counter[str] = Counter()
    batch = [exchange("broken 5"), exchange("cost")]
    broken, whole = tier_one(batch, embed, Shelf(neighbour(0.9, "x 5")), failures)
    assert set(broken) == {"figures_approved"}
    assert whole["qa_cosine"] == 0.5
    assert failures == {"embedder: no numbers": 1}


def test_vectors_that_are_too_large_to_square_are_no_reason_to_stop() -> None:
    failures: Counter[str] = Counter()
    tier_one([exchange()], lambda texts: np.full((len(texts), 4), 1e38), None, failures)
    assert failures == {"embedder: no numbers": 2}


@pytest.mark.parametrize("error", [RuntimeError("broken"), ValueError("another dimension"), KeyError("bot")])
def test_an_index_that_fails_costs_its_own_signals_alone(error: Exception) -> None:
    failures: Counter[str] = Counter()
    found = tier_one([exchange("cost")], ByWords(), Shelf(failing=error), failures)
    assert found == [{"qa_cosine": 0.5}]
    assert failures == {f"reviewed: {type(error).__name__}": 1}


def test_neighbours_of_another_dimension_cost_the_reviewed_signals_alone() -> None:
    strange = Neighbour(0.9, "other", np.ones(DIMENSIONS + 1, dtype=np.float16), None, frozenset())
    failures: Counter[str] = Counter()
    assert tier_one([exchange("cost")], ByWords(), Shelf(strange), failures) == [{"qa_cosine": 0.5}]
    assert failures == {"reviewed: ValueError": 1}


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_what_no_stream_should_outlive_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        tier_one([exchange()], raising(error), None, Counter())


@pytest.mark.model
def test_the_real_embedder_tells_an_answer_from_another_questions(embedder: Any) -> None:
    model = SentenceEmbedder(embedder, 8)
    question = "How much does it cost to replace a lost debit card?"
    given = passages("A replacement debit card costs £6.50. It reaches you within 4 working days.")
    right, wrong = signals(
        exchange("A new debit card is £6.50.", question, passages=given),
        exchange("Our branch in Leeds opens at nine on Saturdays.", question, passages=given),
        embed=model,
    )
    assert right["qa_cosine"] > wrong["qa_cosine"] + 0.2
    assert right["support"] > wrong["support"] + 0.2
