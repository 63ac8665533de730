"""Tier one: one embedding pass over a batch, and a look at the reviewed answers and at the questions asked lately.

It blocks: the caller runs it in a thread. Whatever goes wrong in the model or the index costs these signals for this
batch and is counted by reason; the stream goes on, and the confidences say that the signals were missing.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from teachback.schemas import Exchange
from teachback.streams.signals.passages import parts, support
from teachback.streams.signals.reviewed import NEIGHBOURS, Reviewed, reviewed_signals
from teachback.streams.signals.rival import Recent, rival_cosine
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.texts import answer_text, question_text

T = TypeVar("T")
Failures = Counter[str]
"""How often something failed, by reason: `embedder: RuntimeError`, `embedder: no numbers`, `reviewed: ValueError`, …"""
_log = logging.getLogger(__name__)


class Work(NamedTuple):
    """What of an exchange is embedded; empty where it has no such text."""

    question: str
    answer: str
    said: list[str]
    given: list[str]


def tier_one(
    exchanges: Sequence[Exchange],
    embed: Embedder,
    reviewed: Reviewed | None,
    failures: Failures,
    recent: Recent | None = None,
) -> list[dict[str, float]]:
    """The tier-one signals of each exchange, by name. `failures` is counted up. Raises MemoryError alone."""
    works = [_work(exchange) for exchange in exchanges]
    vectors = attempt("embedder", failures, lambda: _embedded(works, embed, failures)) or {}
    found = [_own(work, vectors) for work in works]
    if reviewed is not None:
        beside = attempt("reviewed", failures, lambda: _beside(exchanges, works, vectors, reviewed)) or {}
        for place, signals in beside.items():
            found[place] |= signals
    if recent is not None:
        rivals = attempt("recent", failures, lambda: _rivals(exchanges, works, vectors, recent)) or {}
        for place, rival in rivals.items():
            found[place]["rival_cosine"] = rival
    return [{name: round(value, 6) for name, value in signals.items() if np.isfinite(value)} for signals in found]


def attempt(what: str, failures: Failures, work: Callable[[], T]) -> T | None:
    """What `work` returns; None when it fails, which is counted and, the first time, logged. Raises MemoryError."""
    try:
        return work()
    except MemoryError:
        raise
    except Exception as exc:  # noqa: BLE001 - the edge to someone else's model and index: the stream must go on
        reason = f"{what}: {type(exc).__name__}"
        if not failures[reason]:
            _log.warning("%s failed (logged once; counted from now on)", what, exc_info=exc)
        failures[reason] += 1
        return None


def _work(exchange: Exchange) -> Work:
    return Work(question_text(exchange.question), answer_text(exchange.answer), *parts(exchange))


def _embedded(works: Sequence[Work], embed: Embedder, failures: Failures) -> dict[str, Vectors]:
    """Text → unit vector, over the batch's different texts. A row that is no direction is left out and counted."""
    wanted = (text for work in works for text in (work.question, work.answer, *work.said, *work.given))
    texts = list(dict.fromkeys(text for text in wanted if text))
    if not texts:
        return {}
    rows = unit_vectors(embed(texts), len(texts))
    whole = np.isfinite(rows[:, 0])
    if lost := len(texts) - int(whole.sum()):
        failures["embedder: no numbers"] += lost
    return {text: row for text, row, good in zip(texts, rows, whole, strict=True) if good}


def _own(work: Work, vectors: dict[str, Vectors]) -> dict[str, float]:
    """The signals of an exchange by itself."""
    found = {}
    question, answer = vectors.get(work.question), vectors.get(work.answer)
    if question is not None and answer is not None:
        found["qa_cosine"] = float(question @ answer)
    if work.said and all(text in vectors for text in (*work.said, *work.given)):
        given, spoken = (np.stack([vectors[text] for text in texts]) for texts in (work.given, work.said))
        found["support"] = support(work.said, given, spoken)
    return found


def _beside(
    exchanges: Sequence[Exchange], works: Sequence[Work], vectors: dict[str, Vectors], reviewed: Reviewed
) -> dict[int, dict[str, float]]:
    """Place in the batch → the signals from reviewed answers to like questions."""
    reviewed.refresh()
    places = [i for i, work in enumerate(works) if work.question in vectors]
    if not places:
        return {}
    questions = np.stack([vectors[works[i].question] for i in places])
    near = reviewed.near([exchanges[i].bot for i in places], questions, NEIGHBOURS)
    return {
        i: reviewed_signals(exchanges[i], vectors.get(works[i].answer), neighbours)
        for i, neighbours in zip(places, near, strict=True)
    }


def _rivals(
    exchanges: Sequence[Exchange], works: Sequence[Work], vectors: dict[str, Vectors], recent: Recent
) -> dict[int, float]:
    """Place in the batch → its answer's cosine with the nearest other question, those of the same batch included."""
    asked = [i for i, work in enumerate(works) if work.question in vectors]
    if not asked:
        return {}
    recent.note([exchanges[i] for i in asked], np.stack([vectors[works[i].question] for i in asked]))
    places = [i for i in asked if works[i].answer in vectors]
    if not places:
        return {}
    both = [exchanges[i] for i in places]
    questions = np.stack([vectors[works[i].question] for i in places])
    answers = np.stack([vectors[works[i].answer] for i in places])
    near = zip(recent.cosines(both, answers), recent.cosines(both, questions), strict=True)
    found = {i: rival_cosine(*pair) for i, pair in zip(places, near, strict=True)}
    return {i: rival for i, rival in found.items() if rival is not None}
