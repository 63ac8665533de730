"""Champion and challenger measured on the locked rows, both on the one base; each stage is kept, and done once."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
from peft import PeftModel
from sentence_transformers import SentenceTransformer

from teachback.trainer.encode import Encoded, encode
from teachback.trainer.errors import BadEmbedder
from teachback.trainer.folder import write
from teachback.trainer.gate.decide import Changes
from teachback.trainer.gate.generate import greedy_answers
from teachback.trainer.gate.losses import answer_nll, other_questions, swapped
from teachback.trainer.gate.quality import figures_kept
from teachback.trainer.gate.words import Name
from teachback.trainer.spec import GateSettings, Progress, Row, Stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Side = Literal["champion", "challenger"]
SIDES: tuple[Side, ...] = ("champion", "challenger")
Report = Callable[[Progress], None]
T = TypeVar("T")


class Likelihoods(msgspec.Struct, frozen=True):
    """A model's NLL of each row's answer, in nats a token: behind its own question, and behind another (or none)."""

    own: list[float]
    other: list[float]


class Measured(NamedTuple):
    """What the decision needs, and the levels behind the changes, for people to look at."""

    changes: dict[Name, Changes]
    metrics: dict[str, float]


class Contest:
    """Both models on one base, which takes turns wearing their adapters."""

    def __init__(
        self,
        base: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        adapters: dict[Side, Path | None],
        settings: GateSettings,
        stages: Path,
        report: Report,
    ) -> None:
        self.tokenizer, self.adapters, self.settings = tokenizer, adapters, settings
        self.stages, self.report = stages, report
        self.model = wear(base, {side: path for side, path in adapters.items() if path is not None})

    def likelihoods(self, rows: Sequence[Row]) -> dict[Side, Likelihoods]:
        """Of every row, under both models."""
        own = [encode(self.tokenizer, row) for row in rows]
        others = other_questions([row.leader for row in rows], self.settings.seed)
        asked = own if others is None else own + swapped(own, others)
        found = {side: self._kept(f"nll-{side}", list[float], partial(self._nll, side, asked)) for side in SIDES}
        return {side: Likelihoods(nll[: len(own)], nll[len(own) :]) for side, nll in found.items()}

    def answers(self, rows: Sequence[Row]) -> dict[Side, list[str]]:
        """To every row's question, by both models."""
        prompts = [encode(self.tokenizer, row).prompt for row in rows]
        return {side: self._kept(f"answers-{side}", list[str], partial(self._answer, side, prompts)) for side in SIDES}

    def _nll(self, side: Side, asked: Sequence[Encoded]) -> list[float]:
        with self._wearing(side):
            return answer_nll(
                self.model,
                asked,
                padding=self.tokenizer.pad_token_id,
                batch=self.settings.batch,
                count=self._counter("gate:nll", side, len(asked)),
            )

    def _answer(self, side: Side, prompts: Sequence[list[int]]) -> list[str]:
        with self._wearing(side):
            return greedy_answers(
                self.model,
                self.tokenizer,
                prompts,
                max_new_tokens=self.settings.max_new_tokens,
                batch=self.settings.generate_batch,
                count=self._counter("gate:generate", side, len(prompts)),
            )

    @contextlib.contextmanager
    def _wearing(self, side: Side) -> Iterator[None]:
        if self.adapters[side] is None:
            with self.model.disable_adapter():
                yield
        else:
            self.model.set_adapter(side)
            yield

    def _counter(self, stage: Stage, side: Side, rows: int) -> Callable[[int], None]:
        before = SIDES.index(side) * rows
        return lambda done: self.report(Progress(stage=stage, done=before + done, total=len(SIDES) * rows))

    def _kept(self, name: str, kind: type[T], compute: Callable[[], T]) -> T:
        file = self.stages / f"{name}.json"
        if file.exists():
            return msgspec.json.decode(file.read_bytes(), type=kind)
        found = compute()
        write(file, msgspec.json.encode(found))
        return found


def wear(base: "PreTrainedModel", adapters: dict[Side, Path]) -> PeftModel:
    """The base with adapters to switch among, in float32, as they are served; at least one."""
    (first, path), *others = adapters.items()
    model = PeftModel.from_pretrained(base, str(path), adapter_name=first)
    for side, folder in others:
        model.load_adapter(str(folder), adapter_name=side)
    return model.eval()


def measure(contest: Contest, rows: Sequence[Row], embedder: Path) -> Measured:
    """Every change that the gate decides by. Raises BadEmbedder when the embedder cannot be loaded."""
    likelihoods = contest.likelihoods(rows)
    some = spread(rows, contest.settings.generate_rows)
    answers = contest.answers(some)
    contest.report(Progress(stage="gate:quality", done=0, total=len(some)))
    cosines = {side: likeness(texts, [row.answer for row in some], embedder) for side, texts in answers.items()}
    contest.report(Progress(stage="gate:quality", done=len(some), total=len(some)))
    return compare(rows, some, likelihoods, answers, cosines)


def spread(rows: Sequence[Row], limit: int) -> list[Row]:
    """At most `limit` rows, evenly over the clusters: every cluster's first row, then every second one, and so on."""
    seen: dict[str, int] = {}
    turns = []
    for row in rows:
        turns.append((seen.setdefault(row.leader, 0), row.id))
        seen[row.leader] += 1
    chosen = {name for _, name in sorted(turns)[:limit]}
    return [row for row in rows if row.id in chosen]


def likeness(answers: Sequence[str], references: Sequence[str], embedder: Path) -> list[float]:
    """Cosine of each answer to its reference, by the embedder."""
    try:
        model = SentenceTransformer(str(embedder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise BadEmbedder(f"{embedder}: not a sentence-transformers model: {error}") from error
    left, right = (
        np.asarray(model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False))
        for texts in (answers, references)
    )
    return [float(cosine) for cosine in (left * right).sum(axis=1)]


def compare(
    rows: Sequence[Row],
    some: Sequence[Row],
    likelihoods: dict[Side, Likelihoods],
    answers: dict[Side, list[str]],
    cosines: dict[Side, list[float]],
) -> Measured:
    """What the tests are held on, and both levels; answers and cosines are those of `some` rows. Pure."""
    edited = [index for index, row in enumerate(rows) if row.origin == "edited"]
    numbered = [index for index, row in enumerate(some) if figures_kept("", row.answer) is not None]
    levels: dict[Name, dict[Side, list[float]]] = {
        "superiority": {side: [nll.own[i] for i in edited] for side, nll in likelihoods.items()},
        "question_dependence": {
            side: [other - own for other, own in zip(nll.other, nll.own, strict=False)]
            for side, nll in likelihoods.items()
        },
        "generated_answers": dict(cosines),
        "figures_kept": {
            side: [figures_kept(texts[i], some[i].answer) or 0.0 for i in numbered] for side, texts in answers.items()
        },
    }
    clusters: dict[Name, list[str]] = {
        "superiority": [rows[i].leader for i in edited],
        "question_dependence": [row.leader for row in rows] if likelihoods["champion"].other else [],
        "generated_answers": [row.leader for row in some],
        "figures_kept": [some[i].leader for i in numbered],
    }
    changes = {
        name: Changes([new - old for new, old in zip(of["challenger"], of["champion"], strict=True)], clusters[name])
        for name, of in levels.items()
    }
    changes["answers_belong"] = Changes(levels["question_dependence"]["challenger"], clusters["question_dependence"])
    metrics = {f"{side}_nll_all": float(np.mean(nll.own)) for side, nll in likelihoods.items()} | {
        f"{side}_{name}": float(np.mean(values)) for name, of in levels.items() for side, values in of.items() if values
    }
    return Measured(changes, metrics)
