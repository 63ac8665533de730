"""What scores and routes each adapter's answers now: calibration, its quality and weights, the threshold. Pure."""

import msgspec

from teachback.infra.history import Decisions
from teachback.infra.threshold import InForce, folded, threshold_in_force
from teachback.schemas.calibration import Quality, Term
from teachback.streams.calibrations import Standing, keeps
from teachback.streams.confidence import PRIOR, weights_of


class AdapterStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter. The stated prior (calibration 0) has learnt from no label, and has no quality."""

    adapter: str
    serving: bool
    routing: InForce
    certificate: str | None
    """Id of the certificate that sets the threshold; None where the policy does."""
    labels: int = 0
    audits: int = 0
    wrong: int = 0
    quality: Quality | None = None
    forerunner: Quality | None = None
    intercept: float
    terms: tuple[Term, ...]
    """Those that move the confidence most first: a fit's weights are for a standard deviation of each signal."""


def standings(decisions: Decisions, bot: str, champion: str) -> tuple[AdapterStanding, ...]:
    """The adapter in service, then each other that has a certificate in force; empty before the first policy."""
    policy = decisions.policy
    if policy is None:
        return ()
    stands = folded(decisions, bot)
    certified = [name for name, one in stands.certificates.items() if keeps(one, policy)]
    names = dict.fromkeys((champion, *sorted(certified)))
    return tuple(_standing(decisions, stands, bot, name, name == champion) for name in names)


def _standing(decisions: Decisions, stands: Standing, bot: str, name: str, serving: bool) -> AdapterStanding:
    routing = threshold_in_force(decisions, bot, name)
    assert routing is not None
    fit = stands.calibrations.get(routing.calibration)
    weights = weights_of(fit) if fit else PRIOR
    return AdapterStanding(
        adapter=name,
        serving=serving,
        routing=routing,
        certificate=stands.certificates[name].id if routing.certified else None,
        labels=fit.labels if fit else 0,
        audits=fit.audits if fit else 0,
        wrong=fit.wrong if fit else 0,
        quality=fit.quality if fit else None,
        forerunner=fit.forerunner if fit else None,
        intercept=weights.intercept,
        terms=tuple(sorted(weights.terms, key=lambda term: (-abs(term.weight), term.signal))),
    )
