"""What the trainer must be told: where things are, when to train, and how."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier
from teachback.schemas.wire import Cluster
from teachback.trainer.spec import GateSettings, RecipeSettings

Positive = Annotated[int, Meta(gt=0)]
Seconds = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class TrainerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One trainer: one bot, one table, one line of adapters."""

    bot: Identifier
    cluster: Cluster
    table: Annotated[str, Meta(description="The Delta table of labels: a local folder.")]
    registry: Annotated[Path, Meta(description="Adapters stand at `<registry>/<bot>/v<N>`.")]
    work: Annotated[Path, Meta(description="This bot's job folders and caches; may be deleted between runs.")]
    base: Annotated[Path, Meta(description="Folder of the dense base model and its tokenizer.")]
    embedder: Annotated[Path, Meta(description="Folder of a sentence-transformers model.")]
    split_salt: Annotated[str, Meta(min_length=8, description="Secret of the split: it decides new clusters' sides.")]

    label_threshold: Annotated[Positive, Meta(description="New training-side labels that start a run.")] = 120
    min_clusters: Annotated[Positive, Meta(description="Different questions or answers among the new ones.")] = 20
    min_eval: Annotated[Positive, Meta(description="Rows that the locked side must have.")] = 30
    cooldown_seconds: Annotated[Seconds, Meta(description="Rest after a run.")] = 0.0
    labels_after_failure: Annotated[
        Positive, Meta(description="New training-side labels, after a failed run, before another is tried.")
    ] = 20

    eval_share: Annotated[float, Meta(gt=0, lt=1, description="Share of the clusters on the locked side.")] = 0.25
    same_question: Annotated[Share, Meta(description="Cosine from which two questions are the same.")] = 0.9

    data_check: bool = True
    max_mismatched: Annotated[
        Share, Meta(description="Estimated share of mismatched pairs in a batch that holds the run.")
    ] = 0.5

    max_attempts: Annotated[Positive, Meta(description="Starts of a job that ends by an error.")] = 4
    retry_seconds: Annotated[Seconds, Meta(description="Rest before the second attempt; doubles each time.")] = 2.0
    heartbeat_seconds: Annotated[
        float, Meta(gt=0, description="How often the trainer makes sure that no other has taken its place.")
    ] = 3.0

    recipe: RecipeSettings = RecipeSettings()
    gate: GateSettings = GateSettings()
