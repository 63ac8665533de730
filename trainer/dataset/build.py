"""The data set of one run: what it learns, what judges it, and a card that says how it came about.

A data set is a function of the log: the table at a version, the first so many split decisions, the bounds of the runs
that finished before, and the settings of the check. So a run whose folder was lost gets the same rows again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from teachback.schemas.exchange import Message
from teachback.schemas.ids import sha256_of
from teachback.schemas.label import Label
from teachback.schemas.training import DatasetRef
from teachback.trainer.dataset.check import Check, check
from teachback.trainer.dataset.conflicts import Conflicts, conflicts
from teachback.trainer.dataset.embed import Embedder
from teachback.trainer.dataset.examples import Examples
from teachback.trainer.dataset.split import Entry
from teachback.trainer.errors import Stale
from teachback.trainer.spec import Row


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What the data check found among the labels that came between two finished runs."""

    pairs: int
    mismatched: float
    """Estimated share of answers that do not belong to their questions."""
    cut: float
    held_back: int
    newest: bool


class DataCard(msgspec.Struct, frozen=True, kw_only=True):
    """How a data set came about. Ids and numbers only."""

    dataset: DatasetRef
    checked: bool
    batches: tuple[Batch, ...]
    held_back: tuple[str, ...]
    """Ids of the labels put aside by the data check."""
    conflicts: Conflicts
    topics: dict[str, dict[str, int]]
    """Side → topic → rows."""
    origins: dict[str, int]
    sources: dict[str, int]
    clusters: dict[str, int]
    """Side → clusters."""
    longest_answer: int
    """Characters."""
    labels_sha256: str
    """Over the sorted ids of the labels that the run learns."""
    reviewers: tuple[str, ...]
    """Whose verdicts stand behind those labels, as the labels name them; sorted."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, their fingerprint and their card; `stopped` says why the run must not start, if so."""

    ref: DatasetRef
    train: tuple[Row, ...]
    eval: tuple[Row, ...]
    card: DataCard
    stopped: str | None = None


def build(
    usable: Examples,
    labels: Mapping[str, Label],
    *,
    table_version: int,
    splits: int,
    bounds: Sequence[int],
    embed: Embedder,
    checked: bool,
    max_mismatched: float,
) -> Dataset:
    """Build the data set of `usable` examples from the `labels` of the table at `table_version`, by id.

    `bounds`: how many decisions each finished run had seen, ascending; they part the labels into batches.
    Raises Stale when the table has lost a label since it was decided on.
    """
    train, evals = _labels(usable.train, labels), _labels(usable.eval, labels)
    batches = [sum(entry.place >= bound for bound in bounds) for entry in usable.train]
    found = _checked(train, usable.train, batches, embed) if checked else None
    held = set() if found is None else {label.id for label, out in zip(train, found.held, strict=True) if out}
    kept = [(entry, label) for entry, label in zip(usable.train, train, strict=True) if label.id not in held]
    stopped = None if found is None else _stopped(found, len(bounds), max_mismatched)
    learnt = train if stopped else [label for _, label in kept]  # a run that is held is named by all that it was given
    ref = DatasetRef(
        table_version=table_version,
        sha256=sha256_of(["train", *sorted(x.id for x in learnt), "eval", *sorted(x.id for x in evals)]),
        train=len(kept),
        eval=len(evals),
        labels=len(train),
        held_back=len(held),
        quarantined=usable.quarantined,
        splits=splits,
    )
    return Dataset(
        ref=ref,
        train=tuple(_row(label, entry) for entry, label in kept),
        eval=tuple(_row(label, entry) for entry, label in zip(usable.eval, evals, strict=True)),
        card=_card(ref, usable, [label for _, label in kept], evals, held, found, len(bounds), conflicts(train, embed)),
        stopped=stopped,
    )


def _labels(entries: Sequence[Entry], labels: Mapping[str, Label]) -> list[Label]:
    missing = [entry.id for entry in entries if entry.id not in labels]
    if missing:
        raise Stale(
            f"{len(missing)} labels that were decided on are no longer in the table, such as {missing[0]}: "
            "were they erased? The next run will do without them"
        )
    return [labels[entry.id] for entry in entries]


def _checked(train: Sequence[Label], entries: Sequence[Entry], batches: Sequence[int], embed: Embedder) -> Check | None:
    if not train:
        return None
    questions = embed([label.question for label in train])
    answers = embed([label.answer for label in train])
    return check(questions, answers, [entry.leader for entry in entries], batches)


def _stopped(found: Check, newest: int, limit: float) -> str | None:
    batch = found.batches.get(newest)
    if batch is None or batch.mismatched <= limit:
        return None
    return (
        f"about {batch.mismatched:.0%} of the {batch.pairs} new answers do not fit the questions they stand with "
        f"(the limit is {limit:.0%}); were answers and questions mixed up on the way?"
    )


def _row(label: Label, entry: Entry) -> Row:
    return Row(
        id=label.id,
        messages=(*label.messages, Message(role="assistant", content=label.answer)),
        origin=label.origin,
        topic=label.topic,
        leader=entry.leader,
    )


def _card(
    ref: DatasetRef,
    usable: Examples,
    train: Sequence[Label],
    evals: Sequence[Label],
    held: set[str],
    found: Check | None,
    newest: int,
    conflicting: Conflicts,
) -> DataCard:
    checks = {} if found is None else found.batches
    return DataCard(
        dataset=ref,
        checked=found is not None,
        batches=tuple(
            Batch(pairs=one.pairs, mismatched=one.mismatched, cut=one.cut, held_back=one.held, newest=number == newest)
            for number, one in sorted(checks.items())
        ),
        held_back=tuple(sorted(held)),
        conflicts=conflicting,
        topics={"train": _topics(train), "eval": _topics(evals)},
        origins=dict(Counter(label.origin for label in train)),
        sources=dict(Counter(label.source for label in train)),
        clusters={
            "train": len({entry.leader for entry in usable.train if entry.id not in held}),
            "eval": len({entry.leader for entry in usable.eval}),
        },
        longest_answer=max((len(label.answer) for label in train), default=0),
        labels_sha256=sha256_of(sorted(label.id for label in train)),
        reviewers=tuple(sorted({who for label in train for who in label.reviewers})),
    )


def _topics(labels: Sequence[Label]) -> dict[str, int]:
    return dict(sorted(Counter(label.topic or "(none)" for label in labels).items()))
