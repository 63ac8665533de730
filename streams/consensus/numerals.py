"""English numerals in words, rewritten in digits: `two hundred and five` becomes `205`. Pure."""

import re

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", *(f"{o}teen" for o in ("thir", "four", "fif", "six", "seven", "eigh", "nine"))]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {
    "zero": 0,
    **{word: i for i, word in enumerate(_ONES, 1)},
    **{word: i for i, word in enumerate(_TEENS, 10)},
    **{word: i * 10 for i, word in enumerate(_TENS, 2)},
}
_SCALES = {"thousand": 1000, "million": 1_000_000}

_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES)}))?|{'|'.join(_TEENS + _ONES)})"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|a)\s+hundred(?:\s+(?:and\s+)?{_BELOW_100})?|{_BELOW_100})"
_NUMERAL = re.compile(
    rf"\b(?:(?:{_BELOW_1000}|a)\s+(?:thousand|million)(?:\s+(?:and\s+)?{_BELOW_1000})?|{_BELOW_1000}|zero)\b"
)
_PRONOUN_AFTER = {"this", "that", "the", "no", "any", "each", "every", "which", "another", "new", "some", "other"}
_LAST_WORD = re.compile(r"([a-z']+)\s+$")
_NEXT_IS_NOUN = re.compile(r"[\s-]+(?!(?:of|or|and|to|is|that|who|which|by|at|in)\b)[a-z%]")


def spelt_in_digits(text: str) -> str:
    """The text, a `plain` one, with its numerals in digits. `one` stays where it is a pronoun: `this one`."""
    return _NUMERAL.sub(_in_digits, text)


def _in_digits(match: re.Match[str]) -> str:
    if match[0] == "one" and _is_pronoun(match):
        return match[0]
    total = current = 0
    for word in re.findall(r"[a-z]+", match[0]):
        if word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
        elif word == "hundred":
            current = max(current, 1) * 100
        else:
            current += _VALUES.get(word, 0)  # `a` and `and` count nothing
    return str(total + current)


def _is_pronoun(match: re.Match[str]) -> bool:
    before = _LAST_WORD.search(match.string, max(0, match.start() - 20), match.start())
    return (before is not None and before[1] in _PRONOUN_AFTER) or not _NEXT_IS_NOUN.match(match.string, match.end())
