"""The edge of every comparison: texts that cannot be compared are different, and nothing stops for them."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from teachback.streams.consensus.decide import Sameness
from teachback.streams.consensus.errors import ConsensusError

log = logging.getLogger(__name__)
T = TypeVar("T")


class Cautious:
    """A sameness in which a comparison that fails says "different". Raises ConsensusError only (no embedder)."""

    def __init__(self, sameness: Sameness) -> None:
        self._sameness = sameness

    def same(self, one: str, other: str, /) -> bool:
        """Whether two answers say the same; False if they cannot be compared."""
        return _attempt(lambda: self._sameness.same(one, other), False, "count as different")

    def medoid(self, texts: Sequence[str], /) -> str:
        """The text that is nearest to all; the shortest if that cannot be told."""
        shortest = min(texts, key=lambda text: (len(text), text))
        return _attempt(lambda: self._sameness.medoid(texts), shortest, "are stood for by the shortest")


def _attempt(compare: Callable[[], T], otherwise: T, instead: str) -> T:
    try:
        return compare()
    except ConsensusError:
        raise
    except Exception:  # the outermost edge of comparing, and the one place that catches everything: people type what
        # they like, and a text that trips a parser would come again after every restart and stop its partition for
        # good. A wrong "different" costs a third opinion.
        log.warning("texts that cannot be compared %s", instead, exc_info=True)
        return otherwise
