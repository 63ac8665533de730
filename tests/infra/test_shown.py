"""What commands print: values as they are, and what to do next for the same installation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teachback.infra import supervise
from teachback.infra.supervise import ProcessState
from teachback.schemas.lineage import Lineage
from tests.infra.test_command import Teachback, teachback
from tests.producers.conftest import MockBroker
from tests.trainer.test_alias import V0, V1, V2, alias, folded, registered

__all__ = ["teachback"]


def configure(folder: Path, text: str = "") -> str:
    """A configuration file elsewhere, whose home has a name that markup would swallow."""
    file = folder / "conf" / "t b.toml"
    file.parent.mkdir()
    file.write_text(f'home = "[desk]"\n{text}')
    return str(file)


def serve(monkeypatch: pytest.MonkeyPatch, broker: MockBroker, lineage: Lineage) -> None:
    """Let a lineage be what the log says."""
    monkeypatch.setenv("TEACHBACK_KAFKA_BOOTSTRAP", broker.cluster.bootstrap)
    monkeypatch.setenv("TEACHBACK_BOT", lineage.bot)
    monkeypatch.setattr("teachback.trainer.alias.adapters", lambda *_: lineage)
    monkeypatch.setattr("teachback.trainer.history.runs", lambda *_: [])


@pytest.mark.parametrize("arguments", [("status",), ("doctor",)])
def test_square_brackets_are_no_markup(teachback: Teachback, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _, printed, _ = teachback("--config", configure(tmp_path), *arguments)
    assert str(tmp_path / "conf" / "[desk]") in printed.replace("\n", "").replace(" ", "")


def test_a_topic_of_expertise_is_no_markup(teachback: Teachback) -> None:
    teachback("reviewers", "add", "ann", "--topic", "[green]")
    assert "[green]" in teachback("reviewers", "list")[1]


def test_the_title_of_the_status_is_one_line(teachback: Teachback, tmp_path: Path) -> None:
    _, printed, _ = teachback("--config", configure(tmp_path), "status")
    assert printed.splitlines()[0] == f"support  ({tmp_path / 'conf' / '[desk]'})"


def test_a_configured_kafka_that_is_away_is_the_status(
    teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teachback.infra.status.ANSWER_S", 0.2)
    file = configure(tmp_path, '[kafka]\nbootstrap = "127.0.0.1:9"\n')
    status, printed, _ = teachback("--config", file, "status")
    assert status == 1
    assert "Kafka does not answer at 127.0.0.1:9" in printed
    assert "Nothing runs here" not in printed
    status, printed, _ = teachback("--config", file, "status", "--json")
    assert status == 1
    assert json.loads(printed)["problem"].startswith("Kafka does not answer")


def test_a_home_that_is_a_file_is_the_status(teachback: Teachback, tmp_path: Path) -> None:
    file = configure(tmp_path)
    (tmp_path / "conf" / "[desk]").write_text("")
    status, printed, _ = teachback("--config", file, "status")
    assert status == 1
    assert "is no folder" in printed


def test_status_says_that_a_demo_runs(teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".teachback" / "demo").mkdir(parents=True)
    assert "A demo runs" not in teachback("status")[1]
    monkeypatch.setattr(supervise, "running", lambda installation: installation.home.name == "demo")
    status, printed, _ = teachback("status")
    assert status == 0
    assert "A demo runs: teachback --config .teachback/demo/teachback.toml status" in printed


def test_what_to_do_next_names_the_configuration_that_was_given(teachback: Teachback, tmp_path: Path) -> None:
    file = configure(tmp_path)
    assert f"`teachback --config '{file}' up`" in teachback("--config", file, "status")[1]
    assert f"`teachback --config '{file}' reviewers add NAME`" in teachback("--config", file, "reviewers", "list")[1]
    _, printed, _ = teachback("--config", file, "reviewers", "add", "ann")
    assert f" teachback --config '{file}' review\n" in printed
    assert (tmp_path / "conf" / "[desk]" / "reviewers.toml").exists()


def test_somebody_who_is_known_is_told_that_the_earlier_token_is_void(teachback: Teachback) -> None:
    _, printed, _ = teachback("reviewers", "add", "ann", "--role", "adjudicator", "--topic", "cards")
    assert "earlier token" not in printed
    _, printed, _ = teachback("reviewers", "add", "ann")
    assert "ann was known: the earlier token no longer works" in printed
    assert "ann (adjudicator, cards) reviews with this token" in printed


@pytest.mark.parametrize("arguments", [("add", "bob"), ("remove", "ann")])
def test_a_desk_that_runs_is_restarted_to_know_who_may_review(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert "one that runs elsewhere has to be started again" in teachback("reviewers", "add", "ann")[1]
    done: list[Any] = []
    monkeypatch.setattr(supervise, "states", lambda _: [ProcessState("desk", "running", 7, 1, "")])
    monkeypatch.setattr(supervise, "stop_parts", lambda _, names: done.append(names))
    monkeypatch.setattr(supervise, "start_part", lambda _, name: done.append(name))
    assert "The desk was restarted" in teachback("reviewers", *arguments)[1]
    assert done == [["desk"], "desk"]


@pytest.mark.parametrize(
    ("changes", "champion"),
    [((), V0), ((alias(V1, V0), alias(V2, V1)), V2), ((alias(V1, V0), alias(V0, V1, "rollback")), V0)],
)
def test_the_adapter_in_service_is_marked_and_no_other(
    teachback: Teachback, broker: MockBroker, monkeypatch: pytest.MonkeyPatch, changes: tuple[Any, ...], champion: str
) -> None:
    serve(monkeypatch, broker, folded(registered(V1), registered(V2), *changes))
    _, printed, _ = teachback("adapters", "list")
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("●")] == [champion]


def test_the_bare_base_is_shown_with_when_it_came_back(
    teachback: Teachback, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, broker, folded(registered(V1), alias(V1, V0), alias(V0, V1, "rollback")))
    status, printed, _ = teachback("adapters", "show", V0)
    shown = json.loads(printed)
    assert (status, shown["adapter"]) == (0, {"id": V0, "is": "the bare base model"})
    assert [change["cause"] for change in shown["served"]] == ["rollback"]
    status, _, complained = teachback("adapters", "show", "nobody@v9")
    assert status == 1
    assert f"there is no adapter 'nobody@v9'; there are {V0}, {V1}" in complained


@pytest.mark.parametrize(("state", "said"), [("new", "never started"), ("stopped", "stopped")])
def test_the_state_of_a_node_is_in_words(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch, state: Any, said: str
) -> None:
    from teachback.infra.kafka import node

    monkeypatch.setattr(node, "status", lambda _: node.Status(state=state, bootstrap=None, pid=None))
    assert teachback("kafka", "status") == (3, f"{said}\n", "")
