"""Which audits a calibration may learn from, and which certify. Never both: what was fitted to is no evidence."""

import hashlib
from typing import Literal

Side = Literal["calibrate", "certify"]
CERTIFY_SHARE = 0.75
"""Reviews teach a calibration too, but only audits certify: so they get the larger part."""


def side(exchange: str) -> Side:
    """The side of an audit: by SHA-256 of its id, which nothing about the answer decides."""
    digest = hashlib.sha256(f"side\x1f{exchange}".encode()).digest()
    return "certify" if int.from_bytes(digest[:8], "big") / 2**64 < CERTIFY_SHARE else "calibrate"
