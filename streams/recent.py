"""The questions asked lately, as vectors: a local view of `chat.exchanges`, rebuilt from the log at every start.

    recent = RecentQuestions()
    catch_up(recent, cluster, embed, failures)            # at the worker's start: the newest questions, embedded
    tier_one(batch, embed, corpus, failures, recent)      # takes the batch's questions in, and looks at the others

Kept are vectors and hashes, no text. Later on a worker adds the questions that it scores itself: a sample of all, since
conversations are spread over the workers by their hash.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from teachback.schemas import Exchange
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster
from teachback.streams.corpus.corpus import SAY_SECONDS
from teachback.streams.signals.similarity import Embedder, Vectors, unit_vectors
from teachback.streams.signals.texts import question_text
from teachback.streams.signals.tier_one import Failures, attempt

Hashes = NDArray[np.int64]
LIMIT = 2_000  # questions a bot: 3 MB, and a few per cent of the time that embedding takes
AT_ONCE = 128  # questions embedded in one call at the start
TOPIC = "chat.exchanges"
_log = logging.getLogger(__name__)


class RecentQuestions:
    """The newest question of each of a bot's last conversations, at most `limit`. For one thread at a time."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._by_bot: dict[str, _Ring] = {}

    def note(self, exchanges: Sequence[Exchange], questions: Vectors) -> None:
        """Remember these exchanges' questions, unit vectors of shape (n, d). A text that is there is not added again.

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
    """The last vectors, at most `limit`, each of another text and of another conversation; the oldest are overwritten.

    One of a conversation, its newest: or a single customer could push everybody else's questions out.
    """

    def __init__(self, limit: int, dimensions: int) -> None:
        self._vectors: Vectors = np.empty((limit, dimensions), np.float32)
        self._conversations: Hashes = np.empty(limit, np.int64)
        self._texts: Hashes = np.empty(limit, np.int64)
        self._known: set[int] = set()  # texts
        self._places: dict[int, int] = {}  # of conversations
        self._added = 0

    def add(self, text: int, conversation: int, vector: Vectors) -> None:
        if vector.shape != self._vectors.shape[1:]:
            raise ValueError(f"a vector of shape {vector.shape} for questions of {self._vectors.shape[1]} dimensions")
        if text in self._known:
            return
        place = self._places.get(conversation)
        if place is None:
            place, self._added = self._added % len(self._vectors), self._added + 1
            if self._added > len(self._vectors):
                del self._places[int(self._conversations[place])]
                self._known.discard(int(self._texts[place]))
        else:
            self._known.discard(int(self._texts[place]))
        self._vectors[place], self._conversations[place], self._texts[place] = vector, conversation, text
        self._known.add(text)
        self._places[conversation] = place

    @property
    def vectors(self) -> Vectors:
        return self._vectors[: len(self)]

    @property
    def conversations(self) -> Hashes:
        return self._conversations[: len(self)]

    def __len__(self) -> int:
        return min(self._added, len(self._vectors))


def catch_up(
    recent: RecentQuestions, cluster: Cluster, embed: Embedder, failures: Failures, limit: int = LIMIT
) -> None:
    """Take in the newest questions of the log, `limit` exchanges of it at most; says in the log how far it is.

    Customers wrote them: what the embedder can't read is left out and counted in `failures`, with those it came with.
    """
    began = said = time.monotonic()
    exchanges = _newest(cluster, limit)
    while some := list(islice(exchanges, AT_ONCE)):
        attempt("recent", failures, partial(_take_in, recent, some, embed))
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            _log.warning("recent questions: %d embedded after %.0f s", len(recent), said - began)
    _log.info("recent questions: %d", len(recent))


def _take_in(recent: RecentQuestions, exchanges: Sequence[Exchange], embed: Embedder) -> None:
    rows = unit_vectors(embed([question_text(exchange.question) for exchange in exchanges]), len(exchanges))
    whole = np.isfinite(rows[:, 0])
    recent.note([exchange for exchange, good in zip(exchanges, whole, strict=True) if good], rows[whole])


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
