"""How long reviewers take, from `review.verdicts`."""

import statistics

import msgspec

from teachback.infra.history.bounds import Bounds
from teachback.infra.history.scan import scan
from teachback.schemas.review import Seconds
from teachback.schemas.wire import Cluster, require_topics

VERDICTS = "review.verdicts"


class Timing(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="verdict/1"):
    """The fields of `Verdict` that tell how long it took."""

    bot: str
    seconds: Seconds | None = None


def read_seconds(cluster: Cluster, bot: str, since_ms: int, until_ms: int | None = None) -> float | None:
    """The median time from lease to verdict of the bot's verdicts of that time; None without any.

    The topic keeps 30 days: of an earlier time, what is left of it counts. Raises as `read_history` does.
    """
    require_topics(cluster, VERDICTS)
    decode = msgspec.json.Decoder(Timing).decode
    taken: list[float] = []
    for messages in scan(cluster, VERDICTS, Bounds(cluster, VERDICTS).between(since_ms, until_ms)):
        for message in messages:
            try:
                timing = decode(message.value() or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if timing.bot == bot and timing.seconds is not None:
                taken.append(timing.seconds)
    return statistics.median(taken) if taken else None
