"""The runs as the log tells them, and the events that a run ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from teachback.schemas.lineage import Lineage
from teachback.schemas.log import Record
from teachback.schemas.training import AdapterAlias, AdapterRegistered, Run
from teachback.trainer import outcome
from teachback.trainer.card import Card
from teachback.trainer.dataset.build import DataCard, Dataset
from teachback.trainer.dataset.conflicts import Conflicts
from teachback.trainer.folder import JobFolder
from teachback.trainer.history import History
from teachback.trainer.spec import JobSpec, RecipeSettings
from tests.trainer.fakes import BASE, BOT, MOMENT, dataset_ref, gate, settings, write_adapter
from tests.trainer.test_registry import made

V0, V1 = f"{BOT}@v0", f"{BOT}@v1"


def run(state: Any = "started", name: str = "run-1", splits: int = 25, **fields: Any) -> Run:
    values: dict[str, Any] = {
        "id": name,
        "bot": BOT,
        "created": MOMENT,
        "state": state,
        "base": BASE,
        "dataset": dataset_ref(splits=splits),
        "configuration": "c" * 64,
        "champion": V0,
    }
    return Run(**(values | fields))


def history(*states: Run) -> History:
    found = History(BOT)
    found.fold(Record(one, BOT, 0, at, 1_000 * at) for at, one in enumerate(states, 1))
    return found


def dataset(stopped: str | None = None, **fields: Any) -> Dataset:
    ref = dataset_ref(**fields)
    card = DataCard(
        dataset=ref,
        checked=True,
        batches=(),
        held_back=(),
        conflicts=Conflicts(contradictions=0, contradicting=(), near_copies=0, copying=()),
        topics={},
        origins={},
        sources={},
        clusters={},
        longest_answer=0,
        labels_sha256="e" * 64,
        reviewers=("r1",),
    )
    return Dataset(ref=ref, train=(), eval=(), card=card, stopped=stopped)


def test_a_run_is_open_until_it_is_over() -> None:
    assert history().open is None
    found = history(run(), run("failed", "run-0"))
    assert found.open is not None and found.open.id == "run-1"
    assert history(run(), run("promoted")).open is None


def test_finished_runs_part_the_labels_and_failed_ones_do_not() -> None:
    found = history(run("held", "a", 10), run("failed", "b", 20), run("rejected", "c", 30), run("started", "d", 40))
    assert found.seen == (10, 30)
    assert found.failed_at is None
    assert history(run("held", "a", 10), run("failed", "b", 20)).failed_at == 20
    assert found.rested(clock=10.0) == 10.0 - 3.0
    assert history().rested() is None


def test_a_failed_run_can_open_again_and_a_finished_one_cannot() -> None:
    again = history(run(), run("failed"), run(), run("promoted"))
    assert again.runs["run-1"].states == ("started", "failed", "started", "promoted")
    late = history(run(), run("promoted"), run())
    assert late.open is None and late.runs["run-1"].states == ("started", "promoted")


def test_another_bot_s_runs_are_passed_over() -> None:
    assert history(run(bot="another")).runs == {}


def test_the_same_data_and_recipe_are_the_same_run(tmp_path: Path) -> None:
    told = settings(tmp_path)
    first, second = (outcome.opened(told, dataset(), BASE, V0, history()) for _ in range(2))
    assert first.id == second.id and first.state == "started"
    other = msgspec.structs.replace(told, recipe=RecipeSettings(rank=8))
    assert outcome.opened(other, dataset(), BASE, V0, history()).id != first.id
    assert outcome.opened(told, dataset(sha256="f" * 64), BASE, V0, history()).id != first.id


def test_a_stopped_data_set_is_held_with_the_reason(tmp_path: Path) -> None:
    held = outcome.opened(settings(tmp_path), dataset("mixed up"), BASE, V0, history())
    assert (held.state, held.reason) == ("held", "mixed up")


def test_a_data_set_that_is_nothing_new_is_held_under_an_id_of_its_own(tmp_path: Path) -> None:
    told = settings(tmp_path)
    done = outcome.opened(told, dataset(), BASE, V0, history())
    past = history(done, msgspec.structs.replace(done, state="rejected"))
    held = outcome.opened(told, dataset(splits=50), BASE, V0, past)
    assert held.state == "held" and held.id != done.id
    assert held.reason == outcome.NOTHING_LEFT


def ended(state: Any = "promoted", lineage: Lineage | None = None) -> Any:
    card = Card(name=V1, version=1, sha256="a" * 64, files={}, provenance=made(gate=gate(state)))
    (view,) = history(run()).runs.values()
    return outcome.finished(view, card, lineage or Lineage(BOT))


def test_a_promotion_is_an_adapter_a_run_and_a_change_of_champion() -> None:
    (_, adapter), (_, state), (_, alias) = ended()
    assert isinstance(adapter, AdapterRegistered) and (adapter.id, adapter.path) == (V1, f"{BOT}/v1")
    assert (state.state, state.adapter, state.gate.challenger) == ("promoted", V1, V1)
    assert isinstance(alias, AdapterAlias) and (alias.adapter, alias.expected_previous) == (V1, V0)


@pytest.mark.parametrize("state", ["rejected", "inconclusive"])
def test_a_loser_is_kept_and_the_champion_stays(state: str) -> None:
    entries = ended(state)
    assert [topic for topic, _ in entries] == ["models.adapters", "training.runs"]
    assert entries[1][1].state == state


def test_a_victory_over_a_former_champion_is_inconclusive() -> None:
    moved = AdapterAlias(id="x", bot=BOT, created=MOMENT, adapter=f"{BOT}@v9", expected_previous=V0, cause="rollback")
    entries = ended(lineage=Lineage(BOT).fold(moved))
    assert [topic for topic, _ in entries] == ["models.adapters", "training.runs"]
    assert entries[1][1].state == "inconclusive" and "came into service in the meantime" in entries[1][1].reason


def test_an_adapter_is_registered_once() -> None:
    (_, adapter), *_ = ended()
    assert [topic for topic, _ in ended(lineage=Lineage(BOT).fold(adapter))] == ["training.runs", "models.adapters"]


def test_a_folder_is_filled_at_once_and_read_when_done(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "run-1")
    assert not folder.filled and not folder.done and folder.attempts == 0 and folder.progress() is None
    spec = JobSpec(run="run-1", bot=BOT, base="b", embedder="e", champion=None, champion_name=V0, challenger_name=V1)
    folder.fill(spec, dataset())
    assert folder.filled and not folder.done
    folder.attempts = 2
    assert JobFolder(tmp_path, "run-1").attempts == 2
    (folder.path / "progress.jsonl").write_bytes(b'{"stage":"train","done":3,"total":9}\n{"stage":"tra')
    progress = folder.progress()
    assert progress is not None and (progress.stage, progress.done) == ("train", 3)
    write_adapter(folder.adapter)
    (folder.path / "gate.json").write_bytes(msgspec.json.encode(gate()))
    assert folder.done
    provenance = outcome.provenance(run(), folder)
    assert (provenance.parent, provenance.reviewers, provenance.metrics) == (V0, ("r1",), {})
