"""What can go wrong between the topic and the table."""


class ShardsError(Exception):
    """The writing of shards cannot go on; nothing is lost, because the table owns the offset.

    ShardsError
    ├── TableError           the table's folder cannot be read or written: disk, permissions, foreign content
    │   └── TableReplaced    the folder was deleted or exchanged while the writer ran
    ├── TopicRecreated       the topic is not the one that the table was filled from
    ├── OffsetLost           the topic no longer has what the table has not read yet
    ├── TooManyDeadLetters   so many labels are undecodable that their writer or this release must be wrong
    ├── NotDelivered         Kafka did not confirm a dead letter or an announcement
    └── Fenced               another writer has committed for this partition: drop the buffer, read the table again
    """


class TableError(ShardsError):
    """The table's folder cannot be read or written."""


class TableReplaced(TableError):
    """The table is not the one that this process opened."""


class TopicRecreated(ShardsError):
    """Kafka's id of the topic is not the one that the table was filled from."""


class OffsetLost(ShardsError):
    """Records between the table's number and the start of the topic are gone, or the topic ends before the number."""


class TooManyDeadLetters(ShardsError):
    """More undecodable labels among the last records than the settings allow."""


class NotDelivered(ShardsError):
    """A record that had to be in Kafka before going on is not."""


class Fenced(ShardsError):
    """The table's number for a partition is not the one that this writer left there."""

    def __init__(self, partition: int, expected: int | None, found: int | None) -> None:
        super().__init__(
            f"partition {partition}: the table's offset is {found}, not {expected}: another writer has taken over"
        )
        self.partition = partition
