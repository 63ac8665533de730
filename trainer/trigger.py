"""When to train: a pure decision over what is labelled, what the last run has seen, and how long ago that was."""

import msgspec

from teachback.trainer.dataset.examples import Examples
from teachback.trainer.settings import TrainerSettings


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision rests on."""

    new: int
    """Training-side examples (latest revision, no copies) that no finished run has seen."""
    clusters: int
    """Different clusters among the new ones."""
    eval: int
    """Examples on the locked side."""
    eval_clusters: int
    """Different clusters among them."""
    rested: float | None = None
    """Seconds since the last run ended; None when there was none."""
    since_failure: int | None = None
    """New examples since the last run failed; None when the last run did not fail."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to start a run, and if not, everything that is missing, in words."""

    start: bool
    counts: Counts
    missing: tuple[str, ...] = ()


def count(usable: Examples, seen: int, rested: float | None = None, failed_at: int | None = None) -> Counts:
    """Counts after the first `seen` decisions were seen by a finished run, and `failed_at` by one that then failed."""
    new = [entry for entry in usable.train if entry.place >= seen]
    return Counts(
        new=len(new),
        clusters=len({entry.leader for entry in new}),
        eval=len(usable.eval),
        eval_clusters=len({entry.leader for entry in usable.eval}),
        rested=rested,
        since_failure=None if failed_at is None else sum(entry.place >= failed_at for entry in new),
    )


def decide(counts: Counts, settings: TrainerSettings) -> Decision:
    """Start when nothing is missing."""
    resting = 0.0 if counts.rested is None else settings.cooldown_seconds - counts.rested
    after_failure = settings.labels_after_failure if counts.since_failure is None else counts.since_failure
    wants = (
        (counts.new, settings.label_threshold, "new training labels"),
        (counts.clusters, settings.min_clusters, "different questions among the new labels"),
        (counts.eval, settings.min_eval, "labels on the locked side"),
        (counts.eval_clusters, settings.gate.min_clusters, "different questions on the locked side"),
        (after_failure, settings.labels_after_failure, "new labels since the last run failed"),
    )
    missing = [f"{have} of {wanted} {what}" for have, wanted, what in wants if have < wanted]
    if resting > 0:
        missing.append(f"{resting:.0f} s of rest after the last run")
    return Decision(start=not missing, counts=counts, missing=tuple(missing))
