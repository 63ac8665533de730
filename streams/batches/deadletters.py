"""Dead letters: what a record that cannot be processed becomes, and when there are too many of them."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from teachback.schemas.topics import MAX_EVENT_BYTES
from teachback.streams.batches.batch import Output, RawRecord, Record
from teachback.streams.batches.errors import BadRecord, TooManyDeadLetters

T = TypeVar("T")

REASON, SOURCE, CUT = "dlq_reason", "dlq_source", "dlq_cut"
REASON_BYTES = 1000  # a header is for reading in a list; the original bytes say the rest
ROOM = 8 << 10  # bytes that reason, origin, key and Kafka's own framing may need
WINDOW = 1000  # records over which the share is taken


def dead_letter(raw: RawRecord, reason: str) -> Output:
    """The record as it came, for `<topic>.dlq`: original key, value and headers, plus reason and origin.

    A value with which it would be larger than Kafka takes is cut, and the header `dlq_cut` has its length.
    """
    source = f"{raw.topic}:{raw.partition}:{raw.offset}"
    headers = [(name, value) for name, value in raw.headers if name not in (REASON, SOURCE, CUT)]
    headers += [(REASON, reason.encode(errors="replace")[:REASON_BYTES]), (SOURCE, source.encode())]
    value, most = raw.value, MAX_EVENT_BYTES - ROOM - sum(len(name) + len(said or b"") for name, said in raw.headers)
    if value is not None and len(value) > most:
        headers.append((CUT, str(len(value)).encode()))
        value = value[:most]
    return Output(f"{raw.topic}.dlq", raw.key, value, headers)


def sort_out(
    records: Sequence[RawRecord], decode: Callable[[Record], T]
) -> tuple[list[tuple[Record, T]], list[Output]]:
    """Decode every record: the good ones with their value, in order, and a dead letter for each of the others."""
    good: list[tuple[Record, T]] = []
    dead: list[Output] = []
    for raw in records:
        if raw.value is None:
            dead.append(dead_letter(raw, "no value (a tombstone) where an event was expected"))
            continue
        record = Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.headers, raw.timestamp)
        try:
            good.append((record, decode(record)))
        except BadRecord as bad:
            dead.append(dead_letter(raw, bad.reason))
    return good, dead


class DeadLetterLimit:
    """Stops a worker before a bad release drains everything into the dead-letter topic.

    Among the last `WINDOW` records at most `share` may be dead letters; records not yet seen count as good, so a
    few bad ones on a quiet topic stop nothing. A batch that goes over the limit is not published at all.
    """

    def __init__(self, share: float, window: int = WINDOW) -> None:
        self.share = share
        self.window = window
        self._allowed = share * window
        self._batches: deque[tuple[int, int]] = deque()  # (records, dead letters), newest last
        self._records = self._dead = 0

    def count(self, records: int, dead: int) -> None:
        """Take a batch into account. Raises TooManyDeadLetters when it goes over the limit."""
        self._batches.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._batches[0][0] >= self.window:
            old_records, old_dead = self._batches.popleft()
            self._records -= old_records
            self._dead -= old_dead
        if self._dead > self._allowed:
            raise TooManyDeadLetters(
                f"{self._dead} of the last {max(self._records, self.window)} records could not be decoded, more than "
                f"the {self.share:.0%} that dead_letter_limit allows; nothing of this batch was published. Look at the "
                "reasons in the dead-letter topic, mend the producer or this release, and start again"
            )
