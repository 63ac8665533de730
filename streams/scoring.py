"""The scoring leg: exchanges in; one decision each out, and a review request where the decision says so.

    chat.exchanges → decode → signals → confidence → route → chat.scored (all) + review.requests (audit, review)

Both outputs leave in the same batch, in one transaction. An exchange is decided once: an id that this worker has seen
before is dropped here, and whoever reads `chat.scored` takes the first record of an id as the decision.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeVar, cast

from teachback.schemas import Event, Exchange, Policy, ReviewRequest, Scored
from teachback.schemas.event import now
from teachback.schemas.topics import MAX_EVENT_BYTES
from teachback.schemas.wire import BadEvent, Cluster, decode, encode, headers, require_topics
from teachback.streams.batches import BadRecord, Leg, Output, Record, StreamSettings, make_app
from teachback.streams.batches import run as run_worker
from teachback.streams.calibrations import Calibrations, InForce, Standing, in_force
from teachback.streams.confidence import confidence
from teachback.streams.corpus import open_corpus
from teachback.streams.policies import Policies
from teachback.streams.recent import RecentQuestions, catch_up
from teachback.streams.route import Routed, route
from teachback.streams.settings import ScoringSettings
from teachback.streams.signals import SIGNALS, tier_zero
from teachback.streams.signals.reviewed import Reviewed
from teachback.streams.signals.rival import Recent
from teachback.streams.signals.similarity import Embedder, SentenceEmbedder
from teachback.streams.signals.tier_one import tier_one

REMEMBERED = 200_000
LONGEST = MAX_EVENT_BYTES - (64 << 10)  # a review request adds its route, reasons and headers to the exchange
READ = ("chat.exchanges", "loop.policy", "loop.calibration", "labels.approved")
WRITTEN = ("chat.scored", "review.requests", "chat.exchanges.dlq")
T_co = TypeVar("T_co", covariant=True)


class View(Protocol[T_co]):
    """Bot → what is in force, with everything that the broker had when `refresh` was called."""

    @property
    def known(self) -> Mapping[str, T_co]: ...
    def refresh(self) -> Mapping[str, T_co]: ...


class Scorer:
    """Scores and routes a batch. `embed` may be None: then tier one is missing from every score.

    `failures` counts, by reason, what went wrong in tier one: it costs signals, never an exchange.
    """

    def __init__(
        self,
        cluster: Cluster,
        policies: View[Policy],
        calibrations: View[Standing],
        embed: Embedder | None,
        reviewed: Reviewed | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._cluster = cluster
        self._policies = policies
        self._calibrations = calibrations
        self._embed = embed
        self._reviewed = reviewed
        self._recent = recent
        self.failures: Counter[str] = Counter()
        self._seen: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()  # (bot, id) → partition, offset

    async def handle(self, batch: list[tuple[Record, Exchange]]) -> Sequence[Output]:
        """The outputs of one batch, in order. What waits or computes does so in a thread: heartbeats never stall."""
        fresh = [exchange for record, exchange in batch if self._first(record, exchange)]
        return await asyncio.to_thread(self._decide, fresh)

    def _decide(self, exchanges: Sequence[Exchange]) -> list[Output]:
        """The outputs of these exchanges, by what is in force now."""
        beside: list[dict[str, float]] = [{} for _ in exchanges]
        if self._embed is not None:
            beside = tier_one(exchanges, self._embed, self._reviewed, self.failures, self._recent)
        policies, standing = self._policies.refresh(), self._calibrations.refresh()
        outputs: list[Output] = []
        for exchange, others in zip(exchanges, beside, strict=True):
            signals = tier_zero(exchange) | others
            policy = policies[exchange.bot]
            force = in_force(standing.get(exchange.bot, Standing()), policy, exchange.adapter)
            score = confidence(signals, force.weights)
            routed = route(exchange, score, policy, force.threshold)
            decision = scored(exchange, signals, score, routed, policy, force)
            outputs.append(self._output("chat.scored", exchange.conversation, decision))
            if routed.route != "accept":
                outputs.append(self._output("review.requests", exchange.id, request(exchange, score, routed, policy)))
        return outputs

    def decode(self, record: Record) -> Exchange:
        """The exchange in a record. Raises BadRecord for what is none or too long, and for a bot without a policy."""
        if len(record.value) > LONGEST:
            raise BadRecord(f"{len(record.value):,} bytes, more than the {LONGEST:,} that fit a review request")
        try:
            exchange = decode(record.value, Exchange)
        except BadEvent as exc:
            raise BadRecord(str(exc)) from exc
        if exchange.bot not in self._policies.known and exchange.bot not in self._policies.refresh():
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


def scored(
    exchange: Exchange, signals: dict[str, float], score: float, routed: Routed, policy: Policy, force: InForce
) -> Scored:
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
        calibration=force.weights.version,
        topic=exchange.topic,
        threshold=force.threshold,
        certificate=force.certificate,
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
    require_topics(settings.cluster, *READ, *WRITTEN)
    embed = SentenceEmbedder(settings.embedder, settings.embed_batch)
    corpus = open_corpus(settings.cluster, embed)
    corpus.catch_up()
    recent = RecentQuestions()
    scorer = Scorer(settings.cluster, Policies(settings.cluster), Calibrations(settings.cluster), embed, corpus, recent)
    catch_up(recent, settings.cluster, embed, scorer.failures)
    stream = StreamSettings(
        cluster=settings.cluster,
        group=settings.group,
        guarantee=cast(Literal["exactly_once", "at_least_once"], settings.guarantee),
        max_batch=settings.max_batch,
        dead_letter_limit=settings.dead_letter_limit,
        session_timeout=settings.session_timeout,
    )
    run_worker(make_app(stream, Leg(settings.cluster.topic("chat.exchanges"), scorer.decode, scorer.handle)))
