"""Signals from the model's own token probabilities, natural logarithms as on the wire.

The first `MOST` tokens count. Whatever is no finite number is left out.
"""

import math

from teachback.schemas import Exchange, TokenLogprob

LEAST = -9999.0  # what the OpenAI API says for "impossible"; sums of what is below can leave the floats
MOST = 2048
HEAD = 16


def mean_logprob(exchange: Exchange) -> float | None:
    """Mean log-probability of the answer's tokens: length-normalised likelihood (Malinin & Gales 2021, section 3)."""
    return _mean(_finite(_tokens(exchange)))


def head_logprob(exchange: Exchange) -> float | None:
    """Mean log-probability of the first 16 tokens.

    They hang on the question; later ones are foretold by the answer's own beginning as well, right or wrong. Ours;
    measured beside the mean in `bench/signals.py`.
    """
    return _mean(_finite(_tokens(exchange)[:HEAD]))


def min_logprob(exchange: Exchange) -> float | None:
    """Log-probability of the answer's least likely token."""
    values = _finite(_tokens(exchange))
    return min(values) if values else None


def entropy(exchange: Exchange) -> float | None:
    """Mean entropy, in nats, of the truncated next-token distributions, renormalised over the tokens that are given.

    The entropy production rate of Moslonka et al. (2025): what an API's `top_logprobs` let one see of uncertainty.
    """
    rows = [
        [_bounded(top.logprob) for top in token.top_logprobs if math.isfinite(top.logprob)]
        for token in _tokens(exchange)
    ]
    return _mean([_entropy(row) for row in rows if len(row) > 1])


def _entropy(logprobs: list[float]) -> float:
    peak = max(logprobs)
    weights = [math.exp(value - peak) for value in logprobs]
    total = sum(weights)
    shares = [weight / total for weight in weights]
    return -sum(share * math.log(share) for share in shares if share > 0)


def _tokens(exchange: Exchange) -> tuple[TokenLogprob, ...]:
    return (exchange.logprobs or ())[:MOST]


def _finite(tokens: tuple[TokenLogprob, ...]) -> list[float]:
    return [_bounded(token.logprob) for token in tokens if math.isfinite(token.logprob)]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _bounded(logprob: float) -> float:
    return min(0.0, max(LEAST, logprob))
