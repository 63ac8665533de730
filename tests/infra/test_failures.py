"""What others raise becomes one message with what to do."""

from __future__ import annotations

import errno

import pytest
from confluent_kafka import KafkaError, KafkaException

from teachback.infra.failures import failures, told
from teachback.infra.settings import SettingsError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SettingsError(["one", "two"]), "one\ntwo"),
        (
            KafkaException(KafkaError(KafkaError._TRANSPORT, "broker is down")),
            "Kafka can't be used: broker is down; start it, or mend `kafka.bootstrap`",
        ),
        (
            TimeoutError("training.runs: no end in sight after 30 s"),
            "Kafka does not answer: training.runs: no end in sight after 30 s; start it, or mend `kafka.bootstrap`",
        ),
        (TimeoutError(), "Kafka does not answer: it took too long; start it, or mend `kafka.bootstrap`"),
        (TimeoutError(errno.ETIMEDOUT, "timed out", "/mnt/x"), "/mnt/x: timed out"),
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x/run"),
            "/x/run: Not a directory; a folder is needed there: move the file away, or choose another `home`",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/run"),
            "/x/run: Permission denied; mend its permissions, or choose another `home`",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "/x: No space left on device"),
    ],
)
def test_an_error_that_a_user_can_mend_is_told_in_one_message(error: Exception, message: str) -> None:
    assert isinstance(error, failures())
    assert told(error) == message


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), TypeError("x"), AssertionError("x")])
def test_a_programmers_error_is_none_of_them(error: Exception) -> None:
    assert not isinstance(error, failures())
