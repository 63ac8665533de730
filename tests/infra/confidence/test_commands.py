"""`teachback confidence` and `teachback guarantee` at their edges."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from teachback.infra.confidence.standing import standings
from teachback.infra.history import Decisions, History
from teachback.schemas.wire import Cluster
from teachback.streams.calibration.decide import State
from tests.infra.confidence import made
from tests.infra.test_command import Teachback, teachback

__all__ = ["teachback"]
ADAPTER = f"{made.BOT}@v2"


class FakeLog:
    """Answers with the same past whatever is asked."""

    def __init__(self) -> None:
        self.history: History = made.history(1500)
        self.decisions: Decisions = made.decisions(made.certificate())

    def state(self, cluster: Cluster, bot: str, progress: object) -> State:
        return made.state(self.history, self.decisions)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> FakeLog:
    found = FakeLog()
    for command in ("confidence", "guarantee"):
        monkeypatch.setattr(f"teachback.infra.commands.{command}.answering", lambda _: Cluster(bootstrap="nowhere"))
    monkeypatch.setattr("teachback.infra.history.read_history", lambda *_: found.history)
    monkeypatch.setattr("teachback.infra.history.read_decisions", lambda *_: found.decisions)
    monkeypatch.setattr("teachback.infra.status.current_champion", lambda *_: ADAPTER)
    monkeypatch.setattr("teachback.infra.confidence.reading.read_state", found.state)
    monkeypatch.setattr("teachback.infra.confidence.reading.lost_before", lambda _: None)
    monkeypatch.setenv("COLUMNS", "150")
    return found


def test_show_tells_what_is_in_force_and_who_sets_the_threshold(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("confidence", "show")
    assert status == 0
    assert "0.87, set by a certificate: at most 3 % wrong, 95 % sure" in printed
    assert "2, fitted to 900 labels, 310 of them audits; 180 were wrong" in printed
    assert "0.021, the version before on the same answers 0.064" in printed
    places = [printed.index(name) for name in ("qa_cosine", "entropy", "mean_logprob", "hedging", "cut_off")]
    assert places == sorted(places)  # by the size of their weights


def test_show_says_that_the_prior_has_learnt_from_nobody(teachback: Teachback, log: FakeLog) -> None:
    log.decisions = made.decisions(calibrations=0)
    status, printed, _ = teachback("confidence", "show")
    assert status == 0
    assert "0.8, set by policy 1; asked for, and not certified yet: at most 3 % wrong" in printed
    assert "the stated prior" in printed


def test_programs_get_what_is_in_force(teachback: Teachback, log: FakeLog) -> None:
    _, printed, _ = teachback("confidence", "show", "--json")
    (found,) = json.loads(printed)
    assert (found["adapter"], found["certificate"], found["routing"]["threshold"]) == (ADAPTER, "certificate-1", 0.87)
    assert found["quality"]["ece"] == 0.021 and found["terms"][0]["signal"] == "qa_cosine"


def test_another_adapter_with_a_certificate_has_a_part_of_its_own() -> None:
    decided = made.decisions(made.certificate())
    assert [(one.adapter, one.serving) for one in standings(decided, made.BOT, "support@v3")] == [
        ("support@v3", True),
        (ADAPTER, False),
    ]


def test_without_a_policy_show_says_what_to_do(teachback: Teachback, log: FakeLog) -> None:
    log.decisions = Decisions()
    status, _, complained = teachback("confidence", "show")
    assert status == 1 and "`teachback up` publishes one" in complained


@pytest.mark.parametrize("n", [0, 40, 1500])
def test_the_report_is_one_file(teachback: Teachback, log: FakeLog, tmp_path: Path, n: int) -> None:
    log.history = made.history(n)
    status, printed, complained = teachback("confidence", "report", "-o", "out.html", "--since", "7d")
    assert (status, complained) == (0, "")
    assert "written out.html" in printed and f"{n:,} exchanges" in printed
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["out.html"]


@pytest.mark.parametrize(
    ("output", "said"), [("report.png", "end it in .html"), ("nowhere/report.html", "there is no folder 'nowhere'")]
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_read(
    teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, said: str
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    status, _, complained = teachback("confidence", "report", "-o", output)
    assert status == 2 and said in complained


def test_the_guarantee_is_explained_for_each_adapter(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("guarantee")
    assert status == 0
    assert "A promise stands for support@v2" in printed and "No promise stands for support@v1" in printed
    assert "What it does not cover" in printed
    _, alone, _ = teachback("guarantee", "--adapter", ADAPTER)
    assert "support@v1" not in alone
    _, found, _ = teachback("guarantee", "--json")
    assert [one["why"] for one in json.loads(found)] == ["stands", "not yet"]


def test_an_unknown_adapter_is_told_with_those_there_are(teachback: Teachback, log: FakeLog) -> None:
    status, _, complained = teachback("guarantee", "--adapter", "support@v99")
    assert status == 1 and "it knows support@v2, support@v1" in complained


def test_verify_fails_with_a_certificate_that_the_log_does_not_bear_out(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("guarantee", "--verify")
    assert status == 1
    assert "1 not borne out" in printed
    status, found, _ = teachback("guarantee", "--verify", "--json")
    assert status == 1 and json.loads(found)[0]["stated"]["audits"] == 212


def test_verify_is_content_where_there_is_no_certificate(teachback: Teachback, log: FakeLog) -> None:
    log.decisions = made.decisions()
    status, printed, _ = teachback("guarantee", "--verify")
    assert status == 0 and "nothing to recount" in printed


def test_standing_is_kept_by_the_workers_rules() -> None:
    one = made.certificate()
    gone = msgspec.structs.replace(one, id="gone", state="withdrawn")
    (found,) = standings(made.decisions(one, gone), made.BOT, ADAPTER)
    assert (found.certificate, found.routing.certified) == (None, False)
