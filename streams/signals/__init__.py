"""What an exchange says about how far its answer can be trusted, cheapest signals first.

Each signal is a small pure function that returns a number, or None when the exchange can't give it: nothing is guessed,
and the fit has an indicator for what is missing. `tier_zero` is arithmetic on the event; tier one
(`signals.tier_one.tier_one`) is one pass of an embedding model over a batch, a look into the reviewed answers, and
one at the questions asked lately.
"""

from collections.abc import Callable, Mapping

from teachback.schemas import Exchange
from teachback.streams.signals.hedging import hedging, refusal
from teachback.streams.signals.logprobs import entropy, head_logprob, mean_logprob, min_logprob
from teachback.streams.signals.overlap import figures_cited, question_overlap
from teachback.streams.signals.samples import disagreement
from teachback.streams.signals.shape import cut_off, log_words, repetition

Signal = Callable[[Exchange], float | None]

TIER_ZERO: Mapping[str, Signal] = {
    "mean_logprob": mean_logprob,
    "head_logprob": head_logprob,
    "min_logprob": min_logprob,
    "entropy": entropy,
    "log_words": log_words,
    "cut_off": cut_off,
    "repetition": repetition,
    "hedging": hedging,
    "refusal": refusal,
    "disagreement": disagreement,
    "question_overlap": question_overlap,
    "figures_cited": figures_cited,
}
TIER_ONE = ("qa_cosine", "rival_cosine", "support", "near_approved", "near_rejected", "figures_approved")
SIGNALS = (*TIER_ZERO, *TIER_ONE)


def tier_zero(exchange: Exchange) -> dict[str, float]:
    """The tier-zero signals that this exchange has, by name."""
    values = {name: signal(exchange) for name, signal in TIER_ZERO.items()}
    return {name: round(value, 6) for name, value in values.items() if value is not None}
