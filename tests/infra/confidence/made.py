"""A made-up past: decisions and verdicts with a known truth, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from teachback.infra.confidence.figures import Figures
from teachback.infra.confidence.figures import figures as figures_of
from teachback.infra.confidence.guarantee import About, Guarantee
from teachback.infra.confidence.guarantee import guarantee as guarantee_of
from teachback.infra.history import ACCEPT, ACCEPTABLE, AUDIT, REVIEW, UNSETTLED, WRONG, Decisions, History, Timed
from teachback.schemas import Calibration, Certificate, Policy
from teachback.schemas.calibration import Quality, RiskPoint, Step, Term
from teachback.schemas.policy import Promise, Rule
from teachback.streams.calibration.decide import State
from teachback.streams.calibration.evidence import Known, Settled

BOT = "support"
PROMISE = Promise()
DAY = 86_400_000
UNTIL = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
SINCE = UNTIL - 30 * DAY
SIGNALS = ("qa_cosine", "mean_logprob", "entropy", "hedging", "cut_off", "log_words")


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def history(
    n: int = 6000,
    seed: int = 1,
    adapters: Sequence[str] = (f"{BOT}@v1", f"{BOT}@v2"),
    audit_rate: float = 0.1,
    threshold: float = 0.85,
    wrong: float = 0.1,
    settled: float = 0.95,
    topics: Sequence[str] = ("cards", "loans"),
) -> History:
    """`n` exchanges over thirty days, the adapters one after the other. About `wrong` of the answers are wrong, and
    signals tell of it; audits and most reviews are settled."""
    lot = np.random.default_rng(seed)
    time = np.sort(lot.integers(SINCE, UNTIL, n))
    trust = np.clip(lot.normal(4.0, 2.5, n) - 20 * (wrong - 0.1), -4, 8)
    right = lot.random(n) < 1 / (1 + np.exp(-trust))
    confidence = np.round(1 / (1 + np.exp(-trust)), 6)
    signals = np.stack(
        [
            np.clip(0.3 + 0.07 * trust + lot.normal(0, 0.15, n), -1, 1),
            -0.9 + 0.15 * trust + lot.normal(0, 0.3, n),
            1.2 - 0.2 * trust + lot.normal(0, 0.3, n),
            np.clip(lot.poisson(0.2, n) / 3, 0, 1),
            (lot.random(n) < 0.02).astype(float),
            lot.normal(4, 0.5, n),
        ],
        axis=1,
    ).astype(np.float32)
    if n:
        signals[lot.random(n) < 0.3, 1:3] = np.nan
    live = lot.random(n) < 0.97
    ruled = lot.random(n) < 0.05
    route = np.where(confidence < threshold, REVIEW, ACCEPT).astype(np.int8)
    route[ruled] = REVIEW
    route[live & (lot.random(n) < audit_rate)] = AUDIT
    looked = (route != ACCEPT) & (lot.random(n) < settled)
    verdict = np.where(looked, np.where(right, ACCEPTABLE, WRONG), UNSETTLED).astype(np.int8)
    reasons = (("audit",), ("confidence<0.85",), (), ("rule:fees",), ("audit", "rule:fees"))
    reason = np.where(route == AUDIT, 0, np.where(route == REVIEW, 1, 2)).astype(np.int32)
    reason[ruled] = np.where(route[ruled] == AUDIT, 4, 3)
    return History(
        bot=BOT,
        ids=np.array([f"x{number}" for number in range(n)], dtype=object),
        time=time,
        adapter=((np.arange(n) * len(adapters)) // max(n, 1)).astype(np.int32),
        adapters=tuple(adapters),
        source=np.where(live, 0, 1).astype(np.int32),
        sources=("live", "replay"),
        topic=lot.integers(0, len(topics), n).astype(np.int32),
        topics=tuple(topics),
        route=route,
        reason=reason,
        reasons=reasons,
        confidence=confidence,
        threshold=np.full(n, threshold),
        policy=np.ones(n, dtype=np.int32),
        calibration=np.full(n, 2, dtype=np.int32),
        signals=signals,
        signal_names=SIGNALS,
        verdict=verdict,
        outcome_time=np.where(looked, time + DAY // 4, 0),
    )


def policy(version: int = 1, promise: Promise | None = PROMISE, rules: tuple[Rule, ...] = ()) -> Policy:
    return Policy(
        id=f"policy-{version}",
        bot=BOT,
        created=moment(SINCE),
        version=version,
        threshold=0.8,
        audit_rate=0.1,
        audit_salt="a salt of enough length",
        promise=promise,
        rules=rules,
    )


def calibration(version: int = 1) -> Calibration:
    terms = [("qa_cosine", 1.1), ("mean_logprob", 0.4), ("entropy", -0.5), ("hedging", -0.3), ("cut_off", -0.1)]
    quality = Quality(n=900, wrong=180, ece=0.021, brier=0.101, auroc=0.86, log_loss=0.33)
    before = Quality(n=900, wrong=180, ece=0.064, brier=0.118, auroc=0.84, log_loss=0.38)
    return Calibration(
        id=f"calibration-{version}",
        bot=BOT,
        created=moment(SINCE),
        version=version,
        intercept=1.4,
        terms=tuple(Term(signal=s, weight=w, centre=0.5, scale=0.2, missing=-0.1) for s, w in terms),
        labels=900,
        audits=310,
        wrong=180,
        sha256="0" * 64,
        quality=quality,
        forerunner=before,
        risk_coverage=(RiskPoint(coverage=0.2, risk=0.01), RiskPoint(coverage=1.0, risk=0.12)),
        walk=tuple(Step(coverage=0.2 + 0.8 * k / 49, threshold=0.97 - 0.9 * k / 49) for k in range(50)),
        traffic=5000,
    )


def certificate(**changes: object) -> Certificate:
    fields: dict[str, object] = {
        "id": "certificate-1",
        "bot": BOT,
        "created": moment(UNTIL - 9 * DAY),
        "state": "certified",
        "adapter": f"{BOT}@v2",
        "calibration": 2,
        "policy": 1,
        "population": policy().population,
        "target": 0.03,
        "confidence": 0.95,
        "attempt": 2,
        "alpha": 0.05 * 6 / (np.pi**2 * 4),
        "threshold": 0.87,
        "coverage": 0.43,
        "audits": 212,
        "errors": 1,
        "unresolved": 0,
        "e_value": 141.3,
    }
    return Certificate(**(fields | changes))  # type: ignore[arg-type]


def decisions(*certificates: Certificate, promise: Promise | None = PROMISE, calibrations: int = 2) -> Decisions:
    return Decisions(
        policies=(Timed(policy(promise=promise), SINCE),),
        calibrations=tuple(Timed(calibration(v), SINCE + v * 3 * DAY) for v in range(1, calibrations + 1)),
        certificates=tuple(Timed(one, UNTIL - (9 - at) * DAY) for at, one in enumerate(certificates)),
    )


def state(past: History, decided: Decisions) -> State:
    """What the writer of certificates knows when a past is all that it has read."""
    found = State(BOT)
    for one in decided.policies:
        found.note_policy(one.event, one.time)
    for event in (*decided.calibrations, *decided.certificates):
        found.note_own(event.event, event.time)
    evidence, ruled = found.evidence, past.ruled
    for row in np.flatnonzero(past.live & (past.route != ACCEPT)):
        id_, time, adapter = past.ids[row], int(past.time[row]), past.adapters[past.adapter[row]]
        route = ("audit", "review")[past.route[row]]
        values = zip(past.signal_names, past.signals[row].tolist(), strict=True)
        signals = {name: value for name, value in values if not np.isnan(value)}
        version = int(past.calibration[row])
        evidence.known[id_] = Known(
            id_, time, (0, int(row)), adapter, route, bool(ruled[row]), int(past.policy[row]), version, signals
        )
        evidence.first_calibration[adapter] = min(version, evidence.first_calibration.get(adapter, version))
        evidence.adapter = adapter
        if past.verdict[row] != UNSETTLED:
            evidence.settled[id_] = Settled(bool(past.verdict[row] == ACCEPTABLE), int(past.outcome_time[row]))
    found.time = UNTIL
    return found


def figures(past: History, decided: Decisions, champion: str) -> Figures:
    return figures_of(past, decided, state(past, decided), champion, SINCE, UNTIL)


def guarantee(past: History, decided: Decisions, adapter: str, champion: str | None = None) -> Guarantee:
    return guarantee_of(About(decided, state(past, decided), past, adapter, UNTIL), champion or adapter)
