"""Words and their contraries: `raise` and `lower`, `in` and `out`. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from teachback.streams.consensus.words import stem

_PAIRS = (
    # limits and directions
    ("over above more atleast exceed higher longer older", "under below less fewer atmost lower shorter younger"),
    ("before until till", "after since from"),
    ("to into towards", "from"),
    ("in inside", "out outside"),
    ("on", "off"),
    ("up upwards", "down downwards"),
    ("raise increase rise grow", "lower decrease reduce fall drop cut"),
    ("first next following", "last previous past"),
    ("early earlier earliest", "late later latest"),
    ("high", "low"),
    ("long", "short"),
    ("large larger big bigger", "small smaller"),
    ("most many", "few"),
    ("abroad overseas foreign international", "home domestic"),
    ("arrive", "leave depart"),
    ("maximum max most", "minimum min least"),
    # duties and permissions
    ("can may might could optional", "must need required mandatory compulsory"),
    ("allow permit accept approve", "forbid prohibit ban refuse decline reject"),
    ("include including", "exclude excluding except"),
    ("yes", "no"),
    ("true right correct", "false wrong"),
    ("always", "usually often sometimes rarely"),
    ("all every", "some"),
    ("both", "either"),
    # money
    ("debit", "credit"),
    ("deposit", "withdraw withdrawal"),
    ("send", "receive"),
    ("incoming", "outgoing"),
    ("borrow", "lend"),
    ("buy", "sell"),
    ("gain profit", "loss"),
    ("fixed", "variable"),
    ("cheap cheaper", "expensive dearer"),
    # things one does
    ("open", "close"),
    ("start begin", "end stop finish"),
    ("add", "remove"),
    ("enable activate", "disable deactivate"),
    ("fast faster quick quicker", "slow slower"),
    ("weekday", "weekend"),
    ("morning", "afternoon evening"),
    ("old", "new"),
    ("online", "offline"),
    ("personal", "business"),
)


def _sides() -> dict[str, list[tuple[int, str]]]:
    """Of each stem, the pairs that it belongs to, and on which side."""
    sides: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for pair, both in enumerate(_PAIRS):
        for side, words in zip("ab", both, strict=True):
            for known in sorted({stem(word) for word in words.split()}):
                sides[known].append((pair, side))
    return dict(sides)


_SIDES = _sides()


def contrary(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether the words of a text speak against those of another.

    They do if one has more of one side of a pair and the other more of the other side (a word that is merely left out
    says nothing), or if both have as many of both sides, but in another order.
    """
    mine, yours = _said(one), _said(other)
    return any(_speak_against(mine[pair], yours[pair]) for pair in mine.keys() & yours.keys())


def _said(words: Iterable[str]) -> dict[int, str]:
    """Of each pair, its sides in the order in which a text has them, such as `aab`."""
    said: dict[int, list[str]] = defaultdict(list)
    for word in words:
        for pair, side in _SIDES.get(stem(word), ()):
            said[pair].append(side)
    return {pair: "".join(sides) for pair, sides in said.items()}


def _speak_against(one: str, other: str) -> bool:
    more_a, more_b = (one.count(side) - other.count(side) for side in "ab")
    return more_a * more_b < 0 or (more_a == more_b == 0 and one != other)
