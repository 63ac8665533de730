"""The certificates and calibrations of a bot as rows, newest first."""

from datetime import datetime
from typing import Literal, NamedTuple

from teachback.infra.confidence.tallies import moment
from teachback.infra.history import Decisions
from teachback.schemas.calibration import Quality


class CertificateRow(NamedTuple):
    """One event about a promise. `needed` is the e-value that certifies."""

    when: datetime
    state: Literal["certified", "withdrawn"]
    adapter: str
    calibration: int
    threshold: float
    coverage: float
    audits: int
    errors: int
    unresolved: int
    e_value: float
    needed: float
    reason: str


class CalibrationRow(NamedTuple):
    """One version, and how it compares with the one before on the same exchanges."""

    when: datetime
    version: int
    labels: int
    audits: int
    wrong: int
    quality: Quality
    forerunner: Quality | None


def certificates(decisions: Decisions) -> tuple[CertificateRow, ...]:
    """Every certificate and withdrawal on the log, whatever the window: there are few, and all matter."""
    rows = (
        CertificateRow(
            when=moment(time),
            state=one.state,
            adapter=one.adapter,
            calibration=one.calibration,
            threshold=one.threshold,
            coverage=one.coverage,
            audits=one.audits,
            errors=one.errors,
            unresolved=one.unresolved,
            e_value=one.e_value,
            needed=1 / one.alpha if one.alpha else float("inf"),
            reason=one.reason or "",
        )
        for one, time in reversed(decisions.certificates)
    )
    return tuple(rows)


def calibrations(decisions: Decisions) -> tuple[CalibrationRow, ...]:
    """Every version on the log."""
    rows = (
        CalibrationRow(moment(time), one.version, one.labels, one.audits, one.wrong, one.quality, one.forerunner)
        for one, time in reversed(decisions.calibrations)
    )
    return tuple(rows)
