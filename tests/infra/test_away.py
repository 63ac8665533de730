"""Kafka that does not answer is noticed by commands at once, and waited for by parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.infra.away import KafkaAway, answering
from teachback.infra.kafka import identity
from teachback.infra.kafka.identity import Identity
from teachback.infra.settings import SettingsError, load
from tests.producers.conftest import MockBroker

NOWHERE = "127.0.0.1:9"


def stopped_node(home: Path) -> None:
    """A home whose Kafka ran once, and is stopped."""
    (home / "kafka").mkdir(parents=True)
    known = Identity(cluster_id=identity.new_cluster_id(), port=9, controller_port=10, formatted=True)
    identity.write(home / "kafka", known)


def test_a_local_node_that_is_stopped_is_not_asked(tmp_path: Path) -> None:
    stopped_node(tmp_path)
    installation = load(None, {"TEACHBACK_HOME": str(tmp_path)})
    with pytest.raises(KafkaAway, match="stopped here: start it with `teachback up` or `teachback kafka start`"):
        answering(installation, 3600)
    assert installation.cluster.bootstrap == NOWHERE  # parts wait for it


def test_a_local_node_that_never_ran_is_to_be_started(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="teachback kafka start"):
        answering(load(None, {"TEACHBACK_HOME": str(tmp_path)}), 3600)


def test_a_cluster_that_is_away_is_named_with_what_to_do(tmp_path: Path) -> None:
    environ = {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": NOWHERE}
    with pytest.raises(KafkaAway, match=rf"does not answer at {NOWHERE}: .*; start it, or mend `kafka\.bootstrap`"):
        answering(load(None, environ), 0.2)


def test_a_cluster_that_answers_is_given_as_it_is(tmp_path: Path, broker: MockBroker) -> None:
    environ = {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": broker.cluster.bootstrap}
    installation = load(None, environ)
    assert answering(installation) == installation.cluster
