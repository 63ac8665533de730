"""The errors of the feedback join. Each ends the process; a supervisor starts it again."""


class FeedbackError(Exception):
    """The process cannot go on. Nothing is lost: the store owns the offsets.

    FeedbackError
    ├── StoreError          the file cannot be read or written: disk, permissions, a lock that somebody keeps
    │   ├── StoreDamaged    what is in it is no store; the next start sets it aside and reads the log again
    │   └── StoreTaken      another process works with it now, or it was deleted or exchanged
    ├── TopicRecreated      a topic was deleted and made again; the next start reads the log again
    ├── OffsetLost          a topic no longer has what was to be read next
    ├── TextUnavailable     Kafka did not give an exchange in time; whether it is still there is not known
    └── TransactionFailed   a batch's requests were not committed: nothing of it is visible, it will be read again
        └── Fenced          …because another process of this bot has started
    """


class StoreError(FeedbackError):
    """The SQLite file cannot be read or written."""


class StoreDamaged(StoreError):
    """The file is no SQLite file, or not a whole one."""


class StoreTaken(StoreError):
    """The file is not this process's any more."""


class TopicRecreated(FeedbackError):
    """Kafka's id of a topic is not the one that the store was filled from."""


class OffsetLost(FeedbackError):
    """The next record to read was deleted, or the topic lost its end."""


class TextUnavailable(FeedbackError):
    """An exchange could not be fetched, and not because it was deleted."""


class TransactionFailed(FeedbackError):
    """Kafka did not commit a batch's requests."""


class Fenced(TransactionFailed):
    """Another process has taken over."""
