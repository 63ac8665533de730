"""Does an answer state the right figures? Strict about numbers, lenient about how they are written.

Both sides are read as tokens, in which a number has one spelling only; a figure is stated when its tokens stand in a
row in the answer. So "GBP 4.50", "£ 4.5" and "4.50 pounds" are all "£4.50", and "two working days" is
"2 working days"; but "£14.50", "£4.55" and "$4.50" are not "£4.50", for each has another token.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: value for value, word in enumerate(_UNITS + _TEENS)}
_VALUES |= {word: 10 * tens for tens, word in enumerate(_TENS, start=2)}
_VALUES |= {"a": 1}

_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS)}))?|{'|'.join(_TEENS + _UNITS)})"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|a) hundred(?: (?:and )?{_BELOW_100})?|{_BELOW_100})"
_SPELT = re.compile(rf"\b(?:(?:{_BELOW_1000}|a) thousand(?: (?:and )?{_BELOW_1000})?|{_BELOW_1000})\b")

_SCALES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}
_TOKEN = re.compile(
    r"""
      (?<![£$€\d.,]) (?P<hour>\d{1,2}) (?:[:.](?P<minute>\d\d))? \ ?(?P<half>[ap])\.?m\b
    | (?P<number>\d{1,3}(?:\ \d{3})+(?!\d) | \d(?:[\d.,]*\d)?) (?:\ ?(?P<scale>k|m|thousand|million)\b)?
    | (?P<word>[^\W\d_]+)
    | (?P<sign>[^\w\s])
    """,
    re.VERBOSE,
)
_PLAIN_NUMBER = re.compile(r"(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d+)?")
_SAME = {"gbp": "£", "pound": "£", "quid": "£", "percent": "%", "business": "working"}
_IGNORED_SIGNS = frozenset("-'\"*`()[]")


def has_figures(answer: str, figures: Iterable[str]) -> bool:
    """Whether `answer` states every one of `figures`; true when there are none to state.

    A figure that is a bare number is stated by that number with any unit, and the ends of a range both count: this
    asks whether the right figures are there, not whether the sentence around them is true.
    """
    said = _tokens(answer)
    return all(_stands_in(said, _tokens(figure)) for figure in figures)


def _stands_in(said: list[str], figure: list[str]) -> bool:
    return any(said[start : start + len(figure)] == figure for start in range(len(said) - len(figure) + 1))


def _tokens(text: str) -> list[str]:
    """`text` as tokens, with "£" always before its number."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(_plain(text)):
        token = _token(match)
        if token == "£" and tokens and tokens[-1][0].isdigit():
            tokens.insert(-1, token)  # "4.50 pounds"
        elif token not in _IGNORED_SIGNS:
            tokens.append(token)
    return tokens


def _plain(text: str) -> str:
    """Lower case, one kind of space, hyphen and apostrophe, and spelt-out numbers as digits."""
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text).replace("’", "'").replace("per cent", "percent")
    return _SPELT.sub(lambda spelt: str(_value(spelt[0])), text)


def _value(spelt: str) -> int:
    """The value of a spelt-out number below a million, such as "a hundred and twenty"."""
    thousands = below = 0
    for word in spelt.replace("-", " ").split():
        if word == "thousand":
            thousands, below = 1_000 * below, 0
        elif word == "hundred":
            below *= 100
        else:
            below += _VALUES.get(word, 0)  # "and" adds nothing
    return thousands + below


def _token(match: re.Match[str]) -> str:
    if match["hour"]:
        return f"{int(match['hour'])}:{match['minute'] or '00'}{match['half']}m"
    if match["number"]:
        return _number(match["number"], _SCALES.get(match["scale"], 1))
    word = match[0].removesuffix("s") if len(match[0]) > 3 and not match[0].endswith("ss") else match[0]
    return _SAME.get(word, word)


def _number(digits: str, scale: int) -> str:
    """One spelling for each value; what is no plain number ("4,50") stays as written and equals nothing else."""
    if not _PLAIN_NUMBER.fullmatch(digits):
        return digits
    return f"{(Decimal(digits.replace(',', '').replace(' ', '')) * scale).normalize():f}"
