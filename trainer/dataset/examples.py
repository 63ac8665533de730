"""What can be used of the labels decided on: the same answer for the trigger, which counts, and for a data set."""

from collections.abc import Iterable

import msgspec

from teachback.schemas.label import Side
from teachback.trainer.dataset.split import Entry


class Examples(msgspec.Struct, frozen=True):
    """The decided labels that can be used: the latest revision of each exchange, each question with an answer once."""

    train: tuple[Entry, ...]
    eval: tuple[Entry, ...]
    quarantined: int


def examples(entries: Iterable[Entry], splits: int | None = None) -> Examples:
    """What can be used of the first `splits` decisions (all, by default), in the order of decision.

    Of copies (the same messages and answer after normalising) the first decided counts, so that a later copy is
    nothing new. An exchange whose latest revision is quarantined is not used at all.
    """
    latest: dict[str, Entry] = {}
    for entry in entries:
        if splits is not None and entry.place >= splits:
            continue
        if entry.exchange not in latest or entry.revision > latest[entry.exchange].revision:
            latest[entry.exchange] = entry
    sides: dict[Side, dict[bytes, Entry]] = {"train": {}, "eval": {}}
    for entry in sorted(latest.values(), key=lambda entry: entry.place):
        if not entry.quarantined:
            sides[entry.side].setdefault(entry.pair, entry)
    quarantined = sum(entry.quarantined for entry in latest.values())
    return Examples(tuple(sides["train"].values()), tuple(sides["eval"].values()), quarantined)
