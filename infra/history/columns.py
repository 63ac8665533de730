"""What was decided about each exchange of a time, as columns: one row an exchange, in the order of broker time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, get_origin

import numpy as np
from numpy.typing import NDArray

from teachback.schemas.scored import Route

AUDIT, REVIEW, ACCEPT = 0, 1, 2
ROUTES: tuple[Route, ...] = ("audit", "review", "accept")
"""What the codes in `History.route` mean."""
UNSETTLED, WRONG, ACCEPTABLE = -1, 0, 1
"""The codes in `History.verdict`: people have not agreed yet; edited or rejected; right as it was."""
NONE = -1
"""The code of what is absent."""


@dataclass(frozen=True, eq=False)
class History:
    """The decisions about one bot's exchanges. All arrays have a row for each; codes index the tuple beside them.

    The first `chat.scored` record of an id is the decision; later ones are not here. Times are the broker's, in ms.
    """

    bot: str
    ids: NDArray[np.object_]
    time: NDArray[np.int64]
    adapter: NDArray[np.int32]
    adapters: tuple[str, ...]
    source: NDArray[np.int32]
    sources: tuple[str, ...]
    topic: NDArray[np.int32]
    """NONE where the chatbot gave no topic."""
    topics: tuple[str, ...]
    route: NDArray[np.int8]
    reason: NDArray[np.int32]
    reasons: tuple[tuple[str, ...], ...]
    """The distinct reasons that `reason` is a code of: `()`, `("confidence<0.80",)`, `("rule:fees", "replay")`."""
    confidence: NDArray[np.float64]
    threshold: NDArray[np.float64]
    """The threshold in force; nan where the record does not say (those of earlier versions)."""
    policy: NDArray[np.int32]
    calibration: NDArray[np.int32]
    signals: NDArray[np.float32]
    """[rows, signals]; nan where an exchange could not give one."""
    signal_names: tuple[str, ...]
    verdict: NDArray[np.int8]
    """UNSETTLED, WRONG or ACCEPTABLE: what people agree on now, whenever they did."""
    outcome_time: NDArray[np.int64]
    """Since when they have agreed on that, as far as the compacted log still tells; 0 while unsettled."""
    bad: int = 0
    """Records in the range read that were no valid `scored/1`."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def live(self) -> NDArray[np.bool_]:
        """Rows that customers asked: audits and everything estimated from them are about these."""
        return coded(self.source, self.sources, lambda source: source == "live")

    @property
    def ruled(self) -> NDArray[np.bool_]:
        """Rows that a rule of the policy named: not accepted whatever their score."""
        return coded(self.reason, self.reasons, lambda said: any(one.startswith("rule:") for one in said))

    @property
    def replayed(self) -> NDArray[np.bool_]:
        """Rows that were reviewed because they were an old question asked again."""
        return coded(self.reason, self.reasons, lambda said: "replay" in said)

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Rows that people agree about."""
        found: NDArray[np.bool_] = self.verdict != UNSETTLED
        return found

    def window(self, since: int, until: int) -> Self:
        """The rows with `since` ≤ time < `until` (ms), as views; codes keep their meaning."""
        first, last = np.searchsorted(self.time, [since, until])
        return self.rows(slice(int(first), int(last)))

    def rows(self, chosen: slice | NDArray[Any]) -> Self:
        """Some rows (a slice, a mask, or indices in ascending order); codes keep their meaning."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in ARRAYS})


ARRAYS: tuple[str, ...] = tuple(field.name for field in fields(History) if get_origin(field.type) is np.ndarray)
"""The names of the columns."""


def coded(codes: NDArray[np.int32], names: Sequence[Any], wanted: Any) -> NDArray[np.bool_]:
    """Rows whose code stands for something wanted. NONE never is."""
    table: NDArray[np.bool_] = np.array([*map(wanted, names), False], dtype=bool)  # the last entry is what -1 picks
    found: NDArray[np.bool_] = table[codes]
    return found
