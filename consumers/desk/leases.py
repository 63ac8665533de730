"""Who works on what: leases with an expiry, kept alive by heartbeats, told apart by fencing tokens.

Pure: time comes from the injected clock (seconds, monotonic). A lease's id follows from what it is for, so a reviewer
who comes back after a restart of the desk names the same lease; its token is new with every grant, so that an older
window of the same reviewer is told apart from the newer one.
"""

import time
from collections import defaultdict
from collections.abc import Callable

import msgspec

from teachback.consumers.desk.item import Capacity
from teachback.schemas.ids import derived

Clock = Callable[[], float]


def lease_id(exchange: str, reviewer: str, round_: int) -> str:
    """One lease for each exchange, reviewer and round."""
    return derived("lease", exchange, reviewer, round_)


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to judge one exchange until `expires`. `began` is None when the desk did not see the beginning."""

    id: str
    exchange: str
    reviewer: str
    round: int
    capacity: Capacity
    token: int
    began: float | None
    expires: float


class Leases:
    """All leases of a desk. Call `expire` before relying on the others: nothing happens by itself."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic, first_token: int = 1) -> None:
        self.seconds = seconds
        self.clock = clock
        self._token = first_token
        self._by_id: dict[str, Lease] = {}  # in order of expiry, as every lease lasts equally long
        self._on: dict[str, set[str]] = defaultdict(set)  # exchange → lease ids
        self._by: dict[str, set[str]] = defaultdict(set)  # reviewer → lease ids

    def grant(self, exchange: str, reviewer: str, round_: int, capacity: Capacity, began: float | None) -> Lease:
        """A lease with a token above all earlier ones; it replaces the same person's on the same item."""
        self._token += 1
        lease = Lease(
            id=lease_id(exchange, reviewer, round_),
            exchange=exchange,
            reviewer=reviewer,
            round=round_,
            capacity=capacity,
            token=self._token,
            began=began,
            expires=self.clock() + self.seconds,
        )
        return self._keep(lease)

    def extend(self, lease: Lease) -> Lease:
        """The same lease, token included, with its full time ahead again."""
        return self._keep(msgspec.structs.replace(lease, expires=self.clock() + self.seconds))

    def release(self, lease: Lease) -> None:
        """Give it back. No harm if it is gone already."""
        if self._by_id.pop(lease.id, None):
            self._on[lease.exchange].discard(lease.id)
            self._by[lease.reviewer].discard(lease.id)
            if not self._on[lease.exchange]:
                del self._on[lease.exchange]

    def expire(self) -> list[Lease]:
        """Release what has run out, and say what it was."""
        now, ended = self.clock(), []
        for lease in self._by_id.values():
            if lease.expires > now:
                break
            ended.append(lease)
        for lease in ended:
            self.release(lease)
        return ended

    def find(self, id_: str) -> Lease | None:
        """The lease of this id, if it is held."""
        return self._by_id.get(id_)

    def on(self, exchange: str) -> list[Lease]:
        """Who works on an exchange."""
        return [self._by_id[id_] for id_ in self._on.get(exchange, ())]

    def held_by(self, reviewer: str) -> list[Lease]:
        """What a person works on, oldest grant first."""
        return sorted((self._by_id[id_] for id_ in self._by.get(reviewer, ())), key=lambda lease: lease.token)

    def __len__(self) -> int:
        return len(self._by_id)

    def _keep(self, lease: Lease) -> Lease:
        self._by_id.pop(lease.id, None)  # to the end: the dictionary stays in order of expiry
        self._by_id[lease.id] = lease
        self._on[lease.exchange].add(lease.id)
        self._by[lease.reviewer].add(lease.id)
        return lease
