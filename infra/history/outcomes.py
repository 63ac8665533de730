"""What people agree on about each exchange, from `review.outcomes`."""

import msgspec

from teachback.infra.history.bounds import Bounds
from teachback.infra.history.build import Verdicts
from teachback.infra.history.scan import scan
from teachback.schemas import Outcome
from teachback.schemas.wire import Cluster

DECODER = msgspec.json.Decoder(Outcome)


def read_outcomes(cluster: Cluster, bot: str) -> Verdicts:
    """Exchange → (acceptable, since when in ms), for what is settled. The newest outcome of an exchange holds."""
    found: Verdicts = {}
    for messages in scan(cluster, "review.outcomes", Bounds(cluster, "review.outcomes").whole()):
        for message in messages:
            take(found, bot, message.key(), message.value(), message.timestamp()[1])
    return found


def take(found: Verdicts, bot: str, key: bytes | None, value: bytes | None, time: int) -> None:
    """Fold one record in. A tombstone and an outcome that is open again take the verdict back.

    Verdicts that come late make new records of what was settled before: `Outcome.settled` tells when that was, and
    where it is absent, the first record that is left of it.
    """
    if value is None:
        found.pop((key or b"").decode(errors="replace"), None)
        return
    try:
        outcome = DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if outcome.bot != bot:
        return
    before = found.get(outcome.exchange)
    if (acceptable := outcome.acceptable) is None:
        found.pop(outcome.exchange, None)
    elif outcome.settled is not None:
        found[outcome.exchange] = (acceptable, int(outcome.settled.timestamp() * 1000))
    elif before is None or before[0] != acceptable:
        found[outcome.exchange] = (acceptable, time)
