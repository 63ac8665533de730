"""The gate on a base of two layers: odd and long rows, a broken challenger, and what a second attempt reads."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
import torch

from teachback.schemas.exchange import Message
from teachback.schemas.training import Base
from teachback.trainer.base import load_base, load_tokenizer, unpacked
from teachback.trainer.encode import Encoded
from teachback.trainer.gate import losses
from teachback.trainer.gate.decide import decide
from teachback.trainer.gate.measure import Contest, Measured, measure
from teachback.trainer.spec import GateSettings, JobSpec, Progress, RecipeSettings, Row
from tests.tiny import write_adapters

pytestmark = pytest.mark.model
RECIPE = RecipeSettings(batch=2, max_length=200)
GATE = GateSettings(resamples=200, max_new_tokens=4, generate_rows=3, min_eval=4, min_clusters=4)


def row(name: str, answer: str = "It costs £5.") -> Row:
    messages = (Message(role="user", content=f"What is {name}?"), Message(role="assistant", content=answer))
    return Row(id=name, messages=messages, origin="edited", leader=name)


ORDINARY = [row(f"r{index}") for index in range(6)]
LONG, ODD = row("long", "word " * 300), row("odd", " ")


@pytest.fixture(scope="module")
def adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapters(tmp_path_factory.mktemp("registry"), tiny_base, ("bot@v1",))["bot@v1"]


@pytest.fixture
def contest(tiny_base: Path, adapter: Path, embedder: Path, tmp_path: Path) -> Contest:
    spec = JobSpec(
        run="run-1",
        bot="bot",
        base=str(tiny_base),
        embedder=str(embedder),
        champion=None,
        champion_name="bot@v0",
        challenger_name="bot@v1",
        recipe=RECIPE,
        gate=GATE,
    )
    (tmp_path / "stages").mkdir()
    return Contest(
        unpacked(load_base(tiny_base)),
        load_tokenizer(tiny_base),
        {"champion": None, "challenger": adapter},
        spec,
        tmp_path / "stages",
        Said(),
    )


class Said(list[Progress]):
    """Progress as it was reported."""

    def __call__(self, progress: Progress) -> None:
        self.append(progress)


def judged(contest: Contest, rows: list[Row], embedder: Path) -> tuple[Measured, str]:
    """What was measured, and the outcome."""
    measured = measure(contest, rows, embedder)
    base = Base(model="tiny", sha256="0" * 64, quantization="nf4")
    return measured, decide(measured.changes, GATE, champion="bot@v0", challenger="bot@v1", base=base).outcome


def test_odd_and_long_rows_are_left_out_and_a_second_attempt_reads_the_same(
    contest: Contest, embedder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [LONG, *ORDINARY[:3], ODD, *ORDINARY[3:]]
    first = measure(contest, rows, embedder)
    assert first.changes["superiority"].clusters == [one.leader for one in ORDINARY]
    assert first.metrics["eval_rows"] == 6
    assert (first.metrics["eval_rows_too_long"], first.metrics["eval_rows_unencodable"]) == (1, 1)
    monkeypatch.setattr(Contest, "_wearing", None)  # so that anything measured again would raise
    assert measure(contest, rows, embedder) == first


def test_a_stage_of_a_release_that_asked_fewer_questions_is_measured_anew(contest: Contest) -> None:
    asked = contest.usable(ORDINARY).rows
    first = contest.likelihoods(asked)
    (contest.stages / "nll-champion.json").write_bytes(msgspec.json.encode([9.0] * 12))
    assert contest.likelihoods(asked) == first


def test_no_pass_holds_more_than_training_had_to_bear(contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[list[int]] = []

    def spy(model: object, rows: list[Encoded], padding: int) -> list[float]:
        passes.append([len(one) for one in rows])
        return [1.0] * len(rows)

    monkeypatch.setattr(losses, "batch_nll", spy)
    rows = [*ORDINARY, *(row(f"longish{index}", "word " * 120) for index in range(4))]
    contest.likelihoods(contest.usable(rows).rows)
    room = RECIPE.batch * RECIPE.max_length
    assert max(max(lengths) for lengths in passes) > 120
    assert all(len(lengths) * max(lengths) <= room for lengths in passes)
    assert isinstance(contest.report, Said)
    done = [progress.done for progress in contest.report]
    assert (done, done[-1]) == (sorted(done), contest.report[-1].total)
    assert contest.report[-1].total == 2 * (1 + GATE.other_questions) * len(rows)


def test_with_no_row_left_nothing_is_decided(contest: Contest, embedder: Path) -> None:
    measured, outcome = judged(contest, [LONG, ODD], embedder)
    assert outcome == "inconclusive"
    assert measured.metrics == {"eval_rows": 0, "eval_rows_too_long": 1, "eval_rows_unencodable": 1}


@pytest.fixture
def broken(contest: Contest) -> Contest:
    """The same with a challenger whose training ran away."""
    for name, weight in contest.model.named_parameters():
        if "lora_B.challenger" in name:
            with torch.no_grad():
                weight.fill_(math.nan)
    return contest


def test_a_broken_challenger_is_rejected_also_at_the_second_attempt(broken: Contest, embedder: Path) -> None:
    for _ in range(2):
        measured, outcome = judged(broken, ORDINARY, embedder)
        assert outcome == "rejected"
        assert math.isfinite(measured.metrics["champion_superiority"])
        assert not math.isfinite(measured.metrics["challenger_superiority"])
    kept = msgspec.json.decode((broken.stages / "nll-challenger.json").read_bytes())
    assert kept == [None] * (1 + GATE.other_questions) * 6
