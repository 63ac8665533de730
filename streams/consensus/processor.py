"""The processor: verdicts in; outcomes, labels, dead letters and offsets out, a transaction a batch and partition.

*State* of a partition is the newest outcome of each exchange. It is nowhere but in `review.outcomes`, partition by
partition beside `review.verdicts`, so that the owner of verdicts[p] needs outcomes[p] and nothing else:

    assigned p → fence whoever had p → committed offset of verdicts[p] → read outcomes[p] to its end → go on

*Fencing.* Each partition has its own transactional producer, `<group>-<p>`. Initialising it ends the former owner's
open transaction before the offset and the outcomes are read (KIP-98): from then on there is one writer. One producer a
process and the group's generation as its fence (KIP-447) would do less, and cost more. A stalled owner's open
transaction would hide all later outcomes from readers of committed records until it times out, and a second successor
within that time would rebuild from outcomes that seem to end too early. And a busy member would have its transactions
refused whenever a rebalance bumps the generation, though it keeps its partitions: each restart would bring down the
others. So the generation is not sent. Who is slow to notice that a partition is no longer its own, and initialises
last, is its one writer until the owner, fenced, exits and comes back.

*Order.* Nothing but offsets. Folding comes before the transaction is begun, because an embedder may take seconds to
load and a transaction has few.

*Failure.* Whatever is not committed ends the process: state in memory may be ahead of the log. Nobody but the
supervisor retries. A verdict that cannot be decoded, or contradicts itself, goes to `review.verdicts.dlq` as it came.
Texts that cannot be compared count as different (`caution`).

*Memory.* Every outcome of the assigned partitions, encoded, settled ones included (some 300 bytes and the edited
texts): a late verdict must find its outcome however late it is.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from teachback.schemas import wire
from teachback.schemas.log import Tail
from teachback.schemas.review import Outcome, Verdict
from teachback.streams.consensus.caution import Cautious
from teachback.streams.consensus.decide import Sameness
from teachback.streams.consensus.errors import BadState, TakeOverFailed
from teachback.streams.consensus.fold import contradictions, fold
from teachback.streams.consensus.settings import ConsensusSettings
from teachback.streams.consensus.transaction import PartitionWriter, Record

log = logging.getLogger(__name__)

SOURCE = "consensus"
VERDICTS, OUTCOMES, LABELS, DLQ = "review.verdicts", "review.outcomes", "labels.approved", "review.verdicts.dlq"
CALL_SECONDS = 20.0
FENCING_THREADS = 16
REASON_BYTES = 1000  # a header is for reading in a list; the original bytes say the rest


class Partition:
    """What the owner of a partition of verdicts holds: its writer, its outcomes, and what it has read of a batch."""

    def __init__(self, writer: PartitionWriter) -> None:
        self.writer = writer
        self.outcomes: dict[str, bytes] = {}
        self.batch: list[Message] = []


class Processor:
    """One member of the consensus group. `step` until told to stop, then `close`."""

    def __init__(self, settings: ConsensusSettings, sameness: Sameness) -> None:
        """Check the topics and join. Raises TopicMismatch when one is missing or was repartitioned."""
        self._settings, self._cluster, self._sameness = settings, settings.cluster, Cautious(sameness)
        wire.require_topics(self._cluster, VERDICTS, OUTCOMES, LABELS, DLQ)
        self._topic = self._cluster.topic(VERDICTS)
        self._partitions: dict[int, Partition] = {}
        self._closing = False
        self._consumer: Consumer = wire.consumer(
            self._cluster,
            settings.group,
            {
                "client.id": f"{SOURCE}-{settings.bot}",
                "session.timeout.ms": int(settings.session_timeout * 1000),
                "heartbeat.interval.ms": int(settings.session_timeout * 1000 / 5),
                # a rebalance must not make everybody rebuild everything
                "partition.assignment.strategy": "cooperative-sticky",
            },
        )
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def step(self) -> int:
        """Wait for verdicts, at most `settings.wait` seconds, and commit those that are there; returns how many.

        Raises ConsensusError or KafkaException; then this processor must not go on.
        """
        count, timeout = 0, self._settings.wait
        while count < self._settings.batch and (message := self._consumer.poll(timeout)) is not None:
            count, timeout = count + self._take(message), 0.0
        for number, partition in self._partitions.items():
            if partition.batch:
                self._commit(number, partition)
        return count

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._closing = True
        self._consumer.close()

    def _take(self, message: Message) -> int:
        """Put a message to its partition's batch. A rebalance happens in `poll` only, and drops the batch it voids."""
        if (error := message.error()) is not None:
            if wire.is_fatal(error):
                raise KafkaException(error)
            log.warning("%s", error.str())
            return 0
        partition = self._partitions.get(_known(message.partition()))
        if partition is not None:
            partition.batch.append(message)
        return 1

    def _commit(self, number: int, partition: Partition) -> None:
        records = [record for message in partition.batch for record in self._answer(message, partition.outcomes)]
        last = _known(partition.batch[-1].offset())
        offset = TopicPartition(self._topic, number, last + 1)
        partition.writer.commit(records, offset)
        partition.batch = []

    def _answer(self, message: Message, outcomes: dict[str, bytes]) -> Iterable[Record]:
        """What one message makes of the outcomes, which are brought up to date."""
        try:
            verdict = wire.decode(message.value(), Verdict)
        except wire.BadEvent as bad:
            return [self._dead_letter(message, str(bad))]
        if (problem := contradictions(verdict, message.key())) is not None:
            return [self._dead_letter(message, problem)]
        stored = outcomes.get(verdict.exchange)
        before = None if stored is None else wire.decode(stored, Outcome)
        if before is not None and before.bot != verdict.bot:
            reason = f"exchange {verdict.exchange!r} is {before.bot!r}'s: bots that share topics must not share ids"
            return [self._dead_letter(message, reason)]
        outcome, label = fold(before, verdict, self._sameness)
        if outcome is before:
            return []
        value = outcomes[verdict.exchange] = wire.encode(outcome)
        key, topic = verdict.exchange.encode(), self._cluster.topic(OUTCOMES)
        records = [Record(topic, key, value, wire.headers(outcome, SOURCE), _known(message.partition()))]
        if label is not None:
            headers = wire.headers(label, SOURCE)
            records.append(Record(self._cluster.topic(LABELS), label.id.encode(), wire.encode(label), headers))
        return records

    def _dead_letter(self, message: Message, reason: str) -> Record:
        source = f"{message.topic()}:{message.partition()}:{message.offset()}"
        log.warning("dead letter: %s: %s", source, reason)
        headers = [("dlq_reason", reason.encode(errors="replace")[:REASON_BYTES]), ("dlq_source", source.encode())]
        return Record(self._cluster.topic(DLQ), message.key(), message.value(), headers)

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        numbers = [tp.partition for tp in assigned]
        log.info("assigned %s", numbers)
        if self._closing:  # the client hands them straight back
            return
        try:
            starts = self._take_over(consumer, numbers)
        except KafkaException as exc:  # as it is, it would not come through a callback of the client unharmed
            raise TakeOverFailed(f"cannot take over {self._topic}{numbers}: {exc.args[0]}") from exc
        consumer.incremental_assign(starts)  # no offset yet: `auto.offset.reset` begins at the beginning

    def _take_over(self, consumer: Consumer, numbers: list[int]) -> list[TopicPartition]:
        """Fence the former owners, read where they ended, rebuild their outcomes; returns where to go on."""
        with ThreadPoolExecutor(FENCING_THREADS) as threads:  # each waits for the coordinator, up to half a second
            writers = dict(zip(numbers, threads.map(self._writer, numbers), strict=True))
        starts = consumer.committed([TopicPartition(self._topic, number) for number in numbers], CALL_SECONDS)
        if problems := [f"{tp.partition}: {tp.error.str()}" for tp in starts if tp.error is not None]:
            raise TakeOverFailed(f"cannot read the committed offsets of {self._topic}: {', '.join(problems)}")
        fresh = {number: Partition(writers[number]) for number in numbers}
        self._rebuild(fresh)
        self._partitions |= fresh
        return starts

    def _writer(self, number: int) -> PartitionWriter:
        name = f"{self._cluster.prefix}{self._settings.group}-{number}"
        return PartitionWriter(self._cluster, name, self._settings.group, self._settings.transaction_timeout)

    def _rebuild(self, partitions: dict[int, Partition]) -> None:
        """Read the outcomes of `partitions`, which nobody else can write now, to their end."""
        if not partitions:
            return
        with Tail(self._cluster, OUTCOMES, (Outcome,), list(partitions)) as tail:
            for record in tail.catch_up():
                outcomes = partitions[record.partition].outcomes
                if record.event is None:
                    outcomes.pop(record.key, None)
                else:
                    outcomes[record.event.exchange] = wire.encode(record.event)
            if tail.bad:
                raise BadState(
                    f"{tail.bad} records in partitions {sorted(partitions)} of {tail.topic} are no outcomes of this "
                    "release; run the release that wrote them, or remove them with a tombstone of their key"
                )

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """Hand over. `poll` calls this, so no transaction is open; what was only read, the next owner reads again."""
        log.info("revoked %s", [tp.partition for tp in revoked])
        self._drop(revoked)
        consumer.incremental_unassign(revoked)

    def _on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        """Somebody else may own them already: forget, and say nothing to Kafka about them."""
        log.warning(
            "lost %s: this process was silent for longer than the session timeout", [tp.partition for tp in lost]
        )
        self._drop(lost)
        consumer.incremental_unassign(lost)

    def _drop(self, gone: list[TopicPartition]) -> None:
        for tp in gone:
            if (partition := self._partitions.pop(tp.partition, None)) is not None:
                partition.writer.close()


def _known(number: int | None) -> int:
    assert number is not None  # confluent-kafka leaves it out of error messages only
    return number
