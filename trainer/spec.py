"""The job folder: how a run is handed to the child that trains, and what the child hands back.

The parent writes `job.json`, `train.jsonl` and `eval.jsonl` into a folder and starts `python -m teachback.trainer.job
FOLDER`. The child trains an adapter, holds it against the champion, and leaves:

    adapter/          the challenger: adapter_model.safetensors and adapter_config.json, complete or absent
    metrics.json      numbers of the run, flat: name to number
    gate.json         a `GateRecord`; written last, so that its presence means that the job is done
    progress.jsonl    a line every few seconds, for whoever watches: `Progress`
    checkpoints/, stages/   what a restarted job goes on from

A job that was killed is started again with the same command, and goes on from its last checkpoint or finished stage.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from teachback.schemas.exchange import Message
from teachback.schemas.label import Origin
from teachback.trainer.errors import BadJob

JOB_FILE = "job.json"
ADAPTER_FOLDER = "adapter"
METRICS_FILE = "metrics.json"
GATE_FILE = "gate.json"
PROGRESS_FILE = "progress.jsonl"

PositiveInt = Annotated[int, Meta(gt=0)]
PositiveFloat = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]
Stage = Literal[
    "load",  # the base and its tokenizer
    "train",  # optimiser steps
    "gate:nll",  # likelihood of the reference answers
    "gate:generate",  # greedy answers of champion and challenger
    "gate:quality",  # those answers against the references
    "done",
]


class RecipeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How an adapter is trained. What stands here, and nothing else, is hashed into the run's `configuration`."""

    rank: PositiveInt = 16
    alpha: PositiveInt = 32
    dropout: Fraction = 0.0
    learning_rate: PositiveFloat = 2e-4
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: Annotated[Fraction, Meta(description="Share of the steps over which the rate rises.")] = 0.03
    weight_decay: Annotated[float, Meta(ge=0)] = 0.0
    max_grad_norm: PositiveFloat = 1.0
    epochs: PositiveFloat = 3.0
    retain: Annotated[
        Fraction,
        Meta(description="Share of each target that is the base's own distribution, against false certainty."),
    ] = 0.1
    batch: Annotated[
        PositiveInt, Meta(description="Rows a forward pass: activations, most of the memory, grow with it.")
    ] = 4
    accumulation: Annotated[PositiveInt, Meta(description="Forward passes a step.")] = 2
    max_length: Annotated[
        PositiveInt, Meta(description="Tokens; a longer row is left out on either side, never cut.")
    ] = 1024
    gradient_checkpointing: bool = False
    save_steps: Annotated[PositiveInt, Meta(description="Steps between checkpoints.")] = 25
    patience: Annotated[
        int, Meta(ge=0, description="Epochs without a better loss before stopping early; 0 never stops.")
    ] = 0
    holdout: Annotated[
        Fraction, Meta(description="Share of the training rows that early stopping watches instead of learning.")
    ] = 0.0
    seed: Annotated[int, Meta(ge=0)] = 17


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the challenger has to show. Changes are paired: challenger less champion."""

    confidence: Annotated[float, Meta(gt=0.5, lt=1, description="Of each two-sided bootstrap interval.")] = 0.95
    resamples: PositiveInt = 5_000
    seed: Annotated[int, Meta(ge=0)] = 17
    min_eval: Annotated[PositiveInt, Meta(description="Fewer edited rows than this decide nothing.")] = 30
    min_clusters: Annotated[int, Meta(ge=2, description="Fewer different answers than this decide nothing.")] = 12
    min_nll_gain: Annotated[
        float, Meta(ge=0, description="Nats a token by which the answers that people wrote must become likelier.")
    ] = 0.02
    max_margin_loss: Annotated[
        PositiveFloat, Meta(description="Nats a token of question-dependence that may be lost.")
    ] = 0.05
    min_margin: Annotated[
        float,
        Meta(
            ge=0, description="Nats a token by which an answer must be likelier behind its own question than another."
        ),
    ] = 0.1
    other_questions: Annotated[
        PositiveInt, Meta(description="Questions of other rows behind which each answer's likelihood is taken.")
    ] = 4
    max_cosine_loss: Annotated[
        PositiveFloat, Meta(description="Cosine to the reference that generated answers may lose.")
    ] = 0.05
    max_figures_loss: Annotated[
        PositiveFloat, Meta(description="Share of the reference's figures that generated answers may lose.")
    ] = 0.05
    batch: Annotated[
        PositiveInt, Meta(description="Rows a forward pass, for likelihoods; fewer where they are long.")
    ] = 16
    generate_batch: Annotated[
        PositiveInt, Meta(description="Answers written side by side: each step unpacks the whole base once for all.")
    ] = 64
    max_new_tokens: PositiveInt = 64
    generate_rows: Annotated[
        PositiveInt, Meta(description="At most so many rows are answered afresh: an even sample over the clusters.")
    ] = 64


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One training run, whole: nothing else decides what the child does."""

    run: str
    bot: str
    base: Annotated[str, Meta(description="Folder of the dense base model and its tokenizer.")]
    base_sha256: Annotated[
        str | None, Meta(description="The fingerprint that the base must have; unchecked if absent.")
    ] = None
    embedder: Annotated[str, Meta(description="Folder of a sentence-transformers model.")]
    champion: Annotated[str | None, Meta(description="Folder of the adapter in service; absent for the bare base.")]
    champion_name: str
    challenger_name: str
    train: Annotated[str, Meta(description="Relative to the job folder.")] = "train.jsonl"
    eval: Annotated[str, Meta(description="Relative to the job folder.")] = "eval.jsonl"
    recipe: RecipeSettings = RecipeSettings()
    gate: GateSettings = GateSettings()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its agreed answer. `leader` names the cluster of like questions and answers that it belongs to."""

    id: str
    messages: tuple[Message, ...]
    origin: Origin
    topic: str | None = None
    leader: str

    @property
    def answer(self) -> str:
        """The last message: what the model is to say."""
        return self.messages[-1].content


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `progress.jsonl`: `done` of `total` steps or rows of a stage, and the training loss just then."""

    stage: Stage
    done: int
    total: int
    loss: float | None = None


def read_spec(folder: Path) -> JobSpec:
    """The job in a folder. Raises BadJob when it is absent or malformed."""
    path = folder / JOB_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=JobSpec)
    except (OSError, msgspec.DecodeError) as error:
        raise BadJob(f"{path}: {error}; the parent writes it before it starts the job") from error


def write_spec(folder: Path, spec: JobSpec) -> None:
    """Write a job into an existing folder."""
    (folder / JOB_FILE).write_bytes(msgspec.json.encode(spec))


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSON Lines file, in order. Raises BadJob, naming the line, for one that cannot be used."""
    rows = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadJob(f"{path}: {error}; the parent writes it before it starts the job") from error
    for number, line in enumerate(lines, 1):
        try:
            row = msgspec.json.decode(line, type=Row)
        except msgspec.DecodeError as error:
            raise BadJob(f"{path}, line {number}: {error}") from error
        if len(row.messages) < 2 or row.messages[-1].role != "assistant":
            raise BadJob(f"{path}, line {number}: the last message must be an answer, and something must go before it")
        rows.append(row)
    return rows


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as JSON Lines, the form that `read_rows` reads."""
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
