"""Adapters are put once, whole, and stay what they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from teachback.trainer import registry as module
from teachback.trainer.card import Card, Provenance
from teachback.trainer.errors import BadRegistry
from teachback.trainer.registry import Registry, fingerprints
from tests.trainer.fakes import BASE, BOT, dataset_ref, gate, write_adapter


def made(run: str = "run-1", **fields: Any) -> Provenance:
    values: dict[str, Any] = {
        "bot": BOT,
        "run": run,
        "base": BASE,
        "dataset": dataset_ref(),
        "labels_sha256": "e" * 64,
        "reviewers": ("r1", "r2"),
        "parent": f"{BOT}@v0",
        "configuration": "f" * 64,
        "metrics": {"train/loss": 1.25},
        "gate": gate(),
    }
    return Provenance(**(values | fields))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", BOT)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return write_adapter(tmp_path / "adapter")


def test_an_adapter_is_kept_with_its_card(registry: Registry, adapter: Path) -> None:
    card = registry.put(adapter, made())
    assert (card.name, card.version) == (f"{BOT}@v1", 1)
    assert registry.card(1) == card
    assert registry.verified(card.name) == registry.path(1)
    kept = {file.name for file in registry.path(1).iterdir()}
    assert kept == {"adapter_config.json", "adapter_model.safetensors", "card.json", "README.md"}
    readme = (registry.path(1) / "README.md").read_text()
    assert readme.startswith("---\nbase_model: tiny\n")
    assert all(part in readme for part in (card.name, "run-1", "r1, r2", "Gate: promoted", "train/loss"))


def test_the_same_run_gets_the_same_version_again(registry: Registry, adapter: Path) -> None:
    assert registry.put(adapter, made()) == registry.put(adapter, made())
    assert registry.next_version() == 2


def test_another_run_gets_the_next_version_and_the_gate_names_it(registry: Registry, adapter: Path) -> None:
    registry.put(adapter, made())
    card = registry.put(adapter, made("run-2"))
    assert card.name == f"{BOT}@v2"
    assert card.provenance.gate is not None and card.provenance.gate.challenger == card.name


def test_the_hash_covers_weights_and_configuration(tmp_path: Path, registry: Registry, adapter: Path) -> None:
    first = registry.put(adapter, made())
    weights = registry.put(write_adapter(tmp_path / "b", b"other"), made())
    (adapter / "adapter_config.json").write_text(json.dumps({"r": 2}))
    config = registry.put(adapter, made())
    assert len({first.sha256, weights.sha256, config.sha256}) == 3
    assert [card.version for card in registry.cards()] == [1, 2, 3]


def test_a_crash_before_the_rename_leaves_no_version(
    registry: Registry, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(_: Card) -> str:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, "model_card", dies)
        registry.put(adapter, made())
    assert list(registry.cards()) == []
    assert registry.put(adapter, made()).version == 1


def test_whoever_finds_the_version_taken_takes_the_next(
    registry: Registry, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer puts v1 between the look and the rename."""
    real = Registry._place

    def late(self: Registry, source: Path, card: Card) -> bool:
        monkeypatch.setattr(Registry, "_place", real)
        other = self.put(source, made("another run"))
        assert other.version == card.version
        return real(self, source, card)

    monkeypatch.setattr(Registry, "_place", late)
    card = registry.put(adapter, made("this run"))
    assert card.version == 2
    assert [one.provenance.run for one in registry.cards()] == ["another run", "this run"]


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_half_an_adapter_is_refused(registry: Registry, adapter: Path, missing: str) -> None:
    (adapter / missing).unlink()
    with pytest.raises(BadRegistry, match="no adapter"):
        registry.put(adapter, made())
    assert registry.next_version() == 1


def test_a_changed_file_is_named(registry: Registry, adapter: Path) -> None:
    card = registry.put(adapter, made())
    (registry.path(1) / "adapter_model.safetensors").write_bytes(b"tampered")
    with pytest.raises(BadRegistry, match=r"adapter_model\.safetensors is not what its card says"):
        registry.verified(card.name)


@pytest.mark.parametrize("name", ["other@v1", f"{BOT}@vx", BOT])
def test_a_name_of_no_adapter_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(BadRegistry, match="names look like"):
        registry.verified(name)


def test_a_missing_adapter_is_named(registry: Registry, adapter: Path) -> None:
    registry.put(adapter, made())
    shutil.rmtree(registry.path(1))
    with pytest.raises(BadRegistry, match=r"card\.json"):
        registry.verified(f"{BOT}@v1")


def test_fingerprints_do_not_depend_on_other_files(adapter: Path) -> None:
    before = fingerprints(adapter)
    (adapter / "README.md").write_text("hello")
    assert fingerprints(adapter) == before
