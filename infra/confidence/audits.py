"""The answers that a promise about one adapter is about."""

import msgspec
import numpy as np

from teachback.infra.history import AUDIT, Decisions, History
from teachback.infra.history.columns import coded
from teachback.infra.whatif.rescore import rescored
from teachback.streams.confidence import PRIOR, Floats
from teachback.streams.guarantee import side
from teachback.streams.guarantee.walk import Bools


class Claimed(msgspec.Struct, frozen=True):
    """The live answers of one adapter, and their confidence by one calibration."""

    history: History
    scores: Floats
    open: Bools
    """Named by no rule, so that a threshold decides about them."""

    def above(self, threshold: float) -> Bools:
        """The answers that the threshold would accept, audits among them."""
        return self.open & (self.scores >= threshold)


def claimed(history: History, decisions: Decisions, adapter: str, version: int) -> Claimed:
    """What a promise about the adapter by this version is about. Raises HistoryError for an unknown version."""
    mine = answered_by(history, adapter)
    return Claimed(mine, rescored(mine, decisions, version), ~mine.ruled)


def answered_by(history: History, adapter: str) -> History:
    """The adapter's live answers."""
    return history.rows(history.live & coded(history.adapter, history.adapters, lambda name: name == adapter))


def judging(history: History, version: int) -> Bools:
    """The settled audits that a calibration has not learnt from. The stated prior has learnt from none."""
    kept: Bools = (history.route == AUDIT) & history.settled
    if version != PRIOR.version:
        places = np.flatnonzero(kept)
        kept[places] = [side(id_) == "certify" for id_ in history.ids[places]]
    return kept
