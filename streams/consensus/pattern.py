"""What a figure looks like in a plain text (see `plain`) whose numerals are in digits: one pattern, and its tables.

Each run of letters and digits is matched once, as a figure or as `word`, and nothing is looked for twice in the same
place: the work grows with the length of a text, whatever the text holds.
"""

import re
from collections.abc import Iterable

from teachback.streams.consensus.amounts import SCALES

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = "gbp usd eur jpy inr chf cad aud nzd sek nok dkk pln czk huf ron bgn isk cny hkd sgd krw thb zar brl mxn aed ils"
CURRENCIES = {
    **{code: code.upper() for code in _ISO.split()},
    "£": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP", "p": "penny", "penny": "penny", "pence": "penny",
    "$": "USD", "us$": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD", "cent": "cent", "cents": "cent",
    "€": "EUR", "euro": "EUR", "euros": "EUR", "¥": "JPY", "yen": "JPY", "₹": "INR", "rupee": "INR", "rupees": "INR",
    "franc": "CHF", "francs": "CHF",
}  # fmt: skip
UNITS = {
    "second": (1, "s"), "sec": (1, "s"), "minute": (60, "s"), "min": (60, "s"), "hour": (3600, "s"), "hr": (3600, "s"),
    "day": (1, "day"), "night": (1, "night"), "week": (7, "day"), "wk": (7, "day"), "fortnight": (14, "day"),
    "month": (1, "month"), "mth": (1, "month"), "quarter": (3, "month"), "year": (12, "month"), "yr": (12, "month"),
    "time": (1, "times"),
}  # fmt: skip
SHORT = {"sec": "second", "min": "minute", "hr": "hour", "wk": "week", "mth": "month", "yr": "year"}
ADVERBS = {
    "hourly": "hour", "daily": "day", "nightly": "night", "weekly": "week", "fortnightly": "fortnight",
    "monthly": "month", "pcm": "month", "pm": "month", "quarterly": "quarter", "yearly": "year", "annual": "year",
    "annually": "year", "annum": "year", "pa": "year", "p.a": "year", "pw": "week",
}  # fmt: skip
TIMES = {"once": "1", "twice": "2", "double": "2", "thrice": "3", "triple": "3"}
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip


def _any(words: Iterable[str]) -> str:
    """A pattern of any of the words."""
    return "(?:" + "|".join(map(re.escape, words)) + ")"


_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WHEN = "|".join(
    rf"(?<=\b{word}\s)" for word in ("in", "by", "of", "until", "till", "from", "since", "before", "after")
)
_SIGN = r"(?:(?<![\w.)])-(?=[\d£$€¥₹]))?"
_NUMBER = rf"\d+(?:[.,]\d+)*(?:\s?{_any(SCALES)}(?!\w))?"
_SYMBOL = "[£$€¥₹₩₽₺₴₪₫₱₦฿₿¢]"
_BEFORE = rf"(?:(?:\b[a-z]{{1,3}})?{_SYMBOL}|\b{_any(_ISO.split())})"
_AFTER = rf"(?:{_SYMBOL}(?!\s?\d)|{_any(name for name in CURRENCIES if name.isalpha())}\b)"
_WORKING = r"(?:working|business|banking)"
# Alone, `second` is an ordinal, `min` a minimum, and `time` no unit.
_ALONE = rf"{_any(unit for unit in UNITS if unit not in {'second', 'sec', 'min', 'time'})}s?|seconds|secs|mins"
# Before these `once` is no number: `once you have signed`.
_SUBJECT = "(?:i|you|we|they|he|she|it|the|this|that|these|those|your|our|their|all|everyone|everything)"

FIGURE = re.compile(
    rf"""
    (?P<address>(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | \b(?P<iy>\d{{4}})-(?P<im>\d\d?)-(?P<id>\d\d?)\b
  | \b(?P<dd>\d\d?)(?:st|nd|rd|th)?(?:\s+of)?[\s-]+(?P<dm>{_MONTH})\b\.?(?:,?[\s-]+(?P<dy>\d{{4}})\b)?
  | \b(?P<mm>{_MONTH})\b\.?\s+(?:the\s+)?(?P<md>\d\d?)(?:st|nd|rd|th)?(?![\w:])(?:,?\s+(?P<my>\d{{4}})\b)?
  | \b(?P<om>{_MONTH})\b\.?,?\s+(?P<oy>\d{{4}})\b
  | \b(?P<sa>\d\d?)[/.](?P<sb>\d\d?)[/.](?P<sy>\d{{4}}|\d\d)\b
  | \b(?P<month>january|february|april|june|july|august|september|october|november|december|(?:{_WHEN}){_MONTH})\b
  | \b(?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mon|tues?|thu(?:rs?)?|fri)\b
  | \b(?P<relative>today|tonight|tomorrow|yesterday)\b
  | \b(?P<h12>0?\d|1\d|2[0-3])(?:[:.](?P<m12>\d\d))?\s?(?P<half>[ap])\.?m\b\.?
  | \b(?P<h24>[01]?\d|2[0-3]):(?P<m24>[0-5]\d)\b
  | \b(?P<noon>noon|midday|midnight)\b
  | (?P<s1>{_SIGN})(?P<cur1>{_BEFORE})\s?(?P<n1>{_NUMBER})(?!\w)
  | (?P<s2>{_SIGN})(?<![\w.])(?P<n2>{_NUMBER})\s?(?P<cur2>{_AFTER})
  | (?P<s3>{_SIGN})(?<![\w.])(?P<n3>{_NUMBER})\s?(?:%|percent\b|per\scent\b|pct\b)
  | (?<![\w.])(?P<n4>{_NUMBER})[\s-]?(?:(?P<working>{_WORKING})[\s-]|calendar[\s-])?(?P<unit>{_any(UNITS)})s?\b
  | (?P<s5>{_SIGN})(?<![\w.])(?P<n5>{_NUMBER})(?![\w/])
  | \b(?:(?:an?|per|each|every)\s)?(?:(?P<at_work>{_WORKING})[\s-])?(?P<alone>{_ALONE})\b
  | \bper\s(?P<short>second|sec|min)\b
  | \b(?P<adverb>{_any(ADVERBS)})\b
  | (?<!\bat\s)\b(?P<times>{_any(TIMES)})\b(?!(?<=once)\s{_SUBJECT}\b)
  | \b(?P<nth>\d+)(?:st|nd|rd|th)\b
  | \b(?P<ordinal>{_any(ORDINALS)})\b
  | \b(?P<vague>half|halves|couple|dozens?|hundreds?|thousands?|millions?|billions?)\b
  | (?P<code>{_SYMBOL}?\w*\d[\w/]*)
  | (?P<word>\w+)
    """,
    re.VERBOSE,
)
