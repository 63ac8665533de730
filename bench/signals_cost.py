"""How many exchanges a second the signals take, beside the embedding that they cannot do without."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from bench.signals_fiqa import Human
from bench.signals_rows import corpus, exchanges_of
from bench.table import table
from teachback.schemas import Exchange, Message
from teachback.streams.recent import LIMIT, RecentQuestions
from teachback.streams.signals import tier_zero
from teachback.streams.signals.similarity import Embedder, unit_vectors
from teachback.streams.signals.texts import answer_text, question_text
from teachback.streams.signals.tier_one import tier_one

BATCH = 100
BATCHES = 2
ROUNDS = 3
CORPUS = 300
REFERENCE = "embedding question and answer, no more"


def cost(humans: Sequence[Human], embed: Embedder) -> str:
    """Rates, and ratios to the reference of the same round, as a table. Each round reads fresh copies of the texts."""
    reviewed = corpus(humans, range(CORPUS), embed)
    asked = exchanges_of(humans[CORPUS : CORPUS + BATCH * BATCHES])
    recent = _full(asked[0], len(embed([""])[0]))
    failures: Counter[str] = Counter()

    def plain(batch: Sequence[Exchange]) -> None:
        embed([*(question_text(e.question) for e in batch), *(answer_text(e.answer) for e in batch)])

    def zero(batch: Sequence[Exchange]) -> None:
        for exchange in batch:
            tier_zero(exchange)

    def one(batch: Sequence[Exchange]) -> None:
        zero(batch)
        tier_one(batch, embed, None, failures)

    def beside(batch: Sequence[Exchange]) -> None:
        zero(batch)
        tier_one(batch, embed, reviewed, failures)

    def among(batch: Sequence[Exchange]) -> None:
        zero(batch)
        tier_one(batch, embed, reviewed, failures, recent)

    contenders = {
        REFERENCE: plain,
        "tier 0": zero,
        "tier 0 and 1": one,
        f"tier 0 and 1, {CORPUS} reviewed answers": beside,
        f"the same, {LIMIT:,} recent questions": among,
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            times[name].append(_seconds(work, asked))
    if failures:
        raise RuntimeError(f"signals failed: {dict(failures)}")
    best = {name: min(measured) for name, measured in times.items()}
    rows = [
        (name, f"{len(asked) / seconds:,.0f}", f"{seconds / len(asked) * 1e6:,.0f}", f"{best[REFERENCE] / seconds:.2f}")
        for name, seconds in best.items()
    ]
    size = sum(len(exchange.answer) for exchange in asked) / len(asked)
    return (
        f"{table(('best of 3 rounds', 'exchanges/s', 'µs each', 'ratio'), rows)}\n\nAnswers of {size:,.0f} characters."
    )


def _full(like: Exchange, dimensions: int) -> RecentQuestions:
    """As many questions as a worker remembers of a bot."""
    recent = RecentQuestions()
    for number in range(LIMIT):
        message = Message(role="user", content=str(number))
        exchange = msgspec.structs.replace(like, conversation=f"earlier {number}", messages=(message,))
        recent.note([exchange], unit_vectors(np.random.default_rng(number).normal(size=(1, dimensions)), 1))
    return recent


def _seconds(work: Callable[[Sequence[Exchange]], None], asked: Sequence[Exchange]) -> float:
    began = time.perf_counter()
    for first in range(0, len(asked), BATCH):
        work(asked[first : first + BATCH])
    return time.perf_counter() - began
