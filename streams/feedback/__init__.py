"""Feedback: a customer's thumb down on an answer that nobody looked at becomes one item of the review queue.

Read in this order: `join` (what becomes of a thumb; pure), `batch` (records in), `turn` (one batch against what is
known), `store` (what is known: ids, places and times in SQLite, no text), `opening` (whose file it is; set aside when
it is damaged or another topic's), `beginning` (where to read without a store), `reader`, `texts` (the one exchange,
fetched when it is needed), `writer` (a transaction, and the fence), `logtime` (when rows may go), `process`, `main`.

The store owns the offsets. A batch's review requests are committed to Kafka first, then its rows, fates and offsets to
SQLite in one transaction. A crash in between repeats the requests: their ids are the exchanges', and the first request
of an id stands.
"""

from teachback.streams.feedback.settings import FeedbackSettings

__all__ = ["FeedbackSettings", "run"]


def run(settings: FeedbackSettings) -> None:
    """Join feedback until SIGTERM or SIGINT. Raises FeedbackError, WireError or KafkaException when it cannot go on."""
    from teachback.streams.feedback.main import run as join  # imports Faust, which who reads settings can do without

    join(settings)
