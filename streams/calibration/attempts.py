"""Which calibrations are tried for an adapter, under which promise, and how all of them share one α. Pure.

An attempt is a calibration that is tried about one population (the rules) for one target. The k-th of an adapter is
tested at 6α ÷ (π² k²), with α = 1 − the confidence that is asked for. Attempts are counted over every population and
target that was ever asked for, so no change of the policy opens the purse again: of all that is ever certified for the
adapter with confidence c or more, the chance that any is wrong is at most 1 − c. (Those shares sum to at most 1 − c,
whatever greater confidence was asked for at which k; and one e-value may be held against any level.)

Anybody can count them again from the log. Go through `loop.policy` and `loop.calibration` in the order of broker time
(of equals the policy first), from the policy and the calibration under which the adapter first answered, but not the
prior, which is a guess:

- a policy with another population or target tries the newest calibration about that, unless that was tried before;
- a calibration is tried for what is then asked for;
- the withdrawal of a certificate of this adapter tries the newest calibration anew, in place of all attempts before it.

Whoever goes back to what was asked for earlier finds its attempts as they were: the same e-values at the same shares.
An attempt rests only on audits that were scored after its calibration was published, after what it is about was last
asked for anew, and after the last withdrawal (`since`). For people choose policies by looking at audits; and what a fit
learns from is not free of older audits, though they certify and no fit sees them: the threshold that they proved
decided what was reviewed, and what was approved of them stands among the signals of later answers.
"""

from collections.abc import Iterable
from heapq import merge
from typing import Generic, NamedTuple, TypeVar

from teachback.schemas import Calibration, Certificate, Event, Policy

E_co = TypeVar("E_co", bound=Event, covariant=True)
Own = Calibration | Certificate


class Timed(NamedTuple, Generic[E_co]):
    """An event, and the broker's time of it, in ms."""

    event: E_co
    time: int


class Asked(NamedTuple):
    """What a promise is about: a hash of the rules, and the largest share of wrong answers."""

    population: str
    target: float


class Attempt(NamedTuple):
    """A calibration that is tried for an adapter. `since` is broker time in ms: only later audits count.

    `asked` is what it is tried for, None where nobody says; `withdrawals` of the adapter came before it.
    """

    number: int
    calibration: Calibration
    since: int
    asked: Asked | None = None
    withdrawals: int = 0


class First(NamedTuple):
    """The versions under which an adapter first answered."""

    policy: int = 0
    calibration: int = 0


def asked_of(policy: Policy) -> Asked | None:
    """What the policy asks for; None without a promise."""
    return None if policy.promise is None else Asked(policy.population, policy.promise.target)


def attempts(policies: Iterable[Timed[Policy]], own: Iterable[Timed[Own]], adapter: str, first: First) -> list[Attempt]:
    """Every attempt so far for an adapter, by number. Both are in the order of the log, versions without a gap."""
    opened: dict[tuple[Asked, int, int], Attempt] = {}
    asked: Asked | None = None
    newest: Calibration | None = None
    policy = since = published = withdrawals = 0
    turns: Iterable[Timed[Event]] = merge(policies, own, key=lambda turn: turn.time)
    for event, time in turns:
        if isinstance(event, Policy):
            if asked_of(event) != asked and event.version > max(1, first.policy):
                since = time
            policy, asked = event.version, asked_of(event)
        elif isinstance(event, Calibration):
            newest, published = event, time
        elif isinstance(event, Certificate) and event.state == "withdrawn" and event.adapter == adapter:
            withdrawals, since = withdrawals + 1, time
        if asked and newest and policy >= first.policy and newest.version >= first.calibration:
            attempt = Attempt(len(opened) + 1, newest, max(since, published), asked, withdrawals)
            opened.setdefault((asked, newest.version, withdrawals), attempt)
    return list(opened.values())


def live(tried: Iterable[Attempt], asked: Asked | None, withdrawals: int) -> list[Attempt]:
    """Those that may still earn a certificate: tried for what is asked for now, and since the last withdrawal."""
    return [one for one in tried if asked is not None and (one.asked, one.withdrawals) == (asked, withdrawals)]
