"""The policy in force for each bot: a fold over `loop.policy`, kept up to date between batches."""

from collections.abc import Iterable

from teachback.schemas import Policy
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster
from teachback.streams.route import compilable


def fold(current: dict[str, Policy], policies: Iterable[Policy]) -> dict[str, Policy]:
    """Each bot's newest policy. An event whose version is not the next is ignored, so that two writers can't race."""
    found = dict(current)
    for policy in policies:
        before = found.get(policy.bot)
        if policy.version == (before.version if before else 0) + 1 and usable(policy):
            found[policy.bot] = policy
    return found


def usable(policy: Policy) -> bool:
    """Whether every pattern compiles. The command that publishes checks too; a worker must not fall over another's."""
    return not any(compilable(rule.pattern or "") for rule in policy.rules)


class Policies:
    """The policies as they stand: read whole before the first exchange, refreshed by `refresh()`."""

    def __init__(self, cluster: Cluster) -> None:
        self._tail = Tail(cluster, "loop.policy", (Policy,))
        self._by_bot = fold({}, (record.event for record in self._tail.catch_up() if record.event))

    def refresh(self) -> dict[str, Policy]:
        """Bot → policy in force, with everything that the broker had when this was called."""
        if records := self._tail.current():
            self._by_bot = fold(self._by_bot, (record.event for record in records if record.event))
        return self._by_bot

    @property
    def known(self) -> dict[str, Policy]:
        """Bot → policy as of the last refresh."""
        return self._by_bot

    def close(self) -> None:
        """Let go of the connection."""
        self._tail.close()
