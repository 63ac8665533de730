"""The trainer's errors."""


class TrainerError(Exception):
    """Anything that goes wrong between a threshold reached and an adapter promoted or refused.

    TrainerError
    ├── Fenced               another trainer of this bot has taken over: nothing more may be written
    ├── LedgerError          Kafka would not take an event
    ├── BadTable             the table of labels cannot be read
    ├── BadEmbedder          the embedder cannot be loaded
    ├── BadRegistry          an adapter is missing, incomplete or not what its card says
    ├── Stale                a run cannot be resumed: its data set or settings are no longer what they were
    ├── RollbackRefused      there is nothing to roll back to, or someone changed the champion first
    ├── RetryRefused         the run to be tried again is unknown, or did not fail
    └── JobError             the training job cannot go on, and trying again would not help
        ├── BadJob           the job folder holds something that cannot be used: the message says which file and why
        ├── BadTemplate      the tokenizer's chat template cannot show which tokens are the assistant's
        └── BadRow           a row has no answer to learn from
    """


class JobError(TrainerError):
    """The training job cannot go on, and trying again with the same folder would end the same way."""


class BadJob(JobError):
    """A file of the job folder is missing or malformed."""


class BadTemplate(JobError):
    """The chat template does not mark, or does not reproduce, the assistant's words."""


class BadRow(JobError):
    """A row without an answer. Like BadTemplate it ends the job only where no row can be encoded."""


class Fenced(TrainerError):
    """Another trainer of this bot has taken over; this one must write nothing more and end."""


class LedgerError(TrainerError):
    """Kafka would not take an event."""


class BadTable(TrainerError):
    """The table of labels, or a version of it, cannot be read."""


class BadEmbedder(TrainerError):
    """The embedder's folder holds no model that can be loaded."""


class BadRegistry(TrainerError):
    """An adapter in the registry is missing, incomplete or not what its card says."""


class Stale(TrainerError):
    """A run cannot be resumed, because what it was made from is no longer there or no longer the same."""


class RollbackRefused(TrainerError):
    """The champion was not changed."""


class RetryRefused(TrainerError):
    """The run was not opened again."""
