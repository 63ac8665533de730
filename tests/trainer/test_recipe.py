"""The recipe's own decisions: what is learnt, what is watched, what is taken up again, and the loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch.nn.functional import log_softmax

from teachback.schemas.exchange import Message
from teachback.trainer.base import load_base, load_tokenizer
from teachback.trainer.encode import IGNORED, Encoded
from teachback.trainer.errors import BadJob, BadTemplate
from teachback.trainer.recipe import (
    Collator,
    Encodings,
    adapter_config,
    answer_loss,
    hold_out,
    last_complete,
    learnable,
    train,
)
from teachback.trainer.spec import Progress, RecipeSettings, Row


def rows(clusters: int, each: int = 3) -> list[tuple[Row, Encoded]]:
    messages = (Message(role="user", content="?"), Message(role="assistant", content="!"))
    return [
        (
            Row(id=f"{cluster}-{copy}", messages=messages, origin="edited", leader=str(cluster)),
            Encoded([cluster], [copy, 2]),
        )
        for cluster in range(clusters)
        for copy in range(each)
    ]


def test_early_stopping_watches_whole_clusters() -> None:
    learnt, watched = hold_out(rows(20), RecipeSettings(patience=2, holdout=0.25))
    assert (len(learnt), len(watched)) == (45, 15)
    assert not {row.prompt[0] for row in learnt} & {row.prompt[0] for row in watched}


def test_the_same_clusters_are_watched_after_a_restart() -> None:
    settings = RecipeSettings(patience=2, holdout=0.25)
    assert hold_out(rows(20), settings)[1] == hold_out(rows(20), settings)[1]
    other = msgspec.structs.replace(settings, seed=99)
    assert hold_out(rows(20), settings)[1] != hold_out(rows(20), other)[1]


@pytest.mark.parametrize("settings", [RecipeSettings(), RecipeSettings(holdout=0.25), RecipeSettings(patience=3)])
def test_nothing_is_kept_from_learning_without_early_stopping(settings: RecipeSettings) -> None:
    assert len(hold_out(rows(8), settings)[0]) == 24


def test_a_single_cluster_is_learnt_and_not_watched() -> None:
    learnt, watched = hold_out(rows(1), RecipeSettings(patience=1, holdout=0.9))
    assert (len(learnt), len(watched)) == (3, 0)


def test_the_newest_whole_checkpoint_is_taken_and_half_written_ones_go(tmp_path: Path) -> None:
    for step in (5, 10, 15, 20):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "adapter_model.safetensors").write_bytes(b"weights")
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    (tmp_path / "checkpoint-20" / "trainer_state.json").write_text('{"global_st')
    assert last_complete(tmp_path) == str(tmp_path / "checkpoint-10")
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-5"]


def test_without_checkpoints_training_starts_anew(tmp_path: Path) -> None:
    assert last_complete(tmp_path) is None
    assert last_complete(tmp_path / "nowhere") is None


def test_the_loss_is_that_of_answer_tokens_alone() -> None:
    batch = Collator(padding=0)(
        Encodings([Encoded([1, 2, 3], [4, 5]), Encoded([6], [7])]).__getitem__(i) for i in (0, 1)
    )
    logits = torch.randn(2, batch["logits_to_keep"], 9)
    logp = log_softmax(logits, dim=-1)
    wanted = -(logp[0, 0, 4] + logp[0, 1, 5] + logp[1, 1, 7])
    assert answer_loss(logits, batch["labels"]) == pytest.approx(float(wanted / 3))
    # A step of several forward passes divides by the tokens of all of them.
    assert answer_loss(logits, batch["labels"], torch.tensor(12)) == pytest.approx(float(wanted / 12))
    # No answer stands at a row's first kept position: it is what the first answer token is predicted from.
    assert (batch["labels"][:, 0] == IGNORED).all()


def test_a_share_of_what_is_learnt_is_what_the_base_says() -> None:
    labels = torch.tensor([[IGNORED, 2]])
    logits, base = torch.randn(1, 2, 5), torch.randn(1, 2, 5)
    logp, known = log_softmax(logits[0, 0], dim=-1), base[0, 0].softmax(dim=-1)
    wanted = -0.8 * logp[2] - 0.2 * (known * logp).sum()
    assert answer_loss(logits, labels, base=base, retain=0.2) == pytest.approx(float(wanted))
    assert answer_loss(base, labels, base=base, retain=0.999) < answer_loss(logits, labels, base=base, retain=0.999)


@pytest.mark.model
def test_what_is_retained_is_the_bare_base_and_early_stopping_watches_the_answers_alone(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from teachback.trainer import recipe

    seen: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def spy(
        logits: torch.Tensor, labels: torch.Tensor, tokens: object, base: torch.Tensor | None, retain: float
    ) -> Any:
        seen.append((logits.detach().clone(), base))
        return answer_loss(logits, labels, None, base, retain)

    monkeypatch.setattr(recipe, "answer_loss", spy)
    settings = RecipeSettings(epochs=2, batch=2, learning_rate=0.05, schedule="constant", patience=2, holdout=0.25)
    rows = [talk(index) for index in range(8)]
    train(load_base(tiny_base), load_tokenizer(tiny_base), rows, settings, tmp_path, lambda _: None)
    trained = [(logits, base) for logits, base in seen if base is not None]
    assert len(trained) == 6
    assert len(seen) > len(trained), "nothing was watched"
    first, last = trained[0], trained[-1]
    assert torch.allclose(*first, atol=1e-5), "a fresh adapter changes nothing"
    assert not torch.allclose(*last, atol=1e-2)


def test_adapters_stand_beside_every_linear_layer() -> None:
    config = adapter_config(RecipeSettings(rank=7, alpha=9))
    assert (config.target_modules, config.r, config.lora_alpha) == ("all-linear", 7, 9)


@pytest.mark.model
def test_training_stops_early_and_keeps_the_best_adapter(tiny_base: Path, tmp_path: Path) -> None:
    """A rate so high that the watched loss must get worse: it stops before its time and takes the best epoch's."""
    seen: list[Progress] = []
    trained = train(
        load_base(tiny_base),
        load_tokenizer(tiny_base),
        [talk(index) for index in range(16)],
        RecipeSettings(rank=4, epochs=20, batch=4, learning_rate=0.5, schedule="constant", patience=1, holdout=0.25),
        tmp_path,
        seen.append,
    )
    assert (trained.metrics["train_rows"], trained.metrics["train_rows_watched"]) == (12, 4)
    assert 0 < trained.metrics["train_steps"] < 20 * 3
    assert [progress.done for progress in seen] == list(range(1, len(seen) + 1))


@pytest.mark.model
def test_a_run_that_no_row_is_left_to_says_why(tiny_base: Path) -> None:
    tokenizer = load_tokenizer(tiny_base)
    with pytest.raises(BadJob, match=r"none of 1 training rows is at most 5 tokens long.*raise recipe.max_length"):
        learnable(tokenizer, [talk(1)], max_length=5)
    with pytest.raises(BadJob, match=r"none of 2 .*; 1 cannot be encoded"):
        learnable(tokenizer, [talk(1), talk(2, " ")], max_length=5)
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(BadTemplate, match="row r1: the chat template does not end the answer"):
        learnable(tokenizer, [talk(1), talk(2)], max_length=100)


def talk(index: int, answer: str = "It is free.") -> Row:
    messages = (Message(role="user", content=f"What is number {index}?"), Message(role="assistant", content=answer))
    return Row(id=f"r{index}", messages=messages, origin="edited", leader=f"l{index}")
