"""Signals of pairs, by the scoring leg's own functions and its own index of reviewed answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.signals_fiqa import Human, Pair
from teachback.schemas import Exchange, Label, Message, TokenLogprob
from teachback.schemas.log import Record
from teachback.streams.corpus import Corpus
from teachback.streams.recent import RecentQuestions
from teachback.streams.signals import SIGNALS, tier_zero
from teachback.streams.signals.reviewed import Neighbour
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.texts import question_text
from teachback.streams.signals.tier_one import tier_one

BOT = "fiqa"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
Floats = NDArray[np.float64]
Logprobs = Mapping[tuple[int, int], tuple[TokenLogprob, ...]]


class Remembered:
    """An embedder that embeds each text once."""

    def __init__(self, embed: Embedder) -> None:
        self._embed = embed
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        fresh = list(dict.fromkeys(text for text in texts if text not in self._known))
        if fresh:
            self._known |= dict(zip(fresh, self._embed(fresh), strict=True))
        return np.stack([self._known[text] for text in texts])


class Labels:
    """A topic of labels that ends: questions with the answers that people gave, and what they rejected, if anything."""

    bad = 0

    def __init__(self, humans: Mapping[int, Human], rejected: Mapping[int, str] | None = None) -> None:
        refused = rejected or {}
        self._labels = [_label(place, human, refused.get(place)) for place, human in humans.items()]

    def catch_up(self) -> Iterator[Record[Label]]:
        """All of them."""
        return iter([Record(label, label.id, 0, offset, 0) for offset, label in enumerate(self._labels)])

    def poll(self, _timeout: float) -> list[Record[Label]]:
        """Nothing more comes."""
        return []

    def close(self) -> None:
        """Nothing to let go of."""


class Without(NamedTuple):
    """The corpus without the labels of some exchanges: a training exchange must not find its own answer in it."""

    corpus: Corpus
    hidden: Collection[str]

    def refresh(self) -> None:
        """Nothing comes."""

    def near(self, bots: Sequence[str], questions: Vectors, count: int) -> list[list[Neighbour]]:
        """As the corpus, less the hidden ones."""
        found = self.corpus.near(bots, questions, count + len(self.hidden))
        return [[each for each in near if each.exchange not in self.hidden][: count + 1] for near in found]


def corpus(humans: Sequence[Human], places: Sequence[int], embed: Embedder) -> Corpus:
    """The index of these questions' right answers."""
    made = Corpus(Labels({place: humans[place] for place in places}), embed)
    made.catch_up()
    return made


class Asked:
    """The questions asked lately, all of them before any is scored."""

    def __init__(self, exchanges: Sequence[Exchange], embed: Embedder) -> None:
        self._recent = RecentQuestions()
        if exchanges:
            texts = [question_text(each.question) for each in exchanges]
            self._recent.note(exchanges, unit_vectors(embed(texts), len(texts)))

    def note(self, exchanges: Sequence[Exchange], questions: Vectors) -> None:
        """Nothing new is asked."""

    def cosines(self, exchanges: Sequence[Exchange], vectors: Vectors) -> list[Vectors]:
        """With the questions of other conversations."""
        return self._recent.cosines(exchanges, vectors)


def rows(
    humans: Sequence[Human],
    pairs: Sequence[Pair],
    embed: Embedder,
    reviewed: Corpus,
    logprobs: Logprobs,
    asked: float = 1.0,
) -> Floats:
    """The signals of each pair, shape (pairs, signals), nan where missing. Raises RuntimeError if any pass failed.

    For questions of the test half nothing is hidden: none of their answers are in the corpus. The questions asked
    lately are this share of those of `pairs`, by lot. With all of them, the question that a wrong answer belongs to is
    always among them.
    """
    failures: Counter[str] = Counter()
    found = []
    hidden = hidden_labels(pairs)
    recent = Asked(_lately(humans, pairs, asked), embed)
    for pair in pairs:
        exchange = _exchange(humans, pair, logprobs.get((pair.question, pair.answer)))
        seen = Without(reviewed, hidden[pair.question])
        signals = tier_zero(exchange) | tier_one([exchange], embed, seen, failures, recent)[0]
        found.append([signals.get(name, np.nan) for name in SIGNALS])
    if failures:
        raise RuntimeError(f"signals failed: {dict(failures)}")
    return np.array(found)


def _lately(humans: Sequence[Human], pairs: Sequence[Pair], share: float) -> list[Exchange]:
    places = np.random.default_rng(len(pairs)).permutation(sorted({pair.question for pair in pairs}))
    return [_exchange(humans, Pair(place, place, "right"), None) for place in places[: round(share * len(places))]]


def hidden_labels(pairs: Sequence[Pair]) -> dict[int, set[str]]:
    """Question → the exchanges whose labels none of its pairs may find: its own, and where its wrong answers come from.

    The same for right and wrong answers: what is hidden for wrong ones alone would give them away.
    """
    hidden: dict[int, set[str]] = {}
    for pair in pairs:
        hidden.setdefault(pair.question, {_name(pair.question)}).add(_name(pair.answer))
    return hidden


def exchanges_of(humans: Sequence[Human]) -> list[Exchange]:
    """Each question with its right answer."""
    return [_exchange(humans, Pair(place, place, "right"), None) for place in range(len(humans))]


def _exchange(humans: Sequence[Human], pair: Pair, logprobs: tuple[TokenLogprob, ...] | None) -> Exchange:
    return Exchange(
        id=f"{_name(pair.question)}-{pair.kind}",
        bot=BOT,
        created=WHEN,
        conversation=_name(pair.question),
        messages=(Message(role="user", content=humans[pair.question].question),),
        answer=humans[pair.answer].answer,
        model="human",
        adapter=f"{BOT}@v0",
        logprobs=logprobs,
    )


def _label(place: int, human: Human, rejected: str | None) -> Label:
    right = _exchange([human], Pair(0, 0, "right"), None)
    return Label(
        id=f"label-{place}",
        bot=BOT,
        created=WHEN,
        exchange=_name(place),
        conversation=_name(place),
        revision=1,
        messages=right.messages,
        answer=human.answer,
        origin="edited",
        adapter=right.adapter,
        source="batch",
        reviewers=("a", "b"),
        rejected=rejected,
    )


def _name(place: int) -> str:
    return f"q{place}"
