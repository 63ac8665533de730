"""What the demo found, as `report.json`. `recount` fills it.

python -m teachback.infra.demo.report      # writes docs/report.schema.json
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

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


class Confidence(Part, frozen=True, kw_only=True):
    """The newest calibration on the demo's own traffic, cross-validated; wrong means that people edited or rejected."""

    calibration: int
    labels: int
    wrong: int
    ece: Annotated[float, Meta(description="Expected calibration error, bins of equal mass.")]
    auroc: Annotated[float | None, Meta(description="Absent when all were right, or all wrong.")]
    ece_before: Annotated[float | None, Meta(description="Of the version before (0: the stated prior), on the same.")]
    auroc_before: float | None


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
    confidence: Annotated[Confidence | None, Meta(description="Absent when nothing was fitted.")]
    alias: Alias
    replays: Replays
    answers: tuple[Answer, ...]
    recall: Recall
    seconds: dict[str, float]
    peak_memory_mb: dict[str, float]


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
