"""The events of a run: how it opens, and how it ends. Pure, but for reading the finished job's folder."""

import time

import msgspec

from teachback.schemas.event import now
from teachback.schemas.ids import derived, run_id, sha256_of
from teachback.schemas.lineage import Lineage
from teachback.schemas.training import AdapterAlias, AdapterRegistered, Base, Run
from teachback.trainer.card import Card, Provenance
from teachback.trainer.dataset.build import Dataset
from teachback.trainer.folder import JobFolder
from teachback.trainer.history import FINISHED, History, RunView
from teachback.trainer.ledger import Entries
from teachback.trainer.settings import TrainerSettings

HOPELESS = 2
"""The exit status of a job that would end the same way again."""
NOTHING_LEFT = "the data check held back every new label, so that there is nothing to learn that was not learnt before"


def configuration(settings: TrainerSettings) -> str:
    """The SHA-256 of the recipe's settings."""
    return sha256_of([msgspec.json.encode(settings.recipe, order="deterministic").decode()])


def opened(settings: TrainerSettings, dataset: Dataset, base: Base, champion: str, history: History) -> Run:
    """A run that starts, or one that is held: by the data check, or because nothing new is left after it."""
    ref, stopped, recipe = dataset.ref, dataset.stopped, configuration(settings)
    known = history.runs.get(run_id(settings.bot, ref.sha256, recipe))
    if stopped is None and known is not None and known.last.state in FINISHED:
        stopped = NOTHING_LEFT
        ref = msgspec.structs.replace(ref, sha256=sha256_of([ref.sha256, str(ref.splits)]))
    return Run(
        id=run_id(settings.bot, ref.sha256, recipe),
        bot=settings.bot,
        created=now(),
        state="started" if stopped is None else "held",
        base=base,
        dataset=ref,
        configuration=recipe,
        champion=champion,
        reason=stopped,
    )


def provenance(run: Run, folder: JobFolder) -> Provenance:
    """What the finished job's adapter comes from. Raises BadJob when the folder does not say."""
    data = folder.data_card()
    return Provenance(
        bot=run.bot,
        run=run.id,
        base=run.base,
        dataset=run.dataset,
        labels_sha256=data.labels_sha256,
        reviewers=data.reviewers,
        parent=run.champion,
        configuration=run.configuration,
        metrics=folder.metrics(),
        gate=folder.gate(),
    )


def finished(view: RunView, card: Card, lineage: Lineage) -> Entries:
    """The end of a run that trained: its adapter, its state with the gate's record, and the champion if it won.

    A champion that changed while the run was on (a rollback) was not the one the challenger was held against: then
    the run proves nothing, and is inconclusive.
    """
    run, gate = view.last, card.provenance.gate
    assert gate is not None
    state, reason = gate.outcome, None
    if state == "promoted" and lineage.champion != run.champion:
        state = "inconclusive"
        reason = f"it beat {run.champion}, but {lineage.champion} came into service in the meantime"
    ended = msgspec.structs.replace(
        run,
        created=now(),
        state=state,
        adapter=card.name,
        gate=gate,
        metrics=card.provenance.metrics,
        seconds=round(max(0.0, time.time() - view.began), 3),
        reason=reason,
    )
    adapter = AdapterRegistered(
        id=card.name,
        bot=run.bot,
        created=now(),
        version=card.version,
        sha256=card.sha256,
        run=run.id,
        parent=run.champion,
        base=run.base,
        dataset=run.dataset,
        path=f"{run.bot}/v{card.version}",
    )
    alias = AdapterAlias(
        id=derived("alias", run.id),
        bot=run.bot,
        created=now(),
        adapter=card.name,
        expected_previous=run.champion,
        cause="promoted",
        run=run.id,
    )
    known = card.name in lineage.registered
    entries: Entries = [] if known else [("models.adapters", adapter)]
    entries = [*entries, ("training.runs", ended)]
    return [*entries, ("models.adapters", alias)] if state == "promoted" else entries


def failed(view: RunView, reason: str) -> Run:
    """A run that is given up."""
    seconds = round(max(0.0, time.time() - view.began), 3)
    return msgspec.structs.replace(view.last, created=now(), state="failed", reason=reason, seconds=seconds)
