"""A comparison that fails: it costs a third opinion, never the partition."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from teachback.streams.consensus.caution import Cautious
from teachback.streams.consensus.errors import NoEmbedder
from teachback.streams.consensus.fold import fold
from tests.streams.consensus.samples import ByLetter, verdict


class Failing:
    """Fails at every text."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def same(self, one: str, other: str, /) -> bool:
        raise self._error

    def medoid(self, texts: Sequence[str], /) -> str:
        raise self._error


def test_texts_that_cannot_be_compared_differ_and_the_fold_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    sameness = Cautious(Failing(KeyError("m\u0131nute")))
    outcome, label = fold(None, verdict("e:X", "ana"), sameness)
    with caplog.at_level(logging.WARNING):
        outcome, label = fold(outcome, verdict("e:X", "bo"), sameness)
    assert (outcome.status, outcome.need, outcome.agreed, label) == ("open", "reviewer", False, None)
    assert "count as different" in caplog.text
    assert "KeyError" in caplog.text


def test_without_a_medoid_the_shortest_text_says_it(caplog: pytest.LogCaptureFixture) -> None:
    assert Cautious(Failing(ValueError())).medoid(["X at length", "X b", "X a"]) == "X a"
    assert "ValueError" in caplog.text


def test_what_is_no_texts_fault_still_ends_the_process() -> None:
    with pytest.raises(NoEmbedder):
        Cautious(Failing(NoEmbedder("gone"))).same("X", "Y")


def test_a_comparison_that_works_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    sameness = Cautious(ByLetter())
    assert sameness.same("X one", "X two")
    assert not sameness.same("X one", "Y one")
    assert sameness.medoid(["X at length", "X"]) == "X"
    assert caplog.text == ""
