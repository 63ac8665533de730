"""What the demo found, as `report.json`: counted from the topics and the table, not from what was shown.

python -m teachback.infra.demo.report      # writes docs/report.schema.json
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.infra.demo.counts import Tally, counted
from teachback.infra.demo.errors import NotConfirmed
from teachback.infra.demo.script import Asked, Script
from teachback.infra.demo.traffic import Reply
from teachback.infra.harbour import has_figures
from teachback.schemas import Run
from teachback.schemas.wire import Cluster

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the report."""


class Reviews(Part, frozen=True, kw_only=True):
    """What the reviewers did."""

    requests: int
    verdicts: int
    by_decision: dict[str, int]
    by_reviewer: dict[str, int]
    third_opinions: Annotated[int, Meta(description="Items that more than two people judged.")]
    adjudicated: Annotated[int, Meta(description="Items that the adjudicator settled.")]


class Agreement(Part, frozen=True, kw_only=True):
    """How often the first two reviewers agreed."""

    agreed: int
    of: int
    alpha: Annotated[float | None, Meta(description="Krippendorff's alpha over decisions, nominal.")]


class Labels(Part, frozen=True, kw_only=True):
    """What they agreed on."""

    total: int
    by_origin: dict[str, int]
    train: int
    eval: int
    quarantined: int


class TableState(Part, frozen=True, kw_only=True):
    """The Parquet table."""

    version: int
    rows: int
    path: str


class RunReport(Part, frozen=True, kw_only=True):
    """The training run that started by itself."""

    id: str
    state: str
    adapter: str | None
    train: int
    eval: int
    held_back: int
    reason: str | None


class TestReport(Part, frozen=True, kw_only=True):
    """One test of the gate."""

    name: str
    n: int
    mean: float
    interval: tuple[float, float]
    bound: float
    passed: bool
    explanation: str


class GateReport(Part, frozen=True, kw_only=True):
    """The gate's record. `n`, `mean` and `interval` are those of its first test: the change in NLL, nats a token."""

    outcome: str
    n: int
    mean: float
    interval: tuple[float, float]
    explanation: str
    tests: tuple[TestReport, ...]


class Alias(Part, frozen=True, kw_only=True):
    """Which adapter served before and after."""

    before: str
    after: str


class Answer(Part, frozen=True, kw_only=True):
    """One question that was never in the traffic, before and after."""

    question: str
    before: str
    after: str
    reference: str
    taught: Annotated[bool, Meta(description="Whether another wording of it was trained on.")]
    right_before: bool
    right_after: bool


class Recall(Part, frozen=True, kw_only=True):
    """Share of the taught facts whose held-out wording is answered with the right figures."""

    before: float
    after: float
    n: int


class Replays(Part, frozen=True, kw_only=True):
    """Edited questions asked again of the new adapter, and queued for review."""

    asked: int
    queued: int


class Report(Part, frozen=True, kw_only=True):
    """The whole outcome of a demo."""

    title: str
    promoted: bool
    topics: Annotated[dict[str, int], Meta(description="Records on each topic, transaction markers left out.")]
    routes: Annotated[dict[str, int], Meta(description="First decision of each exchange.")]
    reviews: Reviews
    agreement: Agreement
    labels: Labels
    table: TableState
    run: RunReport
    gate: GateReport | None
    alias: Alias
    replays: Replays
    answers: tuple[Answer, ...]
    recall: Recall
    seconds: dict[str, float]
    peak_memory_mb: dict[str, float]


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


def schema() -> str:
    """The JSON Schema of `report.json`."""
    return json.dumps(msgspec.json.schema(Report), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schema, or with `--check` compare it. Returns the exit status."""
    stale = not SCHEMA.exists() or SCHEMA.read_text(encoding="utf-8") != schema()
    if stale and "--check" in arguments:
        sys.stderr.write("docs/report.schema.json is not what the structs say: run `make generate`\n")
        return 1
    if stale:
        SCHEMA.write_text(schema(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
