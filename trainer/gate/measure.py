"""Champion and challenger measured on the locked rows, both on the one base; each stage is kept, and done once."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
from peft import PeftModel
from sentence_transformers import SentenceTransformer

from teachback.trainer.encode import Encoded, Usable, encode_rows
from teachback.trainer.errors import BadEmbedder
from teachback.trainer.folder import write
from teachback.trainer.gate.decide import Changes
from teachback.trainer.gate.generate import greedy_answers
from teachback.trainer.gate.losses import answer_nll, other_questions, swapped
from teachback.trainer.gate.quality import figures_kept
from teachback.trainer.gate.words import Name
from teachback.trainer.spec import JobSpec, Progress, Row, Stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Side = Literal["champion", "challenger"]
SIDES: tuple[Side, ...] = ("champion", "challenger")
Report = Callable[[Progress], None]
T = TypeVar("T")
LIGHTER = 4  # tokens of generation, whose keys and values alone are kept, for each that training bears with gradients


class Likelihoods(msgspec.Struct, frozen=True):
    """A model's NLL of each row's answer, in nats a token: behind its own question, and behind others, their mean.

    `other` is empty where there are none. NaN where the model gave no finite number.
    """

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
        spec: JobSpec,
        stages: Path,
        report: Report,
    ) -> None:
        self.tokenizer, self.adapters, self.settings = tokenizer, adapters, spec.gate
        self.stages, self.report = stages, report
        self.max_length = spec.recipe.max_length
        # Logits of long answers are large, and an answer behind a long question of another row may be longer than
        # any row. What training had room for, with gradients, the gate has room for.
        self.room = spec.recipe.batch * spec.recipe.max_length
        self.model = wear(base, {side: path for side, path in adapters.items() if path is not None})

    def usable(self, rows: Sequence[Row]) -> Usable:
        """The rows that can judge: those that could have been learnt. The same ones at every attempt."""
        return encode_rows(self.tokenizer, rows, self.max_length)

    def likelihoods(self, rows: Sequence[tuple[Row, Encoded]]) -> dict[Side, Likelihoods]:
        """Of every row, under both models."""
        own, most = [tokens for _, tokens in rows], self.settings.other_questions
        others = other_questions([row.leader for row, _ in rows], most, self.settings.seed) or []
        asked = own + swapped(own, others) if others else own
        # msgspec writes NaN and infinities as null.
        measured = partial(self._kept, kind=list[float | None], size=len(asked))
        kept = {side: measured(f"nll-{side}", compute=partial(self._nll, side, asked)) for side in SIDES}
        found = {side: [math.nan if nll is None else nll for nll in of] for side, of in kept.items()}
        return {side: Likelihoods(nll[: len(own)], means(nll[len(own) :], others)) for side, nll in found.items()}

    def answers(self, prompts: Sequence[list[int]]) -> dict[Side, list[str]]:
        """To every prompt, by both models."""
        kept = partial(self._kept, kind=list[str], size=len(prompts))
        return {side: kept(f"answers-{side}", compute=partial(self._answer, side, prompts)) for side in SIDES}

    def _nll(self, side: Side, asked: Sequence[Encoded]) -> list[float]:
        with self._wearing(side):
            return answer_nll(
                self.model,
                asked,
                padding=self.tokenizer.pad_token_id,
                batch=self.settings.batch,
                room=self.room,
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
                room=LIGHTER * self.room,
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

    def _kept(self, name: str, *, kind: type[list[T]], size: int, compute: Callable[[], Sequence[object]]) -> list[T]:
        """What a file holds, computed and written first if it is not there: every attempt reads the same.

        One of another size is of another release, which measured otherwise: it is written anew.
        """
        file = self.stages / f"{name}.json"
        if not file.exists() or len(msgspec.json.decode(file.read_bytes(), type=kind)) != size:
            write(file, msgspec.json.encode(compute()))
        return msgspec.json.decode(file.read_bytes(), type=kind)


def means(values: Sequence[float], groups: Sequence[Sequence[int]]) -> list[float]:
    """The mean of each group's values, which stand one group's after another's."""
    rest = iter(values)
    return [float(np.mean(list(islice(rest, len(group))))) for group in groups]


def wear(base: "PreTrainedModel", adapters: dict[Side, Path]) -> PeftModel:
    """The base with adapters to switch among, in float32, as they are served; at least one."""
    (first, path), *others = adapters.items()
    model = PeftModel.from_pretrained(base, str(path), adapter_name=first)
    for side, folder in others:
        model.load_adapter(str(folder), adapter_name=side)
    return model.eval()


def measure(contest: Contest, rows: Sequence[Row], embedder: Path) -> Measured:
    """Every change that the gate decides by, of the rows that can judge.

    Raises BadEmbedder when the embedder cannot be loaded.
    """
    usable = contest.usable(rows)
    judging = [row for row, _ in usable.rows]
    prompts = {row.id: tokens.prompt for row, tokens in usable.rows}
    likelihoods = contest.likelihoods(usable.rows)
    some = spread(judging, contest.settings.generate_rows)
    answers = contest.answers([prompts[row.id] for row in some])
    contest.report(Progress(stage="gate:quality", done=0, total=len(some)))
    cosines = {side: likeness(texts, [row.answer for row in some], embedder) for side, texts in answers.items()}
    contest.report(Progress(stage="gate:quality", done=len(some), total=len(some)))
    measured = compare(judging, some, likelihoods, answers, cosines)
    return Measured(measured.changes, measured.metrics | {"eval_rows": len(judging)} | usable.counts("eval"))


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
    if not answers:
        return []
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
    changes = {name: paired(of["challenger"], of["champion"], clusters[name]) for name, of in levels.items()}
    changes["answers_belong"] = Changes(levels["question_dependence"]["challenger"], clusters["question_dependence"])
    everything = {f"{side}_nll_all": nll.own for side, nll in likelihoods.items()} | {
        f"{side}_{name}": values for name, of in levels.items() for side, values in of.items()
    }
    metrics = {name: float(np.mean(values)) for name, values in everything.items() if values}
    return Measured(changes, metrics)


def paired(challenger: Sequence[float], champion: Sequence[float], clusters: Sequence[str]) -> Changes:
    """Each row's change. A row is left out where the champion alone has no finite number: there is nothing to compare.

    Where the challenger has none the change is none either, for `decide` to see.
    """
    kept = [
        (new - old, cluster)
        for new, old, cluster in zip(challenger, champion, clusters, strict=True)
        if math.isfinite(old) or not math.isfinite(new)
    ]
    return Changes([change for change, _ in kept], [cluster for _, cluster in kept])
