"""The benchmark on a demo's traffic: what was known when, and what is said of few answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.signals_bank import Growing, Traffic, bank, rows, told
from bench.signals_rows import Remembered
from teachback.schemas import Exchange, Label, Message
from teachback.schemas.log import Record
from teachback.streams.signals import SIGNALS
from tests.streams.signals.making import ByWords

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def exchange(second: int, answer: str = "a transfer costs five pounds") -> Exchange:
    return Exchange(
        id=f"e{second}",
        bot="b",
        created=START + second * SECOND,
        conversation=f"c{second}",
        messages=(Message(role="user", content="what does a transfer cost"),),
        answer=answer,
        model="m",
        adapter="b@v0",
    )


def label(second: int) -> Record[Label]:
    asked = exchange(second)
    made = Label(
        id=f"l{second}",
        bot="b",
        created=asked.created,
        exchange=asked.id,
        conversation=asked.conversation,
        revision=1,
        messages=asked.messages,
        answer=asked.answer,
        origin="approved",
        adapter=asked.adapter,
        source="live",
        reviewers=("r",),
    )
    return Record(made, made.id, 0, second, int(asked.created.timestamp() * 1000))


def test_labels_come_when_the_clock_has_passed_them() -> None:
    source = Growing([label(5), label(3)])
    source.now = label(5).timestamp
    assert [record.key for record in source.poll(0)] == ["l3"]
    assert source.poll(0) == []
    source.now += 1
    assert [record.key for record in source.poll(0)] == ["l5"]


def test_an_exchange_sees_the_reviewed_answers_of_its_time_alone() -> None:
    traffic = Traffic([exchange(1), exchange(9)], [True, False], [label(5)])
    near = rows(traffic, Remembered(ByWords()))[:, SIGNALS.index("near_approved")]
    assert np.isnan(near[0])
    assert near[1] == pytest.approx(1.0, abs=1e-3)


def test_of_few_right_answers_it_says_that_nothing_can_be_said() -> None:
    signals = np.full((30, len(SIGNALS)), np.nan)
    exchanges = [exchange(second) for second in range(30)]
    few = told(Traffic(exchanges, [True] * 2 + [False] * 27 + [None], []), signals)
    assert "nothing can be said" in few
    assert "30 exchanges, 29 settled" in few
    signals[:, SIGNALS.index("qa_cosine")] = np.repeat([0.9, 0.1], 15)
    enough = told(Traffic(exchanges, [True] * 15 + [False] * 15, []), signals)
    assert "1.000" in enough
    assert "`hedging`" not in enough


def test_a_home_without_a_demo_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make demo"):
        bank(tmp_path, tmp_path, ByWords())
