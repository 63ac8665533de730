"""What can go wrong at a desk.

DeskError
├── Superseded          another desk of the same bot took over: this one may write nothing any more, and ends
├── WriterFailed        Kafka refuses to write for good: the desk ends
└── Refused             a request that cannot be met; `title` (what), `detail` (why), `action` (what to do)
    ├── NotReady        503: the queue is still being rebuilt
    ├── Ending          503: the desk has failed, and ends
    ├── Slow            503: Kafka has not yet taken the verdict
    ├── NoSuchLease     404: no such lease, and nothing to take it up again for
    ├── NotYours        403: someone else's lease
    ├── LeaseLost       409: the lease ended and the item went on without it
    ├── AlreadyJudged   409: another verdict of the same person stands
    ├── TooMany         409: more leases at once than one person may hold
    └── NoChange        422: an edit that says what the answer says already
"""

from typing import ClassVar

SUCCESSOR = "another desk of this bot has taken over; this one ends. Its clients will find the other."


class DeskError(Exception):
    """The root of the desk's errors."""


class Superseded(DeskError):
    """Another desk of the same bot took over."""


class WriterFailed(DeskError):
    """Kafka refuses to write for good."""


class Refused(DeskError):
    """A request that cannot be met, said so that a person knows what to do."""

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, detail: str, action: str) -> None:
        super().__init__(f"{self.title}: {detail}; {action}")
        self.detail = detail
        self.action = action


class NotReady(Refused):
    """The queue is still being rebuilt from the topics."""

    status, title = 503, "The desk is starting"


class Ending(Refused):
    """The desk has failed, and ends: it holds verdicts that Kafka may never get, so nothing it knows may be told."""

    status, title = 503, "The desk ends"


class Slow(Refused):
    """Kafka has not yet taken the verdict; it may still do so."""

    status, title = 503, "The verdict is not yet safe"


class NoSuchLease(Refused):
    """No such lease."""

    status, title = 404, "No such lease"


class NotYours(Refused):
    """Someone else's lease."""

    status, title = 403, "Not your lease"


class LeaseLost(Refused):
    """The lease ended, and the item went on without it."""

    status, title = 409, "The lease is lost"


class AlreadyJudged(Refused):
    """Another verdict of the same person on the same item stands."""

    status, title = 409, "You have judged this item already"


class TooMany(Refused):
    """More leases at once than one person may hold."""

    status, title = 409, "Too many items at once"


class NoChange(Refused):
    """An edit that says what the answer says already."""

    status, title = 422, "The edit changes nothing"
