"""Confidence by another calibration, from the signals that the decisions recorded."""

import numpy as np

from teachback.infra.history import Decisions, History, HistoryError
from teachback.streams.confidence import PRIOR, Floats, Weights, confidences, weights_of


def rescored(history: History, decisions: Decisions, version: int) -> Floats:
    """Each row's confidence by a version of `loop.calibration`; 0 is the stated prior.

    Rows that were scored by that version keep what was recorded. Signals are kept in single precision, so a confidence
    may differ from what scoring would have computed in its sixth decimal. Raises HistoryError for an unknown version.
    """
    scores = confidences(history.signals.astype(np.float64), history.signal_names, weights(history, decisions, version))
    return np.where(history.calibration == version, history.confidence, scores)


def weights(history: History, decisions: Decisions, version: int) -> Weights:
    """The weights of a version. Raises HistoryError, naming those there are."""
    if version == PRIOR.version:
        return PRIOR
    if (found := decisions.calibration_of(version)) is None:
        known = ", ".join(["0 (the stated prior)", *(str(one.event.version) for one in decisions.calibrations)])
        raise HistoryError(f"bot {history.bot!r} has no calibration {version}; there is {known}")
    return weights_of(found)
