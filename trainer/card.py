"""Where an adapter comes from, for machines (`card.json`) and for people (`README.md`)."""

import msgspec

from teachback.schemas.training import Base, DatasetRef, GateRecord


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter was made from and how it did; known before it has a name."""

    bot: str
    run: str
    base: Base
    dataset: DatasetRef
    labels_sha256: str
    """Over the sorted ids of the labels that it learnt."""
    reviewers: tuple[str, ...]
    """Whose verdicts stand behind those labels, as the labels name them; sorted."""
    parent: str
    configuration: str
    metrics: dict[str, float] = {}
    gate: GateRecord | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter of the registry."""

    name: str
    version: int
    sha256: str
    """Over the names and contents of `files`."""
    files: dict[str, str]
    """The SHA-256 of each file that peft loads."""
    provenance: Provenance


def model_card(card: Card) -> str:
    """The card as Markdown with the front matter that model hubs read."""
    made, data = card.provenance, card.provenance.dataset
    lines = [
        "---",
        f"base_model: {made.base.model}",
        "library_name: peft",
        "tags: [lora, qlora, teachback]",
        "---",
        f"# {card.name}",
        "",
        f"An adapter for `{made.base.model}` ({made.base.quantization}), trained on what reviewers agreed on. It was "
        f"held against `{made.parent}` on the same quantised base.",
        "",
        "| | |",
        "|---|---|",
        f"| run | `{made.run}` |",
        f"| labels learnt | {data.train} (SHA-256 of their ids `{made.labels_sha256[:16]}…`) |",
        f"| labels on the locked side | {data.eval} |",
        f"| held back by the data check | {data.held_back} |",
        f"| table version | {data.table_version} |",
        f"| reviewers | {', '.join(made.reviewers) or '–'} |",
        f"| base | `{made.base.sha256[:16]}…` |",
        f"| weights and configuration | `{card.sha256[:16]}…` |",
        "",
        *_gate(made.gate),
        *_metrics(made.metrics),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _gate(gate: GateRecord | None) -> list[str]:
    if gate is None:
        return []
    rows = [
        f"| {test.name.replace('_', ' ')} | {test.n} | {test.mean:+.3f} | {test.interval[0]:+.3f} to "
        f"{test.interval[1]:+.3f} | {test.bound:+.3f} | {'yes' if test.passed else 'no'} |"
        for test in gate.tests
    ]
    head = ["| test | n | mean change | interval | bound | passed |", "|---|---|---|---|---|---|"]
    return [f"## Gate: {gate.outcome}", "", gate.explanation, "", *head, *rows, ""]


def _metrics(metrics: dict[str, float]) -> list[str]:
    if not metrics:
        return []
    rows = [f"| {name} | {value:.6g} |" for name, value in sorted(metrics.items())]
    return ["## Metrics", "", "| metric | value |", "|---|---|", *rows, ""]
