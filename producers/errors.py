"""What can go wrong on the chatbot's side. In production the SDK counts and logs these; it raises none of them."""


class ProducerError(Exception):
    """Something that was to be emitted cannot be.

    ProducerError
    ├── NotConfigured   the SDK does not know its bot or its Kafka, or confluent-kafka is not installed
    ├── BadEvent        arguments that make no valid event
    ├── BadFile         a file of questions and answers that cannot be read as one
    └── NotReplayed     Kafka did not take all of a replayed file
    """


class NotConfigured(ProducerError):
    """The SDK does not know where to send."""


class BadEvent(ProducerError):
    """Arguments that make no valid event; the message says which and why."""


class BadFile(ProducerError):
    """A file that cannot be used; the message says what was found and what to do."""


class NotReplayed(ProducerError):
    """Kafka did not take all of the file. Replaying it again is harmless: ids repeat."""
