"""What keeps the log from being asked about the past."""

from teachback.infra.policy import PolicyError


class HistoryError(PolicyError):
    """The log does not reach back that far, or the time asked about is none; the message says what to ask instead."""
