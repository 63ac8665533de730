"""The questions asked lately, as vectors: a local view of `chat.exchanges`, rebuilt from the log at every start.

    recent = open_recent(cluster, embed)                  # at the worker's start: the newest questions, embedded
    tier_one(batch, embed, corpus, failures, recent)      # takes the batch's questions in, and looks at the others

Kept are vectors and hashes, no text. Later on a worker adds the questions that it scores itself: a sample of all, since
conversations are spread over the workers by their hash.
"""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from teachback.schemas import Exchange
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.texts import question_text

LIMIT = 2_000  # different questions a bot: 3 MB, and a few per cent of the time that embedding takes
AT_ONCE = 128  # questions embedded in one call at the start
TOPIC = "chat.exchanges"
_log = logging.getLogger(__name__)


class RecentQuestions:
    """The last different questions of each bot, at most `limit`. For one thread at a time."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._by_bot: dict[str, _Ring] = {}

    def note(self, exchanges: Sequence[Exchange], questions: Vectors) -> None:
        """Remember these exchanges' questions, unit vectors of shape (n, d). One that is there is not added again.

        Raises ValueError for another dimension than before.
        """
        for exchange, vector in zip(exchanges, questions, strict=True):
            if exchange.bot not in self._by_bot:
                self._by_bot[exchange.bot] = _Ring(self._limit, len(vector))
            self._by_bot[exchange.bot].add(hash(_same_text(exchange)), hash(exchange.conversation), vector)

    def cosines(self, exchanges: Sequence[Exchange], vectors: Vectors) -> list[Vectors]:
        """For each exchange its vector's cosines with the questions of the bot's other conversations, shape (m,).

        `vectors` are unit vectors, shape (n, d). The order of the questions is the same in every call until `note`.
        """
        found: list[Vectors] = [np.empty(0, np.float32)] * len(exchanges)
        for bot in dict.fromkeys(exchange.bot for exchange in exchanges):
            if (ring := self._by_bot.get(bot)) is not None:
                places = [i for i, exchange in enumerate(exchanges) if exchange.bot == bot]
                for place, cosines in zip(places, vectors[places] @ ring.vectors.T, strict=True):
                    found[place] = cosines[ring.conversations != hash(exchanges[place].conversation)]
        return found

    def __len__(self) -> int:
        return sum(map(len, self._by_bot.values()))


class _Ring:
    """The last `limit` vectors, each of another text; the oldest are overwritten."""

    def __init__(self, limit: int, dimensions: int) -> None:
        self._vectors: Vectors = np.empty((limit, dimensions), np.float32)
        self._conversations: NDArray[np.int64] = np.empty(limit, np.int64)
        self._texts: dict[int, int] = {}  # hash of the text → place, the oldest first
        self._added = 0

    def add(self, text: int, conversation: int, vector: Vectors) -> None:
        if text in self._texts:
            return
        place = self._added % len(self._vectors)
        if len(self._texts) == len(self._vectors):
            del self._texts[next(iter(self._texts))]
        self._vectors[place], self._conversations[place], self._texts[text] = vector, conversation, place
        self._added += 1

    @property
    def vectors(self) -> Vectors:
        return self._vectors[: len(self)]

    @property
    def conversations(self) -> NDArray[np.int64]:
        return self._conversations[: len(self)]

    def __len__(self) -> int:
        return len(self._texts)


def open_recent(cluster: Cluster, embed: Embedder, limit: int = LIMIT) -> RecentQuestions:
    """The newest questions in the log, `limit` exchanges of it at most. Raises what the embedder raises."""
    recent = RecentQuestions(limit)
    exchanges = _newest(cluster, limit)
    while some := list(islice(exchanges, AT_ONCE)):
        rows = unit_vectors(embed([question_text(exchange.question) for exchange in some]), len(some))
        whole = np.isfinite(rows[:, 0])
        recent.note([exchange for exchange, good in zip(some, whole, strict=True) if good], rows[whole])
    _log.info("recent questions: %d", len(recent))
    return recent


def _newest(cluster: Cluster, limit: int) -> Iterator[Exchange]:
    """At most `limit` exchanges with a question, about as many of each partition.

    At most, for the end of a busy topic moves on while this reads; and each text once.
    """
    each = max(1, limit // cluster.partitions_of(TOPIC))
    seen: set[tuple[str, str]] = set()
    with Tail(cluster, TOPIC, (Exchange,), newest=each) as tail:
        for record in islice(tail.catch_up(), limit):
            exchange = record.event
            if exchange is None or not exchange.question.strip():
                continue
            if (mark := (exchange.bot, _same_text(exchange))) not in seen:
                seen.add(mark)
                yield exchange


def _same_text(exchange: Exchange) -> str:
    """The question as far as case and space don't matter."""
    return " ".join(question_text(exchange.question).casefold().split())
