"""Token log-probabilities of FiQA's answers, as if the small base model had said them; minutes, so they are kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.signals_fiqa import Human, Pair
from teachback.schemas import TokenLogprob, TopLogprob

TOKENS = 192  # of an answer; few are longer, and the first say most
TOP = 5
SAVE_EVERY = 200
UNASKED = "Please answer."
Rows = NDArray[np.float16]
"""A row for each token: its log-probability, then those of the likeliest `TOP`."""


class Kept(msgspec.Struct):
    """What was computed so far: `q/a`, the places of question and answer, to rows."""

    file: Path
    rows: dict[str, Rows]

    @classmethod
    def read(cls, file: Path) -> Kept:
        """What the file holds; nothing when there is none."""
        if not file.exists():
            return cls(file, {})
        with np.load(file) as found:
            return cls(file, {name: found[name] for name in found.files})

    def write(self) -> None:
        """Put it all into the file, in one step."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new.npz")
        np.savez_compressed(fresh, **self.rows)  # type: ignore[arg-type]  # its stub takes names for options
        fresh.replace(self.file)


def logprobs(
    base: Path, cache: Path, humans: Sequence[Human], pairs: Sequence[Pair]
) -> dict[tuple[int, int], tuple[TokenLogprob, ...]]:
    """(question, answer) → what a chatbot on the base model would have sent along. Computed where not kept yet."""
    kept = Kept.read(cache / "data" / f"fiqa-logprobs-{base.name}.npz")
    missing = sorted({(p.question, p.answer) for p in pairs if f"{p.question}/{p.answer}" not in kept.rows})
    if missing:
        _compute(base, humans, missing, kept)
    return {(p.question, p.answer): tokens(kept.rows[f"{p.question}/{p.answer}"]) for p in pairs}


def said_unasked(
    base: Path, cache: Path, humans: Sequence[Human], places: Sequence[int]
) -> dict[int, tuple[TokenLogprob, ...]]:
    """Answer → its log-probabilities when the question is none in particular. Computed where not kept yet."""
    kept = Kept.read(cache / "data" / f"fiqa-unasked-{base.name}.npz")
    missing = sorted({(0, place) for place in places if f"0/{place}" not in kept.rows})
    if missing:
        _compute(base, [Human(UNASKED, human.answer) for human in humans], missing, kept)
    return {place: tokens(kept.rows[f"0/{place}"]) for place in places}


def _compute(base: Path, humans: Sequence[Human], missing: Sequence[tuple[int, int]], kept: Kept) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    model.eval()
    began = time.monotonic()
    for done, (question, answer) in enumerate(missing, 1):
        kept.rows[f"{question}/{answer}"] = _rows(tokenizer, model, humans[question].question, humans[answer].answer)
        if done % SAVE_EVERY == 0 or done == len(missing):
            kept.write()
            print(f"log-probabilities: {done} of {len(missing)} answers, {time.monotonic() - began:.0f} s", flush=True)


def _rows(tokenizer: Any, model: Any, question: str, answer: str) -> Rows:
    import torch

    chat = [{"role": "user", "content": question}]
    prompt = tokenizer(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)).input_ids
    said = tokenizer(answer).input_ids[:TOKENS]
    with torch.inference_mode():
        hidden = model.model(torch.tensor([prompt + said])).last_hidden_state[0, len(prompt) - 1 : -1]
        found = model.lm_head(hidden).log_softmax(-1)
    own = found.gather(1, torch.tensor(said)[:, None])
    rows: Rows = torch.cat([own, found.topk(TOP, dim=-1).values], dim=1).numpy().astype(np.float16)
    return rows


def tokens(rows: Rows) -> tuple[TokenLogprob, ...]:
    """The rows as an API would give them."""
    return tuple(
        TokenLogprob(
            token="",
            logprob=float(own),
            top_logprobs=tuple(TopLogprob(token="", logprob=float(each)) for each in top),
        )
        for own, *top in rows.tolist()
    )
