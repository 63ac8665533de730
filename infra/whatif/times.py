"""Times as people give them to a command: `24h`, `7d`, `2w` ago, or a moment."""

import re
from datetime import UTC, datetime

UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])", re.IGNORECASE)
EXAMPLES = "such as 24h, 7d, 2w, 2026-05-31 or 2026-05-31T14:00Z"


def moment(text: str, now: int) -> int:
    """The moment (ms) that a text names: so long before `now` (ms), or a date or time (UTC unless it says otherwise).

    Raises ValueError, saying what was wrong, for what is neither, and for what lies in the future or before 1970.
    """
    found = _ago(text.strip(), now)
    if found > now:
        raise ValueError(f"{text!r} lies in the future")
    if found < 0:
        raise ValueError(f"{text!r} lies too far back")
    return found


def _ago(text: str, now: int) -> int:
    if match := DURATION.fullmatch(text):
        return now - round(float(match[1]) * UNITS_MS[match[2].lower()])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: give how long ago (m, h, d, w) or a date, {EXAMPLES}") from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
