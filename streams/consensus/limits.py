"""Which way a limit beside a figure points: `over £500`, `18 or under`, `until Friday`. Pure.

Words of one meaning share a sign; what isn't quite the same (`by` and `before`) has another, for in doubt texts differ.
"""

import re

_BEFORE = {
    "<=": "at (?:the )?most|up to|(?:no|not) (?:more|greater|higher|longer|older) than|not exceeding|within"
          "|max(?:imum|\\.)?(?: of)?|≤|<=",
    "<": "(?:less|fewer|lower|smaller|shorter|younger) than|under|below|<",
    ">=": "at (?:the )?least|(?:no|not) (?:less|fewer|lower|smaller|shorter|younger) than|min(?:imum|\\.)?(?: of)?"
          "|≥|>=",
    ">": "(?:more|greater|higher|larger|longer|older) than|over|above|exceeding|in excess of|>",
    "until": "until|till|til",
    "by": "(?:no|not) later than|by",
    "before": "before|prior to|earlier than|sooner than",
    "from": "(?:no|not) (?:earlier|sooner) than|from|since|starting|as of",
    "after": "after|later than",
}  # fmt: skip
_BEHIND = {
    "<=": "(?:or|and) (?:less|fewer|under|below|lower|younger|shorter)|at (?:the )?most|max(?:imum)?",
    ">=": "(?:or|and) (?:more|over|above|higher|older|longer|greater)|at (?:the )?least|min(?:imum)?",
    "from": "(?:or|and) later|onwards?",
    "by": "or (?:earlier|sooner)|at the latest",
}
# Words that may stand between a limit and its figure.
_FILLERS = r"(?:the\s)?(?:(?:age\sof|about|around|last|past|next|following)\s)?"
_WINDOW = 40  # characters before a figure in which a limit is looked for


def _either(words: dict[str, str]) -> str:
    """A pattern of all the words; group i + 1 is that of the i-th sign."""
    return "(?:" + "|".join(f"({these})" for these in words.values()).replace(" ", r"\s") + ")"


# Searching finds the leftmost match, so the longest phrase: `no more than`, not `more than`.
_LEFT = re.compile(rf"(?<!\w){_either(_BEFORE)}[\s-]?{_FILLERS}\(?$")
_RIGHT = re.compile(rf"(?:\s?(\+)|(?:\s[a-z]+)?\s{_either(_BEHIND)}\b)(?!\s?[£$€\d])")


def limit(text: str, floor: int, start: int, end: int) -> str:
    """The sign of a limit on the figure at text[start:end], "" if there is none; the figure before ends at `floor`."""
    left = _LEFT.search(text[max(floor, start - _WINDOW) : start])
    right = _RIGHT.match(text, end)
    before = "" if left is None else list(_BEFORE)[(left.lastindex or 1) - 1]
    behind = "" if right is None else [">=", *_BEHIND][(right.lastindex or 1) - 1]
    return before + behind
