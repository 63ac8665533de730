"""The errors of the micro-batch transport, and how a worker ends itself."""

import logging
import os
import sys
from typing import NoReturn

log = logging.getLogger(__name__)

EXIT_UNEXPECTED = 70  # sysexits.h EX_SOFTWARE: nothing was committed; start again
EXIT_BAD_INPUT = 65  # sysexits.h EX_DATAERR: too many dead letters; look before starting again


class BatchError(Exception):
    """Anything that goes wrong in a batch.

    BatchError
    ├── BadRecord            one record cannot be processed: it becomes a dead letter, its neighbours go on
    ├── TooManyDeadLetters   so many records are bad that the input or this release must be: the worker stops
    ├── DeliveryFailed       outputs did not reach Kafka: nothing is committed, the worker exits
    ├── StaleBatch           the partition was rewound meanwhile: the batch is dropped, and will be read again
    ├── HeadAbandoned        a batch was left behind by its agent: the worker exits
    ├── SeekFailed           the consumer could not go back to the beginning: the worker exits, unless after a rebalance
    ├── WrongVersion         Faust or aiokafka is not the version whose private names were checked
    └── MissingCodec         aiokafka cannot read a compression that producers may use
    """


class BadRecord(BatchError):
    """Raised by a `decode` function. The reason stands in the dead letter's header: say what was wrong and where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyDeadLetters(BatchError):
    """More dead letters among the last records than the settings allow."""


class DeliveryFailed(BatchError):
    """Kafka did not confirm the outputs of a batch."""


class StaleBatch(BatchError):
    """The batch belongs to an earlier epoch."""


class HeadAbandoned(BatchError):
    """A later batch of the partition is done and an earlier one is not."""


class SeekFailed(BatchError):
    """The consumer could not go back to the beginning of partitions that have no committed offset."""


class WrongVersion(BatchError):
    """A pinned library has another version."""


class MissingCodec(BatchError):
    """A compression library is not installed."""


def leave(code: int, why: str) -> NoReturn:
    """End the process at once, without returning through Faust, which could commit on its way out."""
    log.critical("%s; exiting with code %d", why, code, exc_info=sys.exc_info()[0] is not None)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
