"""The scoring leg: exchanges in; one decision each out, and a review request where the decision says so.

    chat.exchanges → decode → signals → confidence → route → chat.scored (all) + review.requests (audit, review)

Both outputs leave in the same batch, in one transaction. An exchange is decided once: an id that this worker has seen
before is dropped here, and whoever reads `chat.scored` takes the first record of an id as the decision.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, cast

from teachback.schemas import Event, Exchange, Policy, ReviewRequest, Scored
from teachback.schemas.event import now
from teachback.schemas.wire import BadEvent, Cluster, decode, encode, headers, require_topics
from teachback.streams.batches import BadRecord, Leg, Output, Record, StreamSettings, make_app
from teachback.streams.batches import run as run_worker
from teachback.streams.confidence import PRIOR_VERSION, confidence
from teachback.streams.policies import Policies
from teachback.streams.route import Routed, route
from teachback.streams.settings import ScoringSettings
from teachback.streams.signals import SIGNALS, tier_zero
from teachback.streams.signals.similarity import Embedder, SentenceEmbedder, qa_cosine

REMEMBERED = 200_000


class Scorer:
    """Scores and routes a batch. `embed` may be None: then tier one is missing from every score."""

    def __init__(self, cluster: Cluster, policies: Policies, embed: Embedder | None) -> None:
        self._cluster = cluster
        self._policies = policies
        self._embed = embed
        self._seen: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()  # (bot, id) → partition, offset

    async def handle(self, batch: list[tuple[Record, Exchange]]) -> Sequence[Output]:
        """The outputs of one batch, in order. Embedding runs in a thread, so that heartbeats never stall."""
        fresh = [exchange for record, exchange in batch if self._first(record, exchange)]
        policies = self._policies.refresh()
        cosines = await asyncio.to_thread(qa_cosine, fresh, self._embed) if self._embed else [None] * len(fresh)
        outputs: list[Output] = []
        for exchange, cosine in zip(fresh, cosines, strict=True):
            signals = tier_zero(exchange) | ({} if cosine is None else {"qa_cosine": cosine})
            policy = policies[exchange.bot]
            score = confidence(signals)
            routed = route(exchange, score, policy)
            outputs.append(
                self._output("chat.scored", exchange.conversation, scored(exchange, signals, score, routed, policy))
            )
            if routed.route != "accept":
                outputs.append(self._output("review.requests", exchange.id, request(exchange, score, routed, policy)))
        return outputs

    def decode(self, record: Record) -> Exchange:
        """The exchange in a record. Raises BadRecord for what is none, and for a bot without a policy."""
        try:
            exchange = decode(record.value, Exchange)
        except BadEvent as exc:
            raise BadRecord(str(exc)) from exc
        if exchange.bot not in self._policies.refresh():
            raise BadRecord(f"bot {exchange.bot!r} has no policy on `loop.policy`: publish one, then replay this")
        return exchange

    def _first(self, record: Record, exchange: Exchange) -> bool:
        """Whether this record is the first of its id; a re-read of the same record is."""
        place = (record.partition, record.offset)
        first = self._seen.setdefault((exchange.bot, exchange.id), place)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return first == place

    def _output(self, topic: str, key: str, event: Event) -> Output:
        return Output(self._cluster.topic(topic), key.encode(), encode(event), headers(event, "scoring"))


def scored(exchange: Exchange, signals: dict[str, float], score: float, routed: Routed, policy: Policy) -> Scored:
    """The decision about an exchange, as an event without text."""
    return Scored(
        id=exchange.id,
        bot=exchange.bot,
        created=now(),
        conversation=exchange.conversation,
        adapter=exchange.adapter,
        source=exchange.source,
        signals=signals,
        missing=tuple(name for name in SIGNALS if name not in signals),
        confidence=score,
        route=routed.route,
        reasons=routed.reasons,
        policy=policy.version,
        calibration=PRIOR_VERSION,
        topic=exchange.topic,
    )


def request(exchange: Exchange, score: float, routed: Routed, policy: Policy) -> ReviewRequest:
    """One item for the review queue, whole."""
    return ReviewRequest(
        id=exchange.id,
        bot=exchange.bot,
        created=now(),
        conversation=exchange.conversation,
        messages=exchange.messages,
        answer=exchange.answer,
        adapter=exchange.adapter,
        source=exchange.source,
        route=routed.route,
        reasons=routed.reasons,
        confidence=score,
        overlap=policy.overlap,
        weight=policy.weights.get(exchange.topic or "", 1.0),
        passages=exchange.passages,
        topic=exchange.topic,
        subject=exchange.subject,
        replay_of=exchange.replay_of,
    )


def run(settings: ScoringSettings) -> None:
    """Score until SIGTERM. Raises TopicMismatch when a topic is missing or was repartitioned."""
    require_topics(
        settings.cluster, "chat.exchanges", "chat.scored", "review.requests", "chat.exchanges.dlq", "loop.policy"
    )
    policies = Policies(settings.cluster)
    scorer = Scorer(settings.cluster, policies, SentenceEmbedder(settings.embedder, settings.embed_batch))
    stream = StreamSettings(
        cluster=settings.cluster,
        group=settings.group,
        guarantee=cast(Literal["exactly_once", "at_least_once"], settings.guarantee),
        max_batch=settings.max_batch,
        dead_letter_limit=settings.dead_letter_limit,
        session_timeout=settings.session_timeout,
    )
    run_worker(make_app(stream, Leg(settings.cluster.topic("chat.exchanges"), scorer.decode, scorer.handle)))
