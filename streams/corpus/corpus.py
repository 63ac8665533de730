"""The index of every bot's reviewed answers, fed from `labels.approved`."""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Protocol

import numpy as np

from teachback.schemas import Label
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster
from teachback.streams.corpus.index import Entry, Index
from teachback.streams.corpus.standing import Standing
from teachback.streams.signals.reading import figures
from teachback.streams.signals.reviewed import Neighbour
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.texts import answer_text, question_text

AT_ONCE = 128  # labels embedded in one call at the start
BURST = 32  # labels embedded in one refresh: those of one batch must not wait for a flood of labels
LIMIT = 50_000  # labels a bot; about 2 KB each
SAY_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Source(Protocol):
    """What is needed of a `Tail` of labels."""

    bad: int

    def catch_up(self) -> Iterator[Record[Label]]: ...
    def poll(self, timeout: float) -> list[Record[Label]]: ...
    def close(self) -> None: ...


def open_corpus(cluster: Cluster, embed: Embedder) -> "Corpus":
    """The corpus of an installation's labels, still empty."""
    return Corpus(Tail(cluster, "labels.approved", (Label,)), embed)


class Corpus:
    """Reviewed answers by question, each bot's by itself. For one thread at a time; `embed` is called in that thread.

    `skipped` counts the labels left out, by reason: no text, or vectors that are no numbers. Records that are no label
    are counted by the source, in `bad`.
    """

    def __init__(self, source: Source, embed: Embedder, limit: int = LIMIT) -> None:
        self._source = source
        self._embed = embed
        self._limit = limit
        self._standing = Standing()
        self._waiting: deque[Label] = deque()
        self._by_bot: dict[str, Index] = {}
        self.skipped: Counter[str] = Counter()

    def catch_up(self) -> None:
        """Read and embed all labels there are; says in the log how far it is. Raises what the embedder raises."""
        began = said = time.monotonic()
        records = self._source.catch_up()
        while some := list(islice(records, AT_ONCE)):
            self._fold(some)
            self._take_in(AT_ONCE)
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                _log.warning("reviewed answers: %d embedded after %.0f s", len(self), said - began)
        while self._waiting:
            self._take_in(AT_ONCE)
        _log.info("reviewed answers: %d of %d bots", len(self), len(self._by_bot))

    def refresh(self) -> None:
        """Take in what has come since, a few labels at most; does not wait. Raises what `embed` raises."""
        if records := self._source.poll(0.0):
            self._fold(records)
        self._take_in(BURST)

    def near(self, bots: Sequence[str], questions: Vectors, count: int) -> list[list[Neighbour]]:
        """For each question its bot's nearest entries, the nearest first. Raises ValueError for another dimension."""
        found: list[list[Neighbour]] = [[] for _ in bots]
        for bot in dict.fromkeys(bots):
            if (index := self._by_bot.get(bot)) is not None:
                places = [i for i, other in enumerate(bots) if other == bot]
                for place, neighbours in zip(places, index.near(questions[places], count), strict=True):
                    found[place] = neighbours
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._source.close()

    @property
    def bad(self) -> int:
        """Records that were no label."""
        return self._source.bad

    def __len__(self) -> int:
        return sum(map(len, self._by_bot.values()))

    def _fold(self, records: Sequence[Record[Label]]) -> None:
        new, gone = self._standing.take(records)
        for bot, label in gone:
            if bot in self._by_bot:
                self._by_bot[bot].remove([label])
        self._waiting.extend(new)

    def _take_in(self, most: int) -> None:
        """Embed the labels that have waited longest. They are taken off first: labels that fail are not tried again."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        labels = [label for label in taken if label.id in self._standing and self._has_text(label)]
        if not labels:
            return
        vectors = self._vectors(labels)
        whole = [label for label in labels if self._has_numbers(label, vectors)]
        for bot in dict.fromkeys(label.bot for label in whole):
            of_bot = [label for label in whole if label.bot == bot]
            questions = np.stack([vectors[question_text(label.question)] for label in of_bot])
            if bot not in self._by_bot:
                self._by_bot[bot] = Index(questions.shape[1], self._limit)
            self._by_bot[bot].add([_entry(label, vectors) for label in of_bot], questions)

    def _has_text(self, label: Label) -> bool:
        if label.question.strip() and label.answer.strip():
            return True
        self.skipped["no text"] += 1
        return False

    def _vectors(self, labels: Sequence[Label]) -> dict[str, Vectors]:
        """Text → unit vector, over the different texts. Raises what the embedder raises; the labels are counted."""
        texts = list(dict.fromkeys(chain.from_iterable(map(_texts, labels))))
        try:
            rows = unit_vectors(self._embed(texts), len(texts))
        except BaseException:
            self.skipped["embedder failed"] += len(labels)
            raise
        return dict(zip(texts, rows, strict=True))

    def _has_numbers(self, label: Label, vectors: dict[str, Vectors]) -> bool:
        if all(np.isfinite(vectors[text]).all() for text in _texts(label)):
            return True
        self.skipped["vectors that are no numbers"] += 1
        return False


def _entry(label: Label, vectors: dict[str, Vectors]) -> Entry:
    _question, *answers = _texts(label)
    halves = [vectors[text].astype(np.float16) for text in answers]
    return Entry(label.id, label.exchange, halves[0], halves[1] if len(halves) > 1 else None, figures(label.answer))


def _texts(label: Label) -> tuple[str, ...]:
    """Question, answer and, where there is one, the rejected answer, as far as they are embedded."""
    rejected = answer_text(label.rejected or "")
    return (question_text(label.question), answer_text(label.answer), *((rejected,) if rejected else ()))
