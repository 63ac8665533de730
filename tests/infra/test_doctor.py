"""The doctor: one finding for each check, whatever the others find."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.infra import doctor
from teachback.infra.doctor import Check, checks
from teachback.infra.topics import TopicState
from tests.producers.conftest import MockBroker


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the installation's home will be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEACHBACK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def found(name: str) -> Check:
    return {check.name: check for check in checks(None)}[name]


def test_options_that_librdkafka_refuses_are_a_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHBACK_KAFKA_OPTIONS", '{"security.protocl": "SSL"}')
    configuration = found("configuration")
    assert not configuration.good
    assert 'TEACHBACK_KAFKA_OPTIONS: No such configuration property: "security.protocl"' in configuration.finding


def test_a_home_that_is_a_file_is_a_finding_and_ends_no_other_check(home: Path) -> None:
    home.write_text("")
    names = [check.name for check in checks(None)]
    assert names[-5:] == ["disk", "home", "Java", "Kafka", "models"]
    assert not found("home").good
    assert found("home").finding.startswith(f"{home} is no folder")
    assert not found("Kafka").good


def test_a_home_below_a_file_is_one_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text("")
    monkeypatch.setenv("TEACHBACK_HOME", str(home / "below" / "it"))
    assert found("home").finding.startswith(f"{home} is no folder")


def test_a_home_that_is_not_there_yet_is_good(home: Path) -> None:
    assert found("home") == Check("home", True, str(home))
    assert found("Kafka") == Check("Kafka", True, "the local node: never started; `teachback up` starts it")
    assert not home.exists()


def test_a_check_that_fails_is_its_own_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> Check:
        raise PermissionError(13, "Permission denied", "/x")

    monkeypatch.setitem(doctor.OF_THE_INSTALLATION, "Java", fails)
    assert found("Java").finding.startswith("/x: Permission denied; mend")
    assert found("home").good


@pytest.mark.parametrize(
    ("partitions", "good", "said"),
    [
        ((4, 1), True, "all topics are there"),
        ((4, None), False, "1 of 2 topics are missing: `teachback topics apply` or `teachback up` makes them"),
        ((3, 1), False, "not with the configured number of partitions: a; see `teachback topics show`"),
    ],
)
def test_topics_that_are_not_as_they_should_be_are_not_good(
    home: Path,
    broker: MockBroker,
    monkeypatch: pytest.MonkeyPatch,
    partitions: tuple[int | None, ...],
    good: bool,
    said: str,
) -> None:
    monkeypatch.setenv("TEACHBACK_KAFKA_BOOTSTRAP", broker.cluster.bootstrap)
    states = [
        TopicState(name, name, wanted, has, {}) for name, wanted, has in zip("ab", (4, 1), partitions, strict=True)
    ]
    monkeypatch.setattr("teachback.infra.topics.show", lambda *_: states)
    assert found("Kafka") == Check("Kafka", good, f"{broker.cluster.bootstrap} answers; {said}")
