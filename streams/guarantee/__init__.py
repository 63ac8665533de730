"""The statistics of the promise "at most so many wrong among the answers that nobody looks at". Pure; no I/O.

Audits are a uniform sample of live traffic, drawn before anyone looks at a score. `sides` puts each where a calibration
may learn from it or where it certifies; `evalue` weighs the evidence for one threshold, valid after every audit;
`walk` tries thresholds from strict to loose; `drift` says when audits since speak against what was certified.
"""

from teachback.streams.guarantee.drift import AVERAGE_RUN, alarm
from teachback.streams.guarantee.evalue import alpha_of, log_e_value, missing
from teachback.streams.guarantee.sides import CERTIFY_SHARE, Side, side
from teachback.streams.guarantee.walk import Found, Stand, walk, walk_of

__all__ = [
    "AVERAGE_RUN",
    "CERTIFY_SHARE",
    "Found",
    "Side",
    "Stand",
    "alarm",
    "alpha_of",
    "log_e_value",
    "missing",
    "side",
    "walk",
    "walk_of",
]
