"""A guarantee in sentences that need no statistician: what is promised, on what evidence, and what is not."""

import math
from typing import NamedTuple

from teachback.infra.confidence.guarantee import Alarm, Due, Guarantee, Lacking
from teachback.infra.confidence.tell import counted, named, ordinal, percent, times, when
from teachback.schemas.calibration import Certificate
from teachback.streams.guarantee import AVERAGE_RUN, CERTIFY_SHARE


class Paragraph(NamedTuple):
    """A heading, sentences below it, and points below these."""

    title: str
    lines: tuple[str, ...]
    points: tuple[str, ...] = ()


def headline(found: Guarantee) -> str:
    """The whole in a sentence."""
    who = named(found.adapter) + ("" if found.serving else " (not in service)")
    if found.certificate is not None and found.stands:
        promised = f"at most {percent(found.certificate.target)} of the answers that nobody looks at are wrong"
        return f"A promise stands for {who}: {promised}."
    return f"No promise stands for {who}."


def words(found: Guarantee) -> tuple[Paragraph, ...]:
    """The whole document."""
    if found.certificate is not None and found.stands:
        return (
            Paragraph("What is promised", tuple(_promised(found, found.certificate))),
            Paragraph("On what evidence", tuple(_evidence(found, found.certificate))),
            Paragraph("How much of the traffic it covers", (_coverage(found, found.certificate),)),
            *([Paragraph("Since then", tuple(_since(found.alarm)))] if found.alarm else ()),
            *([Paragraph("What more would take", tuple(_lacking(found, found.lacking)))] if found.lacking else ()),
            Paragraph("What it does not cover", (), exclusions(found)),
        )
    paragraphs = [Paragraph("Why there is none", tuple(_due(found.due) if found.due else _why_not(found)))]
    if found.lacking is not None:
        paragraphs.append(Paragraph("What is missing", tuple(_lacking(found, found.lacking))))
    return (*paragraphs, Paragraph("Until then", (_until_then(found),)))


def _promised(found: Guarantee, it: Certificate) -> list[str]:
    odds = f"The chance that this, or anything ever promised about {named(it.adapter)}, is false is at most"
    lines = [
        f"Of the answers of {named(it.adapter)} that are accepted without a look, at most {percent(it.target)} are "
        "wrong.",
        f"{odds} {percent(1 - it.confidence)}, whenever one looks.",
        f"It is about live answers that no rule names and whose confidence by calibration {it.calibration} is "
        f"{it.threshold:.4g} or more. Wrong are those that reviewers would edit or reject.",
    ]
    if found.since:
        lines.append(f"It stands since {when(found.since)}, under policy {found.policy} (certificate {named(it.id)}).")
    return lines


def _evidence(found: Guarantee, it: Certificate) -> list[str]:
    drawn = f"{counted(it.audits, 'such answer')} {'was' if it.audits == 1 else 'were'} drawn by lot"
    deadline = f"its deadline ({found.audit_hours:g} hours)" if found.audit_hours else "its deadline"
    needed = 1 / it.alpha if it.alpha else math.inf
    lines = [
        f"{drawn}, whatever the score, and given to reviewers: {_wrong(it.errors)}.",
        f"Of the wrong ones, {it.unresolved:,} had merely not been settled by {deadline}; that counts as wrong."
        if it.unresolved
        else f"None was left unsettled past {deadline}; that would have counted as wrong.",
        f"That is evidence {times(it.e_value)} what chance would give where {times(needed)} were needed: were "
        f"more than {percent(it.target)} wrong, evidence so strong would ever come up at most once in "
        f"{needed:,.0f} cases, however often one looks.",
    ]
    return [*lines, _attempt(it.attempt, it.alpha, it.confidence)]


def _coverage(found: Guarantee, it: Certificate) -> str:
    fixed = f"When its threshold was fixed, {percent(it.coverage)} of live traffic was at or above it."
    traffic = found.traffic
    if traffic is None or not traffic.live:
        return f"{fixed} The adapter has answered nobody since."
    return (
        f"{fixed} In the last {_days(traffic.days)}, {traffic.covered:,} of {counted(traffic.live, 'live answer')} "
        f"({percent(traffic.share)}) were at or above it and named by no rule."
    )


def _since(alarm: Alarm) -> list[str]:
    if not alarm.audits:
        return ["No further audit has been settled, so the drift alarm has heard nothing."]
    audits = f"{counted(alarm.audits, 'further audit')} counted since, {_wrong(alarm.errors)}"
    if alarm.rang_after is None:
        return [f"The drift alarm is quiet: {audits}."]
    return [
        f"The drift alarm rang after {counted(alarm.rang_after, 'audit')}: {audits}. The promise is to be withdrawn.",
        f"A false alarm is rare: on average less than one in {AVERAGE_RUN:,} audits.",
    ]


def exclusions(found: Guarantee) -> tuple[str, ...]:
    """What a promise that stands says nothing about."""
    budget = f", beyond the budget of {found.budget:,} a day" if found.budget is not None else ""
    return (
        "Answers below the threshold, or named by a rule: these are sent to reviewers, and how many of them are wrong "
        "is no part of the promise.",
        f"Overflow: what was sent to reviewers and nobody came to{budget}.",
        "What no customer asked: imports, old questions asked again (replays), generated and test items.",
        "One topic, one kind of customer, one answer: it is about all covered answers together.",
        "How bad a wrong answer is: a wrong fee and a clumsy sentence count the same.",
        "Change that the audits have not shown yet: where customers begin to ask other things, the share may rise, and "
        "the alarm needs some audits to hear it.",
        "Reviewers' own mistakes: wrong is what they call wrong.",
        "Another adapter, other rules, another calibration: each needs audits of its own to prove it.",
    )


def _due(it: Due) -> list[str]:
    return [
        f"The evidence suffices for {it.threshold:.4g}, which {percent(it.coverage)} of live traffic reached when that "
        f"was fixed: of {counted(it.audits, 'audit')}, {_wrong(it.errors)}. But its certificate is not on the log yet.",
        "The process `calibration` issues it; `teachback status` shows whether that runs.",
    ]


def _why_not(found: Guarantee) -> list[str]:
    it = found.certificate
    if found.why == "no policy":
        return [f"Bot {named(found.bot)} has no policy yet, so nothing is routed. `teachback up` publishes the first."]
    if found.why == "no promise":
        return [
            "The policy states no promise: a person alone sets the threshold. `teachback policy set` can state one."
        ]
    if found.why == "no walk":
        return [
            "No calibration has been fitted to reviewers' verdicts yet, so there are no thresholds to try. The first "
            "comes by itself when enough answers have been reviewed."
        ]
    if it is not None and found.since is not None and found.why == "withdrawn":
        said = f": {named(it.reason, 300)}" if it.reason else ""
        return [f"There was one, and it was withdrawn on {when(found.since)}{said}."]
    if it is not None and found.since is not None and found.why == "changed":
        return [
            f"The certificate of {when(found.since)} (at most {percent(it.target)} wrong, {percent(it.confidence)} "
            "sure) is for other rules, or for a weaker promise, than the policy in force."
        ]
    return ["The evidence does not suffice yet."]


def _lacking(found: Guarantee, it: Lacking) -> list[str]:
    reach = f"{it.threshold:.4g}, which the most trusted {percent(it.coverage)} of live traffic reach"
    which = "The next looser threshold is" if found.stands or found.due else "The strictest threshold is tried first:"
    waiting = (
        f" {it.waiting:,} more {'is' if it.waiting == 1 else 'are'} drawn and not counted yet." if it.waiting else ""
    )
    lines = [
        f"{which} {reach}. {counted(it.audits, 'audit')} there {'has' if it.audits == 1 else 'have'} been counted so "
        f"far, {_wrong(it.errors)}.{waiting}",
        f"That is evidence {times(it.e_value)} what chance would give; {times(it.needed)} are needed.",
        f"{counted(it.clean, 'further audit')} without a single wrong answer would be enough. {_wait(found, it)}",
    ]
    told = found.certificate if found.stands else None
    if found.promise is not None and (told is None or told.attempt != it.attempt):
        lines.append(_attempt(it.attempt, 1 / it.needed, found.promise.confidence))
    return lines


def _wait(found: Guarantee, it: Lacking) -> str:
    if it.days is not None and found.audit_rate is not None:
        return (
            f"With {percent(found.audit_rate)} of live traffic audited, {percent(CERTIFY_SHARE)} of these for "
            f"certificates, and traffic as in the last {_days(it.days_seen)}, that is {_days(it.days)}. Each wrong "
            "answer among them makes it longer; a higher audit rate makes it shorter."
        )
    if found.audit_rate == 0:
        return "But the policy draws no audits: `teachback policy set --audit-rate 0.1` draws some."
    return "The adapter has no live traffic there yet, so no day can be named."


def _attempt(number: int, alpha: float, confidence: float) -> str:
    part = percent(alpha).removesuffix(" %")
    return (
        f"All attempts for this adapter share one chance of {percent(1 - confidence)} that a promise is false; "
        f"this one, the {ordinal(number)}, has {part} percentage points of it. Later ones have less and need more "
        "evidence, so that trying often does not make luck look like proof."
    )


def _until_then(found: Guarantee) -> str:
    if found.threshold is None:
        return "Nothing is accepted without a look."
    return (
        f"The policy's own threshold, {found.threshold:.4g}, routes its answers. A person chose it; how many of the "
        "answers accepted by it are wrong is estimated by audits, and promised by nobody."
    )


def _wrong(count: int) -> str:
    return "none was wrong" if not count else f"{count:,} {'was' if count == 1 else 'were'} wrong"


def _days(days: float) -> str:
    if days < 1:
        return counted(max(1, round(24 * days)), "hour")
    return f"{days:.1f} days" if days < 10 and round(days, 1) != 1 else counted(round(days), "day")
