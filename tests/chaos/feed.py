"""Numbers into the source topic, in transactions, some of which are aborted: their numbers must never come out."""

from __future__ import annotations

import threading
import time

import msgspec
from confluent_kafka import KafkaException, Producer

from teachback.schemas.wire import Cluster, producer_config
from tests.chaos.worker import GARBAGE, Number

CHUNK = 200
EVERY_ABORTED = 20  # one chunk in so many is written twice, and the first time aborted
EVERY_GARBAGE = 500  # one record in so many is no JSON
PADDING = "x" * 150


class Feed(threading.Thread):
    """Writes the numbers 0 … records - 1, at `rate` a second, exactly once whatever happens to the broker.

    Aborted chunks carry numbers from `records` upwards. A chunk is written again only when its transaction is known to
    be aborted; until the outcome is known, the commit is asked for again.
    """

    def __init__(self, bootstrap: str, topic: str, records: int, rate: float) -> None:
        super().__init__(name="feed", daemon=True)
        self._topic = topic
        self._records = records
        self._rate = rate
        config = producer_config(Cluster(bootstrap=bootstrap)) | {"transactional.id": f"feed-{topic}", "log_level": 0}
        self._producer = Producer(config)
        self.aborted = 0

    def run(self) -> None:
        """Feed it all."""
        self._producer.init_transactions(60)
        started = time.monotonic()
        for chunk, start in enumerate(range(0, self._records, CHUNK)):
            if chunk % EVERY_ABORTED == 0:
                self._abort(start)
            self._commit(start)
            ahead = (start + CHUNK) / self._rate - (time.monotonic() - started)
            time.sleep(max(0.0, ahead))

    def _write(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            key = f"k{number % 1009}".encode()
            bad = number % EVERY_GARBAGE == EVERY_GARBAGE // 2
            value = GARBAGE + str(number).encode() if bad else msgspec.json.encode(Number(number, PADDING))
            self._producer.produce(self._topic, value, key)

    def _abort(self, start: int) -> None:
        self._producer.begin_transaction()
        self._write(self._records + start, CHUNK // 2)
        self._producer.flush(60)
        self._abandon()
        self.aborted += CHUNK // 2

    def _abandon(self) -> None:
        while True:
            try:
                return self._producer.abort_transaction(60)
            except KafkaException as exc:
                if not exc.args[0].retriable():
                    raise

    def _commit(self, start: int) -> None:
        self._producer.begin_transaction()
        self._write(start, min(CHUNK, self._records - start))
        while True:
            try:
                self._producer.commit_transaction(60)
                return
            except KafkaException as exc:
                error = exc.args[0]
                if error.retriable():
                    continue
                if not error.txn_requires_abort():
                    raise
                self._abandon()
                self._producer.begin_transaction()
                self._write(start, min(CHUNK, self._records - start))
