"""What an exchange says about how far its answer can be trusted, cheapest signals first.

Each signal is a small pure function that returns a number, or None when the exchange can't give it. `tier_zero` is
arithmetic on the event; `similarity` (tier one) needs an embedding model and is computed for a whole batch.
"""

from teachback.schemas import Exchange
from teachback.streams.signals.logprobs import entropy, mean_logprob, min_logprob
from teachback.streams.signals.wording import cut_off, disagreement, hedging, log_words

TIER_ZERO = {
    "mean_logprob": mean_logprob,
    "min_logprob": min_logprob,
    "entropy": entropy,
    "log_words": log_words,
    "cut_off": cut_off,
    "hedging": hedging,
    "disagreement": disagreement,
}
TIER_ONE = ("qa_cosine",)
SIGNALS = (*TIER_ZERO, *TIER_ONE)


def tier_zero(exchange: Exchange) -> dict[str, float]:
    """The tier-zero signals that this exchange has, by name."""
    values = {name: signal(exchange) for name, signal in TIER_ZERO.items()}
    return {name: round(value, 6) for name, value in values.items() if value is not None}
