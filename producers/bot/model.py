"""The language model: one quantised base, adapters on top of it, and batched generation that can be watched.

All but `text` and `count` runs on one thread, the batcher's. Quantisation is the one that training and the gate use
(NF4, double quantisation): an adapter is only ever judged, and only ever serves, on the same base.
"""

import ctypes
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from teachback.producers.bot.shapes import Completion, Prompt, Sampling, TokenIds
from teachback.schemas import Message, TokenLogprob, TopLogprob
from teachback.schemas.turns import control_tokens, turns

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


class ChatModel:
    """The model and its adapters. `None` as an adapter's name is the bare base."""

    def __init__(self, base: Path, top_logprobs: int) -> None:
        # float32 arithmetic on the CPU: an answer must not depend on what else is in its batch, and bfloat16's rounding
        # flips a greedy choice now and then when the batch changes the order of sums.
        self._dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        quantization = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=self._dtype,
        )
        self._tokenizer: Any = AutoTokenizer.from_pretrained(base, padding_side="left")
        # Padding is a state of the tokenizer, and it must not change while another thread uses it.
        self._unpadded: Any = deepcopy(self._tokenizer)
        self._control = control_tokens(self._unpadded)
        self._base: Any = AutoModelForCausalLM.from_pretrained(
            base, quantization_config=quantization, dtype=self._dtype, device_map="auto" if _cuda() else None
        )
        self._base.train(False)
        if not _cuda():  # the same numbers, unpacked once instead of for every token: a third quicker
            self._base = self._base.dequantize()  # type: ignore[no-untyped-call]
        _give_back_memory()
        self._model: Any = self._base
        self._loaded: set[str] = set()
        self._top = top_logprobs
        self._ends = _end_tokens(self._tokenizer, self._base.generation_config)

    @property
    def loaded(self) -> frozenset[str]:
        """The adapters that can answer."""
        return frozenset(self._loaded)

    def load(self, name: str, folder: Path) -> None:
        """Put an adapter beside the base, under its name. Raises OSError or ValueError when the folder holds none."""
        from peft import PeftModel

        if name in self._loaded:
            return
        _require_adapter(folder)  # peft changes the base's modules before it reads the weights
        if self._loaded:
            self._model.load_adapter(str(folder), adapter_name=_module_name(name))
        else:
            self._model = PeftModel.from_pretrained(self._base, str(folder), adapter_name=_module_name(name)).eval()
        self._loaded.add(name)

    def unload(self, name: str) -> None:
        """Forget an adapter. The last one stays, because peft keeps at least one."""
        if name in self._loaded and len(self._loaded) > 1:
            self._model.delete_adapter(_module_name(name))
            self._loaded.discard(name)

    def generate(self, adapter: str | None, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        """The answers of one batch, all by the same adapter."""
        if adapter is not None:
            self._model.set_adapter(_module_name(adapter))
            return self._generate(prompts, sampling)
        if self._loaded:
            with self._model.disable_adapter():
                return self._generate(prompts, sampling)
        return self._generate(prompts, sampling)

    @torch.inference_mode()
    def _generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        texts = [self._render(prompt.messages) for prompt in prompts]
        inputs = self._tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(
            self._base.device
        )
        probe = Probe(self._top)
        watcher = Watcher(probe, prompts, self._ends)
        self._model.generate(
            **inputs,
            generation_config=self._config(prompts, sampling),
            logits_processor=LogitsProcessorList([probe]),
            stopping_criteria=StoppingCriteriaList([watcher]),
        )
        _give_back_memory()
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        return [self._completion(watcher, row, length) for row, length in enumerate(lengths)]

    def _config(self, prompts: Sequence[Prompt], sampling: Sampling) -> GenerationConfig:
        sampled = sampling.temperature > 0
        choice = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=max(prompt.max_tokens for prompt in prompts),
            pad_token_id=self._tokenizer.pad_token_id,
            eos_token_id=sorted(self._ends),
            **(choice if sampled else {"do_sample": False}),
        )

    def _render(self, messages: Sequence[Message]) -> str:
        said = turns(messages, self._control)
        text: str = self._unpadded.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        return text

    def _completion(self, watcher: "Watcher", row: int, prompt_tokens: int) -> Completion:
        ids, rows = watcher.tokens[row], watcher.logprobs[row]
        finished = bool(ids) and ids[-1] in self._ends
        if finished:
            ids, rows = ids[:-1], rows[:-1]
        logprobs = tuple(self._token_logprob(token, own, top) for token, (own, top) in zip(ids, rows, strict=True))
        return Completion(self.text(ids), logprobs, "stop" if finished else "length", prompt_tokens)

    def text(self, ids: TokenIds) -> str:
        """Tokens as text."""
        text: str = self._unpadded.decode(ids, skip_special_tokens=True)
        return text.strip()

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens the conversation is as a prompt."""
        return len(self._unpadded(self._render(messages), add_special_tokens=False)["input_ids"])

    def _token_logprob(self, token: int, own: float, top: list[tuple[int, float]]) -> TokenLogprob:
        alternatives = tuple(TopLogprob(token=self._word(i), logprob=round(value, 4)) for i, value in top)
        return TokenLogprob(token=self._word(token), logprob=round(own, 4), top_logprobs=alternatives)

    def _word(self, token: int) -> str:
        word: str = self._tokenizer.decode([token])
        return word


class Probe(LogitsProcessor):
    """Sees the raw distribution of each step, before temperature, and keeps its log-probabilities for the watcher."""

    def __init__(self, top: int) -> None:
        self._top = top
        self.logprobs = torch.empty(0)
        self.top: list[list[tuple[int, float]]] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Keep the step's log-probabilities; change nothing."""
        self.logprobs = torch.log_softmax(scores.float(), dim=-1)
        values, ids = self.logprobs.topk(self._top, dim=-1)
        self.top = [list(zip(i, v, strict=True)) for i, v in zip(ids.tolist(), values.tolist(), strict=True)]
        return scores


class Watcher(StoppingCriteria):
    """Collects each row's tokens as they come, tells whoever watches, and ends a row at its own limit."""

    def __init__(self, probe: Probe, prompts: Sequence[Prompt], ends: frozenset[int]) -> None:
        self._probe, self._prompts, self._ends = probe, prompts, ends
        self._done = [False] * len(prompts)
        self.tokens: list[TokenIds] = [[] for _ in prompts]
        self.logprobs: list[list[tuple[float, list[tuple[int, float]]]]] = [[] for _ in prompts]

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Which rows are done, as a tensor of booleans, shape (rows,)."""
        chosen = input_ids[:, -1]
        own = self._probe.logprobs.gather(1, chosen[:, None])[:, 0].tolist()
        for row, token in enumerate(chosen.tolist()):
            if not self._done[row]:
                self._take(row, token, own[row])
        return torch.tensor(self._done, device=input_ids.device)

    def _take(self, row: int, token: int, own: float) -> None:
        prompt = self._prompts[row]
        self.tokens[row].append(token)
        self.logprobs[row].append((own, self._probe.top[row]))
        self._done[row] = token in self._ends or len(self.tokens[row]) >= prompt.max_tokens
        if prompt.watch is not None and token not in self._ends:
            prompt.watch(token)


def _end_tokens(tokenizer: Any, generation: Any) -> frozenset[int]:
    ends = generation.eos_token_id
    listed = ends if isinstance(ends, list) else [] if ends is None else [ends]
    return frozenset(int(token) for token in (*listed, tokenizer.eos_token_id) if token is not None)


def _require_adapter(folder: Path) -> None:
    """Raises OSError or ValueError when an adapter's files are not there, or not whole."""
    if not (folder / ADAPTER_CONFIG).is_file():
        raise FileNotFoundError(f"{folder} holds no {ADAPTER_CONFIG}")
    try:
        with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as weights:
            names = list(weights.keys())
    except SafetensorError as exc:
        raise ValueError(f"{folder / ADAPTER_WEIGHTS} can't be read: {exc}") from exc
    if not names:
        raise ValueError(f"{folder / ADAPTER_WEIGHTS} holds no weights")


def _module_name(adapter: str) -> str:
    """peft makes module names of adapter names, in which a dot would be a separator."""
    return adapter.replace(".", "_")


def _give_back_memory() -> None:
    """glibc keeps the pages of what was freed: dense weights after quantising, a batch's cache after its answers."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _cuda() -> bool:
    return torch.cuda.is_available()
