"""A text as it is read for comparing: one spelling of letters, digits, dashes, apostrophes and white space. Pure.

Patterns are matched against this, never against the text itself and never ignoring case: Python's IGNORECASE takes two
Turkish letters for `i`, and what it then finds no table of words knows.
"""

import re
import unicodedata

TEXTS_KEPT = 256  # readings of a text to keep: those of one exchange are compared with each other again and again

_SIGNS = str.maketrans({
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201b\u2032\u02b9\u02bc\u00b4`", "'"),
    "\u2044": "/",  # fraction slash
    "\u0130": "I", "\u0131": "i", "\u0307": None,  # the Turkish letters; what is left of a decomposed one is its dot
})  # fmt: skip
_SHORT_DAYS = {"Sat": "saturday", "SAT": "saturday", "Sun": "sunday", "SUN": "sunday", "Wed": "wednesday"}
_SHORT_DAY = re.compile(rf"\b(?:{'|'.join(_SHORT_DAYS)})\b")


def plain(text: str) -> str:
    """The text in lower case and compatibility form, its digits ASCII, its lines without blank ones.

    Short names of days are written out where lower case would make another word of them.
    """
    signs = "".join(map(_sign, text.translate(_SIGNS)))
    signs = unicodedata.normalize("NFKC", signs).translate(_SIGNS)
    signs = _SHORT_DAY.sub(lambda day: _SHORT_DAYS[day[0]], signs).casefold()
    lines = (" ".join(line.split()) for line in signs.splitlines())
    return "\n".join(line for line in lines if line)


def _sign(char: str) -> str:
    """One character, in digits if it is one; what cannot be seen is left out."""
    if char.isascii():
        return char
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "No":  # `5²` is not 52, and `1½` not 11/2
        return f" {unicodedata.normalize('NFKC', char)} "
    return "" if category == "Cf" else char
