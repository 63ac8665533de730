"""The trainer's errors."""


class TrainerError(Exception):
    """Anything that goes wrong between a threshold reached and an adapter promoted or refused.

    TrainerError
    └── JobError             the training job cannot go on, and trying again would not help
        ├── BadJob           the job folder holds something that cannot be used: the message says which file and why
        ├── BadBase          the base model is not the one named, or cannot be loaded or quantised
        ├── BadTemplate      the tokenizer's chat template cannot show which tokens are the assistant's
        └── BadRow           a row has no answer to learn from, or is longer than the recipe allows
    """


class JobError(TrainerError):
    """The training job cannot go on, and trying again with the same folder would end the same way."""


class BadJob(JobError):
    """A file of the job folder is missing or malformed."""


class BadBase(JobError):
    """The base model is missing, malformed, or another than the one that the job names."""


class BadTemplate(JobError):
    """The chat template does not mark, or does not reproduce, the assistant's words."""


class BadRow(JobError):
    """A row that the recipe refuses to learn from."""
