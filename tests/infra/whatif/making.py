"""Made-up traffic with known answers: what people would have found is known of every exchange, not of audits alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from teachback.infra.history import Decisions, History, Timed
from teachback.infra.history.build import Builder, Row
from teachback.schemas import Exchange, Message, Policy
from teachback.schemas.topics import DAY_MS
from teachback.streams.route import route

BOT = "harbour"
SALT = "a salt for tests"
TOPICS = ("cards", "loans", None)
DAY_0 = 20_000 * DAY_MS


def policy(version: int = 1, **fields: Any) -> Policy:
    """A version of the policy."""
    stated: dict[str, Any] = {"threshold": 0.8, "audit_rate": 0.1, "audit_salt": SALT} | fields
    return Policy(id=f"p{version}", bot=BOT, created=datetime(2026, 1, 1, tzinfo=UTC), version=version, **stated)


def decisions(*policies: Policy) -> Decisions:
    """These policies, the first long before any traffic."""
    return Decisions(tuple(Timed(one, 0) for one in policies))


class Traffic(msgspec.Struct):
    """Exchanges, and for each whether its answer was right: routed by the policies of their days."""

    exchanges: list[Exchange]
    confidences: list[float]
    right: list[bool]
    times: list[int]
    versions: list[Policy]

    def history(self, settled: Callable[[int], bool] = lambda _: True) -> History:
        """What the log would hold: everything routed, audits and reviews judged where `settled` says so."""
        builder = Builder(BOT)
        rows, verdicts = [], {}
        for number, exchange in enumerate(self.exchanges):
            found = row(exchange, self.confidences[number], self.versions[number])
            rows.append(found)
            if found.route != "accept" and settled(number):
                verdicts[exchange.id] = (self.right[number], self.times[number] + 1000)
        builder.add(rows, self.times)
        return builder.history(verdicts, 0)

    def routed(self, **changes: Any) -> list[str]:
        """Where the router itself would have sent each, under the policies with some fields changed."""
        found = []
        for exchange, confidence, version in zip(self.exchanges, self.confidences, self.versions, strict=True):
            by = msgspec.structs.replace(version, **changes)
            found.append(route(exchange, confidence, by, by.threshold).route)
        return found


def row(exchange: Exchange, confidence: float, by: Policy) -> Row:
    """The decision about an exchange, as the scoring leg records it."""
    routed = route(exchange, confidence, by, by.threshold)
    return Row(
        id=exchange.id,
        bot=exchange.bot,
        adapter=exchange.adapter,
        source=exchange.source,
        signals={"qa_cosine": confidence},
        confidence=confidence,
        route=routed.route,
        reasons=routed.reasons,
        policy=by.version,
        calibration=0,
        topic=exchange.topic,
        threshold=by.threshold,
    )


def traffic(count: int, *policies: Policy, days: int = 2, seed: int = 1) -> Traffic:
    """`count` exchanges spread evenly over `days`; one in ten is no customer's. The policies take equal turns."""
    dice = random.Random(seed)
    made = Traffic([], [], [], [], [])
    for number in range(count):
        confidence = round(dice.betavariate(4, 2), 6)
        topic = dice.choice(TOPICS)
        made.exchanges.append(
            Exchange(
                id=f"x{seed}-{number}",
                bot=BOT,
                created=datetime(2026, 1, 1, tzinfo=UTC),
                conversation=f"c{number}",
                messages=(Message(role="user", content=f"{topic}: what does it cost? {dice.choice(['fee', 'rate'])}"),),
                answer="nothing",
                model="m",
                adapter=f"{BOT}@v0",
                source="replay" if number % 20 == 0 else "batch" if number % 20 == 1 else "live",
                topic=topic,
            )
        )
        made.confidences.append(confidence)
        made.right.append(dice.random() < confidence)
        made.times.append(DAY_0 + number * days * DAY_MS // count)
        made.versions.append(policies[number * len(policies) // count])
    return made
