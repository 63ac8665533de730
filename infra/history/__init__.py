"""The past, as the log tells it: what was scored, what people found, and what was decided, as columns of numbers.

from teachback.infra.history import read_decisions, read_history

history = read_history(cluster, "support", since_ms)     # chat.scored and review.outcomes
decisions = read_decisions(cluster, "support")           # loop.policy and loop.calibration
history.confidence[history.live & (history.verdict == WRONG)]
"""

from teachback.infra.history.columns import (
    ACCEPT,
    ACCEPTABLE,
    AUDIT,
    REVIEW,
    UNSETTLED,
    WRONG,
    History,
)
from teachback.infra.history.decisions import Decisions, Timed, read_decisions
from teachback.infra.history.errors import HistoryError
from teachback.infra.history.read import read_history
from teachback.infra.history.seconds import read_seconds

__all__ = [
    "ACCEPT",
    "ACCEPTABLE",
    "AUDIT",
    "REVIEW",
    "UNSETTLED",
    "WRONG",
    "Decisions",
    "History",
    "HistoryError",
    "Timed",
    "read_decisions",
    "read_history",
    "read_seconds",
]
