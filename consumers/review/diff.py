"""What changed between two texts, word by word."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Change(NamedTuple):
    """A stretch of text that both have, or only the old one, or only the new one."""

    kind: Literal["same", "gone", "new"]
    text: str


def word_diff(old: str, new: str) -> list[Change]:
    """The way from `old` to `new`: joining `same` and `gone` gives the old text, `same` and `new` the new one."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    changes: list[Change] = []
    for step, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step == "equal":
            changes.append(Change("same", "".join(before[a:b])))
            continue
        changes += [Change("gone", "".join(before[a:b]))] if b > a else []
        changes += [Change("new", "".join(after[c:d]))] if d > c else []
    return changes
