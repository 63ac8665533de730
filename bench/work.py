"""The work that every contender does with an exchange, and the exchanges and the policy that it is done with."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from teachback.schemas import Event, Exchange, Message, Policy, TokenLogprob
from teachback.schemas.event import now
from teachback.schemas.wire import Cluster, decode, encode, headers
from teachback.streams.batches import Output
from teachback.streams.calibrations import InForce
from teachback.streams.confidence import PRIOR, confidence
from teachback.streams.recent import RecentQuestions
from teachback.streams.route import route
from teachback.streams.scoring import request, scored
from teachback.streams.signals import tier_zero
from teachback.streams.signals.similarity import Embedder, SentenceEmbedder
from teachback.streams.signals.tier_one import tier_one

BOT = "bench"
EMBEDDED_AT_ONCE = 32  # the scoring leg's default
FAILURES: Counter[str] = Counter()
RECENT = RecentQuestions()  # those that this process has seen
CONVERSATIONS = 1009
HEDGED_EVERY = 10  # one answer in so many hedges, and goes to review
QUESTION = "What does a card payment abroad cost, and is it the same in a shop and at a machine? "
PLAIN = "A card payment within the euro area costs nothing. Elsewhere the fee is 1.5 per cent of the amount. "
HEDGING = "I think it depends on where you are. Please check the list of fees, it might be 1.5 per cent of the amount. "
WORDS = ("the", "fee", "is", "1.5", "per", "cent")
TOKENS = tuple(TokenLogprob(token=word, logprob=-0.1 * place) for place, word in enumerate(WORDS))
POLICY = Policy(
    id=str(uuid.uuid5(uuid.NAMESPACE_URL, "bench policy 1")),
    bot=BOT,
    created=now(),
    version=1,
    threshold=0.12,  # between hedging and plain answers, with tier zero alone and with both
    audit_rate=0.02,
    audit_salt="a salt for the benchmark",
)
FORCE = InForce(PRIOR, POLICY.threshold, None)


def sample(number: int) -> Exchange:
    """An exchange of about 1 KB; its text differs from the next one's, so that it does not compress to nothing."""
    salt = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
    answer = HEDGING if number % HEDGED_EVERY == 0 else PLAIN
    return Exchange(
        id=str(salt),
        bot=BOT,
        created=now(),
        conversation=f"c{number % CONVERSATIONS}",
        messages=(Message(role="user", content=f"{QUESTION * 2}{salt.hex}"),),
        answer=f"{answer * 2}{salt.hex}",
        model="smollm2-135m-instruct",
        adapter=f"{BOT}@v0",
        topic="cards",
        finish_reason="stop",
        logprobs=TOKENS,
    )


def embedder_of(folder: str) -> Embedder | None:
    """The model in a folder, as the scoring leg loads it; None without one."""
    return SentenceEmbedder(Path(folder), EMBEDDED_AT_ONCE) if folder else None


def decide_all(cluster: Cluster, values: Sequence[bytes], embed: Embedder | None) -> Iterator[Output]:
    """As `decide`, of a batch; with an embedder its tier-one signals too, embedded together."""
    exchanges = [decode(value, Exchange) for value in values]
    beside = tier_one(exchanges, embed, None, FAILURES, RECENT) if embed else [{} for _ in exchanges]
    for exchange, others in zip(exchanges, beside, strict=True):
        yield from _decided(cluster, exchange, tier_zero(exchange) | others)


def decide(cluster: Cluster, value: bytes) -> list[Output]:
    """What the scoring leg writes about one exchange, by the leg's own functions and nothing else.

    `Scorer` also drops repeated ids and looks for a new policy at each batch; the other contenders are spared that.
    """
    exchange = decode(value, Exchange)
    return _decided(cluster, exchange, tier_zero(exchange))


def _decided(cluster: Cluster, exchange: Exchange, signals: dict[str, float]) -> list[Output]:
    score = confidence(signals)
    routed = route(exchange, score, POLICY, POLICY.threshold)
    decision = scored(exchange, signals, score, routed, POLICY, FORCE)
    outputs = [_output(cluster, "chat.scored", exchange.conversation, decision)]
    if routed.route != "accept":
        outputs.append(_output(cluster, "review.requests", exchange.id, request(exchange, score, routed, POLICY)))
    return outputs


def _output(cluster: Cluster, topic: str, key: str, event: Event) -> Output:
    return Output(cluster.topic(topic), key.encode(), encode(event), headers(event, "scoring"))
