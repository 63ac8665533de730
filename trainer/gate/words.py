"""The gate's numbers in words that need no statistics. Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from teachback.schemas.training import GateOutcome
from teachback.trainer.spec import GateSettings

Name = Literal["superiority", "question_dependence", "answers_belong", "generated_answers", "figures_kept"]
Verdict = Literal[
    "passed",  # the whole interval is on the good side of the bound
    "failed",  # the whole interval is on the bad side, or the challenger is broken
    "open",  # the bound lies inside, or there are too few rows or clusters
]


class Evidence(NamedTuple):
    """What a test is judged by: rows, different answers among them, rows where the challenger has no finite number."""

    rows: int
    clusters: int
    broken: int
    mean: float
    ends: tuple[float, float]
    """The interval of the mean."""


CLAIMS: dict[Name, dict[Verdict, str]] = {
    "superiority": {
        "passed": "The new model is less surprised by the answers that people wrote.",
        "failed": "The new model has not learnt enough of what people write: it is about as surprised by it as before.",
        "open": "It cannot be said yet whether the new model is less surprised by the answers that people wrote.",
    },
    "question_dependence": {
        "passed": "Its answers still depend on what was asked.",
        "failed": "It has learnt a tone and not which answer belongs to which question: "
        "what was asked matters less to it than to the old model.",
        "open": "It cannot be said yet whether its answers still depend on what was asked.",
    },
    "answers_belong": {
        "passed": "The reviewed answers belong to their questions, and it can tell.",
        "failed": "To it the reviewed answers fit any question as well as their own: it heeds no question, "
        "or the reviewed answers were mixed up.",
        "open": "It cannot be said yet whether the reviewed answers fit their own questions better than any other.",
    },
    "generated_answers": {
        "passed": "What it answers by itself is no further from the agreed answers in meaning.",
        "failed": "What it answers by itself is further from the agreed answers in meaning.",
        "open": "It cannot be said yet whether what it answers by itself is as near to the agreed answers in meaning.",
    },
    "figures_kept": {
        "passed": "It gets no fewer of the figures right (fees, days, limits).",
        "failed": "It gets fewer of the figures right (fees, days, limits).",
        "open": "It cannot be said yet whether it gets fewer of the figures right (fees, days, limits).",
    },
}

MEASURES: dict[Name, str] = {
    "superiority": "surprise at the agreed answer, in nats a token, lower is better",
    "question_dependence": "how much likelier an answer is behind its own question than another, in nats a token",
    "answers_belong": "how much likelier to it an answer is behind its own question than another, in nats a token",
    "generated_answers": "likeness to the agreed answer, 1 is the same meaning",
    "figures_kept": "share of the agreed answer's numbers, 1 is all of them",
}

LEVELS: frozenset[Name] = frozenset({"answers_belong"})
"""Measures of the challenger by itself. All others are changes from the champion."""

SHORT: dict[Name, str] = {
    "superiority": "learnt what people write",
    "question_dependence": "heeds the question",
    "answers_belong": "tells which answer belongs where",
    "generated_answers": "means the same as people",
    "figures_kept": "keeps the figures",
}


def explain(name: Name, verdict: Verdict, found: Evidence, bound: float, settings: GateSettings) -> str:
    """One test: what it found, on how much, and what was asked for."""
    rows, clusters, broken, mean, ends = found
    if broken:
        return (
            f"The new model is broken: on {broken} of {rows} reviewed rows it gives no finite number, as after a "
            f"training that ran away; a lower learning rate may help ({MEASURES[name]})."
        )
    if rows < settings.min_eval:
        return f"{CLAIMS[name]['open']} Only {rows} reviewed rows can be used for it; {settings.min_eval} are needed."
    if clusters < settings.min_clusters:
        least = settings.min_clusters
        have = f"only {clusters} different answers; {least}"
        if clusters == 1:
            have = f"the same agreed answer; {least} different ones"
        return (
            f"{CLAIMS[name]['open']} Its {rows} reviewed rows have {have} are needed, for rows with one answer are "
            "one witness."
        )
    kind = "Level" if name in LEVELS else "Change"
    demand = f"{'at most' if name == 'superiority' else 'at least'} {bound:+g}"
    return (
        f"{CLAIMS[name][verdict]} {kind} of {mean:+.3f} on {rows} rows with {clusters} different answers, "
        f"{settings.confidence:.0%} sure to be between {ends[0]:+.3f} and {ends[1]:+.3f}; all of that has to be "
        f"{demand} ({MEASURES[name]})."
    )


def summarise(outcome: GateOutcome, champion: str, challenger: str, verdicts: Mapping[Name, Verdict]) -> str:
    """The whole record in two or three sentences."""
    unjudged = "" if "figures_kept" in verdicts else " Figures were not judged: too few different answers have any."
    if outcome == "promoted":
        held = ", ".join(SHORT[name] for name in verdicts)
        return f"{challenger} takes over from {champion}. All tests hold: {held}.{unjudged}"
    if outcome == "rejected":
        failed = ", ".join(SHORT[name] for name, verdict in verdicts.items() if verdict == "failed")
        return f"{challenger} is rejected and {champion} stays, for there is evidence against: {failed}.{unjudged}"
    undecided = ", ".join(SHORT[name] for name, verdict in verdicts.items() if verdict == "open")
    return (
        f"{champion} stays: nothing speaks against {challenger}, but the reviewed rows are too few, have too few "
        f"different answers, or differ too much to be sure of: {undecided}. More reviewed questions on the locked side "
        f"would decide it.{unjudged}"
    )
