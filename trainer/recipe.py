"""QLoRA, read from top to bottom: an NF4 base that stays as it is, small float32 matrices beside every linear layer.

    rows → prompt and answer tokens → batches of like length → loss on answer tokens alone → AdamW → adapter

What is learnt are the agreed answers, and a little of what the base says in their place: see `answer_loss`.

The recipe is QLoRA's (Dettmers et al. 2023, arXiv:2305.14314): NF4, double quantisation, LoRA (Hu et al. 2021,
arXiv:2106.09685) on all linear layers but the output's; on CUDA, bfloat16 compute and paged AdamW.
`transformers.Trainer` runs the steps and writes checkpoints; a run that was killed goes on from the last complete one,
with the same order of rows.
The same file trains 135 M parameters on two CPU cores and 70 B on GPUs: what differs stands in the settings.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from teachback.trainer.encode import IGNORED, Encoded, Usable, collate, encode_rows
from teachback.trainer.errors import BadJob
from teachback.trainer.spec import Progress, RecipeSettings, Row

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Report = Callable[[Progress], None]
OPTIMIZER = {"cuda": "paged_adamw_32bit", "cpu": "adamw_torch"}


class Trained(NamedTuple):
    """An adapter around its base, and the numbers of its training."""

    model: PeftModel
    metrics: dict[str, float]


def train(
    base: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Row],
    settings: RecipeSettings,
    checkpoints: Path,
    report: Report,
) -> Trained:
    """Train a fresh adapter on rows, or go on from the last complete checkpoint in the folder.

    Raises what `learnable` raises.
    """
    usable = learnable(tokenizer, rows, settings.max_length)
    learnt, watched = hold_out(usable.rows, settings)
    set_seed(settings.seed)  # the adapter's first weights
    model = get_peft_model(base, adapter_config(settings))
    trainer = Retaining(
        settings.retain,
        model=model,
        args=arguments(settings, checkpoints, early=bool(watched)),
        train_dataset=Encodings(learnt),
        eval_dataset=Encodings(watched) if watched else None,
        data_collator=Collator(tokenizer.pad_token_id),
        callbacks=[Reporter(report), *([EarlyStoppingCallback(settings.patience)] if watched else [])],
    )
    trainer.remove_callback(PrinterCallback)  # losses go to `report`, not to the log
    outcome = trainer.train(resume_from_checkpoint=last_complete(checkpoints))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return Trained(
        model,
        {
            "train_rows": len(learnt),
            "train_rows_watched": len(watched),
            **usable.counts("train"),
            "train_steps": outcome.global_step,
            "train_loss_first": losses[0],
            "train_loss_last": losses[-1],
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        },
    )


def learnable(tokenizer: "PreTrainedTokenizerBase", rows: Sequence[Row], max_length: int) -> Usable:
    """The rows to learn from, at least one.

    Raises BadTemplate or BadRow, the first row's, when none can be encoded, and BadJob when none of the others fits.
    """
    usable = encode_rows(tokenizer, rows, max_length)
    if usable.rows:
        return usable
    if usable.refused and not usable.too_long:
        raise usable.refused[0]
    raise BadJob(
        f"none of {len(rows)} training rows is at most {max_length} tokens long; {len(usable.refused)} cannot be "
        "encoded, and for the others raise recipe.max_length"
    )


def hold_out(rows: Sequence[tuple[Row, Encoded]], settings: RecipeSettings) -> tuple[list[Encoded], list[Encoded]]:
    """What is learnt, and what early stopping watches: whole clusters, chosen by a hash, so that no answer is in both.

    Nothing is watched without `patience`; the locked side is never looked at here.
    """
    if not settings.patience or not settings.holdout:
        return [tokens for _, tokens in rows], []
    leaders = sorted({row.leader for row, _ in rows}, key=lambda leader: _hash(settings.seed, leader))
    watched = set(leaders[: round(len(leaders) * settings.holdout)])
    if not watched or len(watched) == len(leaders):
        return [tokens for _, tokens in rows], []
    learnt = [tokens for row, tokens in rows if row.leader not in watched]
    return learnt, [tokens for row, tokens in rows if row.leader in watched]


def _hash(seed: int, leader: str) -> str:
    return hashlib.sha256(f"{seed}\0{leader}".encode()).hexdigest()


def adapter_config(settings: RecipeSettings) -> LoraConfig:
    """LoRA beside every linear layer but the output's: where they stand matters more than their rank (QLoRA, §4)."""
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def arguments(settings: RecipeSettings, checkpoints: Path, *, early: bool) -> TrainingArguments:
    """The settings in the Trainer's words. With `early`, the watched loss decides at each epoch's end."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulation,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim=OPTIMIZER[device],
        use_cpu=device == "cpu",
        bf16=device == "cuda",
        gradient_checkpointing=settings.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        prediction_loss_only=True,
        logging_steps=1,
        save_strategy="epoch" if early else "steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        eval_strategy="epoch" if early else "no",
        load_best_model_at_end=early,
        metric_for_best_model="loss" if early else None,
        seed=settings.seed,
        data_seed=settings.seed,
        report_to="none",
        disable_tqdm=True,
    )


class Encodings(Dataset[dict[str, Any]]):
    """Rows as the Trainer wants them; it groups them by the length of `input_ids`."""

    def __init__(self, rows: Sequence[Encoded]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        return {"input_ids": row.prompt + row.answer, "encoded": row}


class Collator:
    """A batch as the model takes it: logits are computed only where an answer stands."""

    def __init__(self, padding: int) -> None:
        self.padding = padding

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, Any]:
        batch = collate([feature["encoded"] for feature in features], self.padding)
        tensors = {name: torch.tensor(values) for name, values in batch._asdict().items()}
        return {**tensors, "logits_to_keep": batch.keep}


class Retaining(Trainer):
    """The Trainer, which also asks the base alone at each step: what it says is a share `retain` of what is learnt."""

    def __init__(self, retain: float, **of: Any) -> None:
        super().__init__(**of, compute_loss_func=self._answer_loss)
        self._retain = retain
        self._base: torch.Tensor | None = None

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a forward pass, with the outputs when asked for."""
        if self._retain and model.training:
            asked = {name: values for name, values in inputs.items() if name != "labels"}
            with torch.no_grad(), self.accelerator.unwrap_model(model).disable_adapter():
                self._base = model(**asked).logits
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def _answer_loss(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        base, self._base = self._base, None
        return answer_loss(outputs.logits, labels, num_items_in_batch, base, self._retain)


def answer_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    tokens: torch.Tensor | int | None = None,
    base: torch.Tensor | None = None,
    retain: float = 0.0,
) -> torch.Tensor:
    """Cross-entropy over answer tokens in float32, in nats a token over the whole step, however it was split up.

    Logits, the adapter's and the base's: (rows, keep, vocabulary); labels: (rows, keep), of the same trailing
    positions. Each target is the answer's token, less a share `retain`, which is the base's own distribution: a small
    model that learns facts by heart becomes sure of everything, also of what it was never taught, and so it stays as
    unsure there as it was (learning without forgetting: Li and Hoiem 2016, arXiv:1606.09282).
    """
    targets = labels[:, 1:]
    wanted = targets != IGNORED
    learnt = logits[:, :-1][wanted].float()
    total = cross_entropy(learnt, targets[wanted], reduction="sum")
    if base is not None:
        known = base[:, :-1][wanted].float().softmax(dim=-1)
        total = (1 - retain) * total + retain * cross_entropy(learnt, known, reduction="sum")
    return total / (wanted.sum() if tokens is None else tokens)


class Reporter(TrainerCallback):
    """Hands on each step's loss."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Called by the Trainer after each step."""
        if logs and "loss" in logs:
            self.report(Progress(stage="train", done=state.global_step, total=state.max_steps, loss=logs["loss"]))


def last_complete(checkpoints: Path) -> str | None:
    """The newest checkpoint that was written to its end; half-written ones are removed. None when there is none."""
    found: list[tuple[int, Path]] = []
    for folder in checkpoints.glob("checkpoint-*"):
        try:
            # The Trainer writes this file last, so that it stands for all the others.
            step = json.loads((folder / "trainer_state.json").read_bytes())["global_step"]
        except (OSError, ValueError, KeyError):
            shutil.rmtree(folder)
        else:
            found.append((step, folder))
    return str(max(found)[1]) if found else None
