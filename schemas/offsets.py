"""Offsets into a transaction, by a call that comes back or ends the process."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any

from confluent_kafka import Producer, TopicPartition

OVERDUE = os.EX_TEMPFAIL  # 75: whoever supervises starts the process again
GRACE = 5.0  # seconds beyond a call's own limit
log = logging.getLogger(__name__)


def send_offsets(producer: Producer, offsets: Sequence[TopicPartition], group: Any, seconds: float) -> None:
    """`producer.send_offsets_to_transaction`, for at most `seconds`. `group`: the consumer group's metadata.

    librdkafka does not keep to its limit: when the group's coordinator goes away under the call (a broker that is
    killed is enough), the call waits for a change of connection that may not come for ten minutes, in a thread that
    nothing can reach (librdkafka's issues 5456 and 5511, open in 2.16). Then the process ends with status `OVERDUE`.
    That is safe wherever a kill is: the transaction is aborted by whoever comes next. Raises KafkaException.
    """
    with ends_within(seconds + GRACE, "sending offsets to the transaction"):
        producer.send_offsets_to_transaction(list(offsets), group, seconds)


@contextmanager
def ends_within(seconds: float, what: str) -> Iterator[None]:
    """End the process, at once and as it is, when the block is not over after `seconds`."""
    watch = Timer(seconds, _end, (seconds, what))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _end(seconds: float, what: str) -> None:
    log.critical("%s has not come back for %.0f s; this process ends, to be started again", what, seconds)
    sys.stderr.flush()
    os._exit(OVERDUE)
