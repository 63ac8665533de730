"""What goes into the language model and what comes out, as plain values: nothing here needs torch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from teachback.schemas import Message, TokenLogprob

TokenIds = list[int]


class Sampling(NamedTuple):
    """How the next token is chosen. Temperature 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0


class Prompt(NamedTuple):
    """One request for the model. `watch` is called with each new token's id, on the model's thread."""

    messages: tuple[Message, ...]
    max_tokens: int
    watch: Callable[[int], None] | None = None


class Completion(NamedTuple):
    """One answer. `logprobs` has a row for every token of `text`, the end-of-turn token left out."""

    text: str
    logprobs: tuple[TokenLogprob, ...]
    finish_reason: str
    prompt_tokens: int


class LanguageModel(Protocol):
    """A model with adapters. `None` as an adapter's name is the bare base.

    `text` and `count` may be called from any thread; everything else belongs to one thread.
    """

    @property
    def loaded(self) -> frozenset[str]:
        """The adapters that can answer."""

    def load(self, name: str, folder: Path) -> None:
        """Put an adapter beside the base. Raises OSError or ValueError when the folder holds none."""

    def unload(self, name: str) -> None:
        """Forget an adapter."""

    def generate(self, adapter: str | None, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        """The answers of one batch, all by the same adapter."""

    def text(self, ids: TokenIds) -> str:
        """Tokens as text."""

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens the conversation is as a prompt."""
