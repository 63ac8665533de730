"""The errors of the consensus processor. Each ends the process; a supervisor starts it again."""


class ConsensusError(Exception):
    """The processor cannot go on.

    ConsensusError
    ├── TakeOverFailed      the committed offsets or the outcomes of newly assigned partitions could not be read
    ├── BadState            a record of review.outcomes is no outcome: the state of agreement cannot be rebuilt
    ├── TransactionFailed   a batch was not committed: nothing of it is visible, and it will be read again
    │   └── Fenced          …because another process has taken the partition over
    └── NoEmbedder          the folder of the sentence embedder is not there
    """


class TakeOverFailed(ConsensusError):
    """Kafka did not say where a newly assigned partition stands."""


class BadState(ConsensusError):
    """A record of review.outcomes cannot be read; going on would forget verdicts."""


class TransactionFailed(ConsensusError):
    """Kafka did not commit a batch."""


class Fenced(TransactionFailed):
    """Another process owns the partition now."""


class NoEmbedder(ConsensusError):
    """The embedder's folder is missing."""
