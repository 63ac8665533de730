"""The report, counted from the topics and the table, not from what was shown."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from teachback.infra.demo.counts import Tally, counted
from teachback.infra.demo.errors import NotConfirmed
from teachback.infra.demo.report import (
    Agreement,
    Alias,
    Answer,
    Confidence,
    GateReport,
    Labels,
    Recall,
    Replays,
    Report,
    Reviews,
    RunReport,
    TableState,
    TestReport,
)
from teachback.infra.demo.script import Asked, Script
from teachback.infra.demo.traffic import Reply
from teachback.infra.harbour import has_figures
from teachback.schemas import Run
from teachback.schemas.wire import Cluster


def table_state(path: Path) -> tuple[TableState, set[str]]:
    """The Delta table's version and rows, and the ids in it. Raises NotConfirmed when an id stands there twice."""
    from deltalake import DeltaTable

    table = DeltaTable(str(path))
    ids = [str(value) for value in table.to_pyarrow_table(columns=["id"]).column("id").to_pylist()]
    if len(ids) != len(set(ids)):
        raise NotConfirmed(f"{path}: {len(ids) - len(set(ids))} labels stand in the table twice")
    return TableState(version=table.version(), rows=len(ids), path=str(path)), set(ids)


def make(
    script: Script,
    cluster: Cluster,
    bot: str,
    table: Path,
    before: Sequence[Reply],
    after: Sequence[Reply],
    seconds: dict[str, float],
    memory: dict[str, float],
) -> Report:
    """Count everything from the topics and the table. Raises NotConfirmed when they do not agree with one another."""
    tally = counted(cluster, bot)
    state, ids = table_state(table)
    if ids != set(tally.labels):
        raise NotConfirmed(f"{len(ids ^ set(tally.labels))} labels are not both on labels.approved and in the table")
    run = decisive_run(tally)
    taught = taught_facts(script, tally)
    answers = _answers(before, after, taught)
    return Report(
        title=script.title,
        promoted=run.state == "promoted",
        topics=dict(tally.records),
        routes=dict(Counter(tally.routes.values())),
        reviews=_reviews(tally),
        agreement=_agreement(tally),
        labels=_labels(tally),
        table=state,
        run=_run(run),
        gate=_gate(run),
        confidence=_confidence(tally),
        alias=Alias(before=run.champion, after=tally.lineage.champion),
        replays=_replays(tally),
        answers=answers,
        recall=_recall(answers, [reply.asked for reply in before]),
        seconds={name: round(value, 1) for name, value in seconds.items()},
        peak_memory_mb={name: round(value) for name, value in memory.items()},
    )


def decisive_run(tally: Tally) -> Run:
    """The first run that ended. Raises NotConfirmed when none did."""
    ended = [run for run in tally.runs.values() if run.state != "started"]
    if not ended:
        raise NotConfirmed("no training run ended; see trainer.log")
    return next((run for run in ended if run.state == "promoted"), ended[0])


def taught_facts(script: Script, tally: Tally) -> set[str]:
    """Facts with at least one label on the training side."""
    known = script.known()
    train = {split.id for split in tally.splits.values() if split.side == "train" and not split.quarantined}
    questions = {label.question for label in tally.labels.values() if label.id in train}
    return {known[question].fact for question in questions if question in known}


def _reviews(tally: Tally) -> Reviews:
    judged = [outcome for outcome in tally.outcomes.values() if outcome.judgments]
    return Reviews(
        requests=len(tally.requests),
        verdicts=len(tally.verdicts),
        by_decision=dict(Counter(tally.verdicts.values())),
        by_reviewer=dict(Counter(judgment.reviewer for outcome in judged for judgment in outcome.judgments)),
        third_opinions=sum(len(outcome.judgments) > 2 for outcome in judged),
        adjudicated=sum(any(j.role == "adjudicator" for j in outcome.judgments) for outcome in judged),
    )


def _agreement(tally: Tally) -> Agreement:
    from teachback.streams.consensus.alpha import reviewer_alpha

    known = [outcome.agreed for outcome in tally.outcomes.values() if outcome.agreed is not None]
    alpha = reviewer_alpha(tally.outcomes.values())
    return Agreement(agreed=sum(known), of=len(known), alpha=None if alpha is None else round(alpha, 3))


def _labels(tally: Tally) -> Labels:
    sides = Counter(split.side for split in tally.splits.values() if not split.quarantined)
    return Labels(
        total=len(tally.labels),
        by_origin=dict(Counter(label.origin for label in tally.labels.values())),
        train=sides["train"],
        eval=sides["eval"],
        quarantined=sum(split.quarantined for split in tally.splits.values()),
    )


def _run(run: Run) -> RunReport:
    data = run.dataset
    return RunReport(
        id=run.id,
        state=run.state,
        adapter=run.adapter,
        train=data.train,
        eval=data.eval,
        held_back=data.held_back,
        reason=run.reason,
    )


def _gate(run: Run) -> GateReport | None:
    if run.gate is None:
        return None
    tests = tuple(
        TestReport(
            name=test.name,
            n=test.n,
            mean=test.mean,
            interval=test.interval,
            bound=test.bound,
            passed=test.passed,
            explanation=test.explanation,
        )
        for test in run.gate.tests
    )
    first = tests[0]
    return GateReport(
        outcome=run.gate.outcome,
        n=first.n,
        mean=first.mean,
        interval=first.interval,
        explanation=run.gate.explanation,
        tests=tests,
    )


def _confidence(tally: Tally) -> Confidence | None:
    newest = tally.calibration
    if newest is None:
        return None
    return Confidence(
        calibration=newest.version,
        labels=newest.labels,
        wrong=newest.wrong,
        ece=newest.quality.ece,
        auroc=newest.quality.auroc,
        ece_before=newest.forerunner.ece if newest.forerunner else None,
        auroc_before=newest.forerunner.auroc if newest.forerunner else None,
    )


def _replays(tally: Tally) -> Replays:
    asked = sum(source == "replay" for source, _ in tally.exchanges.values())
    return Replays(asked=asked, queued=sum(source == "replay" for source in tally.requests.values()))


def _answers(before: Sequence[Reply], after: Sequence[Reply], taught: set[str]) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            question=old.asked.question,
            before=old.answer,
            after=new.answer,
            reference=old.asked.reference,
            taught=old.asked.fact in taught,
            right_before=right(old),
            right_after=right(new),
        )
        for old, new in zip(before, after, strict=False)
    )


def right(reply: Reply) -> bool:
    """Whether an answer states the figures that it should; False where there are none to state."""
    return bool(reply.asked.figures) and has_figures(reply.answer, reply.asked.figures)


def _recall(answers: Sequence[Answer], asked: Sequence[Asked]) -> Recall:
    counted_ones = [a for a, q in zip(answers, asked, strict=False) if a.taught and q.figures]
    n = len(counted_ones)
    share = 1 / n if n else 0.0
    return Recall(
        before=round(sum(a.right_before for a in counted_ones) * share, 3),
        after=round(sum(a.right_after for a in counted_ones) * share, 3),
        n=n,
    )
