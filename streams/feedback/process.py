"""The process: three topics in; review requests, dead letters and the store out.

    start:   fence whoever was before → open the store, become its owner → read on from its offsets
    a step:  records → what they settle (`turn`) → Kafka commits the requests → SQLite commits rows and offsets

*Exactly one item.* A batch that settles nothing writes nothing to Kafka. One that does is committed there first; when
the process ends before SQLite has it, the batch is read again and its requests are written again: the same id, the
same bytes while the policy is the same, and the first request of an id stands.

*Two processes.* The transaction's name fences the older one's requests, the store's owner its rows. Whichever it meets
first ends it.

*Without a policy* of the bot nothing is read: nothing is scored then, either.
"""

import logging
import time

from confluent_kafka import KafkaError, KafkaException

from teachback.schemas import Policy
from teachback.schemas.wire import admin, encode, headers, metadata_id, require_topics
from teachback.streams.batches.batch import Output
from teachback.streams.feedback.batch import FEEDBACK, INPUTS, Batch
from teachback.streams.feedback.beginning import Offsets, beginning, still_there
from teachback.streams.feedback.errors import TopicRecreated
from teachback.streams.feedback.join import window_ms
from teachback.streams.feedback.opening import anew, beyond, open_store
from teachback.streams.feedback.reader import Reader
from teachback.streams.feedback.settings import FeedbackSettings
from teachback.streams.feedback.store import Store, counts
from teachback.streams.feedback.texts import Texts
from teachback.streams.feedback.turn import answer
from teachback.streams.feedback.writer import Writer
from teachback.streams.policies import Policies

log = logging.getLogger(__name__)

REQUESTS, POLICY = "review.requests", "loop.policy"
SOURCE = "feedback"


class Process:
    """One bot's feedback. `step` until told to stop, then `close`."""

    def __init__(self, settings: FeedbackSettings) -> None:
        """Check the topics and fence. Raises TopicMismatch when a topic is missing or was repartitioned."""
        self._settings, self._cluster = settings, settings.cluster
        ids = require_topics(self._cluster, *INPUTS, f"{FEEDBACK}.dlq", REQUESTS, POLICY)
        self._topic_ids = {self._cluster.topic(name): ids[name] for name in INPUTS}
        self._admin = admin(self._cluster)
        self._policies = Policies(self._cluster)
        self._writer = Writer(self._cluster, f"{SOURCE}-{settings.bot}", settings.transaction_timeout)
        self._texts = Texts(self._cluster)
        self._open: tuple[Store, Reader] | None = None
        self._tidied = time.monotonic()

    def step(self) -> int:
        """Wait for records, at most `settings.wait` seconds, and commit what they settle; returns how many came.

        Raises FeedbackError or KafkaException; then this process must not go on.
        """
        policy = self._policies.refresh().get(self._settings.bot)
        if policy is None:
            time.sleep(self._settings.wait)
            return 0
        if self._open is None:
            self._open = self._begin(policy)
        store, reader = self._open
        batch = Batch(self._settings.bot, self._cluster.prefix)
        read = reader.read(batch, self._settings.batch, self._settings.wait)
        if read:
            self._commit(batch, store, self._policies.refresh()[self._settings.bot])
        if time.monotonic() - self._tidied >= self._settings.tidy:
            self._tidy(store, reader, policy)
        return read

    def close(self) -> None:
        """Let go of everything."""
        if self._open is not None:
            for each in self._open:
                each.close()
        self._writer.close()
        self._policies.close()

    def _begin(self, policy: Policy) -> tuple[Store, Reader]:
        """The store, which is this process's from now on, and a reader of what comes after it."""
        offsets = Offsets(self._cluster)
        identity = {"bot": self._settings.bot, **self._topic_ids}
        store = open_store(self._settings.store, identity)
        if lost := beyond(store.positions, offsets.ends()):
            store = anew(store, f"{store.path} knows records that are not there any more: {', '.join(lost)}")
        if not store.positions:
            store.begin(identity, beginning(offsets, window_ms(policy), self._slack))
            log.info("%s is filled from the log, %g days back", store.path, policy.feedback_days)
        return store, Reader(self._cluster, still_there(store.positions, offsets.firsts()))

    def _commit(self, batch: Batch, store: Store, policy: Policy) -> None:
        found = answer(batch, store, policy, self._texts.fetch)
        topic = self._cluster.topic(REQUESTS)
        requests = [Output(topic, r.id.encode(), encode(r), headers(r, SOURCE)) for r in found.requests]
        for letter in batch.dead:
            log.warning("dead letter: %s", dict(letter.headers))
        if outputs := [*requests, *batch.dead]:
            self._writer.commit(outputs)
        store.commit(batch, found)

    def _tidy(self, store: Store, reader: Reader, policy: Policy) -> None:
        """Check that the topics are the same, drop rows past their time, say the counts."""
        self._tidied = time.monotonic()
        self._verify()
        horizon, window = reader.time.horizon(), window_ms(policy)
        if horizon is not None:
            rows_before = horizon - window - self._slack
            while store.purge(rows_before, rows_before - window):
                pass
        log.info("%s", counts(store.path))

    def _verify(self) -> None:
        """Raises TopicRecreated when a topic is not the one that the store is filled from."""
        for topic, known in self._topic_ids.items():
            try:
                found = metadata_id(self._admin, topic)
            except KafkaException as exc:
                if exc.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise TopicRecreated(f"{topic} was deleted under the feedback join") from exc
                log.warning("cannot see whether %s is the same: %s", topic, exc.args[0].str())
            except TimeoutError:
                log.warning("cannot see whether %s is the same: no answer in time", topic)
            else:
                if found != known:
                    raise TopicRecreated(f"{topic} was deleted and made again (id {found}, was {known}): start again")

    @property
    def _slack(self) -> int:
        return round(self._settings.slack * 1000)
