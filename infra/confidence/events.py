"""The parts of the report that list what stands on `loop.calibration`, of all time."""

from teachback.infra.confidence.figures import Figures
from teachback.infra.confidence.sheets import Section, Sheet
from teachback.infra.confidence.tell import counted, decimal, percent


def certificates(figures: Figures) -> Section:
    """Every certificate and its end."""
    rows = tuple(
        (
            f"{c.when:%Y-%m-%d %H:%M}",
            c.state,
            c.adapter,
            str(c.calibration),
            decimal(c.threshold, 4),
            percent(c.coverage),
            f"{c.audits:,}",
            f"{c.errors:,}" + (f" ({c.unresolved:,} unsettled)" if c.unresolved else ""),
            (f"{c.e_value:,.3g}" if c.e_value < 1000 else f"{c.e_value:,.0f}") + f" ({c.needed:,.0f})",
            c.reason,
        )
        for c in figures.certificates
    )
    heads = ("when (UTC)", "state", "adapter", "calibration", "threshold", "coverage", "audits", "wrong")
    return Section(
        "certificates",
        "Certificates",
        "A certificate is a threshold with a promise. It comes once the evidence from audits reaches what is "
        "needed, and it is withdrawn when later audits speak against it. Evidence is how many times better the "
        "audits look than they could be expected to if the promise were false; in brackets, what was needed.",
        f"{counted(len(rows), 'event')} on the log, of all time.",
        Sheet((*heads, "evidence (needed)", "reason"), rows, frozenset({0, 1, 2, 9})),
        "" if rows else "None has been issued yet.",
    )


def calibrations(figures: Figures) -> Section:
    """Every version of the calibration."""
    rows = tuple(
        (
            f"{c.when:%Y-%m-%d %H:%M}",
            str(c.version) + (" (in force)" if c.version == figures.calibration else ""),
            f"{c.labels:,}",
            f"{c.audits:,}",
            f"{c.wrong:,}",
            _beside(c.quality.ece, c.forerunner.ece if c.forerunner else None),
            _beside(c.quality.brier, c.forerunner.brier if c.forerunner else None),
            _beside(c.quality.auroc, c.forerunner.auroc if c.forerunner else None),
        )
        for c in figures.calibrations
    )
    return Section(
        "calibrations",
        "Calibrations",
        "A calibration is what was learnt from reviewers: how to turn signals into a confidence. In brackets, the "
        "version before on the same answers. ECE is the mean gap between told and found, Brier the mean squared "
        "error: lower is better. AUROC is how well right and wrong are told apart: higher is better, 0.5 is a coin.",
        f"{counted(len(rows), 'version')} on the log."
        + ("" if figures.calibration else " For the adapter in service the stated prior is in force."),
        Sheet(
            ("when (UTC)", "version", "labels", "of them audits", "wrong", "ECE", "Brier", "AUROC"),
            rows,
            frozenset({0, 1}),
        ),
        "" if rows else "None has been fitted yet: confidences are those of the stated prior, which nobody has tested.",
    )


def _beside(value: float | None, before: float | None) -> str:
    return decimal(value) if before is None else f"{decimal(value)} ({decimal(before)})"
