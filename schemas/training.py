"""Runs, the gate's record, adapters, and which of them serves."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Identifier, Part, Text

RunState = Literal[
    "started",
    "promoted",  # finished; the challenger serves
    "rejected",  # finished; the champion stays
    "inconclusive",  # finished; not enough evidence, the champion stays
    "held",  # stopped by the data check, before training
    "failed",  # ended by an error; tried again
]
GateOutcome = Literal["promoted", "rejected", "inconclusive"]


class Base(Part, frozen=True, kw_only=True):
    """The one quantised base that champion, challenger and server share."""

    model: Text
    sha256: Annotated[
        Text, Meta(description="Over the names and contents of its weights, configuration and tokenizer.")
    ]
    quantization: Annotated[Text, Meta(description="Such as `nf4-double-bf16`.")]


class DatasetRef(Part, frozen=True, kw_only=True):
    """A data set, exactly: the table's version and what was taken from it."""

    table_version: Count
    sha256: Annotated[Text, Meta(description="Over the sorted label ids of both sides.")]
    train: Annotated[Count, Meta(description="Rows trained on.")]
    eval: Annotated[Count, Meta(description="Rows on the locked side.")]
    labels: Annotated[Count, Meta(description="Distinct training-side labels seen, held-back ones included.")]
    held_back: Annotated[Count, Meta(description="Training-side labels that the data check put aside.")] = 0
    quarantined: Count = 0
    splits: Annotated[
        Count, Meta(description="It saw the bot's first so many decisions of `labels.splits`; what follows is new.")
    ] = 0


class GateTest(Part, frozen=True, kw_only=True):
    """One of the tests of the gate: a mean over locked rows, of paired changes mostly, and whether its bound holds."""

    name: Annotated[Identifier, Meta(description="Which test; later versions of the gate may have others.")]
    n: Count
    mean: float
    interval: Annotated[tuple[float, float], Meta(description="Bootstrap, two-sided, at the stated confidence.")]
    bound: Annotated[float, Meta(description="What the interval's worse end must clear.")]
    higher_is_better: bool
    passed: bool
    explanation: Text


class GateRecord(Part, frozen=True, kw_only=True):
    """Why an adapter was promoted or not: enough to argue with."""

    outcome: GateOutcome
    champion: Text
    challenger: Text
    base: Base
    confidence: float
    seed: int
    tests: tuple[GateTest, ...]
    explanation: Text


class Run(Event, frozen=True, kw_only=True, tag="run/1"):
    """One state of a training run. `id` is the same for all its states: a hash of bot, data set and configuration."""

    state: RunState
    base: Base
    dataset: DatasetRef
    configuration: Annotated[Text, Meta(description="SHA-256 of the recipe's settings.")]
    champion: Annotated[Text, Meta(description="The adapter in service when the run started.")]
    adapter: Annotated[str | None, Meta(description="The challenger, once it is registered.")] = None
    gate: GateRecord | None = None
    metrics: dict[str, float] = {}
    seconds: float | None = None
    reason: Annotated[str | None, Meta(description="Why it was held or failed, in words.")] = None


class AdapterRegistered(Event, frozen=True, kw_only=True, tag="adapter/1"):
    """An immutable adapter in the registry. `id` is its name, `bot@v3`."""

    version: Annotated[int, Meta(ge=1)]
    sha256: Annotated[Text, Meta(description="Over its weights and configuration.")]
    run: Text
    parent: Annotated[str | None, Meta(description="The champion it was trained to beat.")]
    base: Base
    dataset: DatasetRef
    path: Annotated[Text, Meta(description="Relative to the registry.")]


class AdapterAlias(Event, frozen=True, kw_only=True, tag="alias/1"):
    """The champion changes. Ignored unless `expected_previous` is the alias in force: gate and rollback cannot race."""

    alias: Literal["champion"] = "champion"
    adapter: Annotated[Text, Meta(description="`bot@v0` is the bare base model.")]
    expected_previous: Text
    cause: Literal["promoted", "rollback"]
    run: str | None = None
    reason: str | None = None
