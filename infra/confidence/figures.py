"""All that the page and the table show, from a history and decisions: pure."""

from datetime import datetime

import msgspec

from teachback.infra.confidence.audits import claimed, judging
from teachback.infra.confidence.guarantee import About, Guarantee, guarantee
from teachback.infra.confidence.measures import Bin, CurvePoint, reliability, risk_curve
from teachback.infra.confidence.records import CalibrationRow, CertificateRow, calibrations, certificates
from teachback.infra.confidence.signals import SignalRow, signals
from teachback.infra.confidence.tallies import (
    AdapterCount,
    Counts,
    Day,
    Histogram,
    audited,
    by_adapter,
    counts,
    days,
    histogram,
    moment,
)
from teachback.infra.history import ACCEPTABLE, Decisions, History
from teachback.infra.whatif.rescore import weights
from teachback.schemas import Quality
from teachback.streams.calibration.decide import State
from teachback.streams.calibration.quality import quality


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One bot, one window of time. Certificates and calibrations are those of all time."""

    bot: str
    since: datetime
    until: datetime
    counts: Counts
    adapters: tuple[AdapterCount, ...]
    told: Quality | None
    """How good the confidences were that settled audits were told; None without one."""
    audits: tuple[Bin, ...]
    reviews: tuple[Bin, ...]
    calibration: int
    """The version in force for the adapter in service; 0 is the stated prior."""
    curve: tuple[CurvePoint, ...]
    """Of the adapter in service, by that version; only audits that it has not learnt from."""
    threshold: float | None
    """The threshold in force for that adapter."""
    histogram: Histogram
    signals: tuple[SignalRow, ...]
    days: tuple[Day, ...]
    certificates: tuple[CertificateRow, ...]
    calibrations: tuple[CalibrationRow, ...]
    guarantee: Guarantee


def figures(history: History, decisions: Decisions, state: State, champion: str, since: int, until: int) -> Figures:
    """Everything at once. Times in ms; the history is that of the window, the state that of all time."""
    stands = guarantee(About(decisions, state, history, champion, until), champion)
    certificate = stands.certificate if stands.stands else None
    version = certificate.calibration if certificate else len(decisions.calibrations)
    told, read = _judged(history, audits=True), _judged(history, audits=False)
    return Figures(
        bot=history.bot,
        since=moment(since),
        until=moment(until),
        counts=counts(history),
        adapters=by_adapter(history),
        told=quality(told.confidence, told.verdict == ACCEPTABLE) if len(told) else None,
        audits=reliability(told.confidence, told.verdict == ACCEPTABLE),
        reviews=reliability(read.confidence, read.verdict == ACCEPTABLE),
        calibration=version,
        curve=_curve(history, decisions, champion, version),
        threshold=certificate.threshold if certificate else stands.threshold,
        histogram=histogram(history),
        signals=signals(history, weights(history, decisions, version).terms),
        days=days(history, since, until),
        certificates=certificates(decisions),
        calibrations=calibrations(decisions),
        guarantee=stands,
    )


def _judged(history: History, audits: bool) -> History:
    """Live exchanges that people agree about: the audits, or the others."""
    return history.rows(history.live & history.settled & (audited(history) == audits))


def _curve(history: History, decisions: Decisions, adapter: str, version: int) -> tuple[CurvePoint, ...]:
    claim = claimed(history, decisions, adapter, version)
    kept = claim.open & judging(claim.history, version)
    return risk_curve(claim.scores[kept], claim.history.verdict[kept] == ACCEPTABLE)
