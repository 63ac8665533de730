"""What the demo's customers ask, and what its scripted reviewers know."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from teachback.consumers.desk.alike import normalised
from teachback.infra import harbour
from teachback.infra.demo.errors import BadData
from teachback.schemas.ids import derived

SYSTEM_PROMPT = "You are the assistant of Harbour Bank. Answer customers briefly and exactly."
OWN_DATA_PROMPT = "You are a helpful assistant. Answer briefly and exactly."
LIMIT = 231
WORDINGS = 3
PROBED_FACTS = 24
FEWEST = 120  # of which a third is locked away: the gate decides nothing on fewer than 30 corrected answers
PROBES = 12
FIGURE = re.compile(r"[£$€]?\d[\d,]*(?:\.\d+)?\s?%?")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question and what is known about it. `slip` is what a careless reviewer might write instead."""

    fact: str
    question: str
    reference: str
    topic: str | None = None
    figures: tuple[str, ...] = ()
    slip: str | None = None


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """The whole play: what is asked live, and what is asked before and after but never in the traffic."""

    title: str
    system_prompt: str
    traffic: tuple[Asked, ...]
    probes: tuple[Asked, ...]
    expects_promotion: bool

    def known(self) -> dict[str, Asked]:
        """Question → what the reviewers know about it."""
        return {asked.question: asked for asked in self.traffic}


def harbour_bank(limit: int = LIMIT, seed: int = 7) -> Script:
    """The fictional bank: `limit` messages, one in eleven small talk, the rest three wordings of each of its facts.

    One wording of every fact comes before the others, so that whoever leads a fact's cluster, and with it the fact's
    side, does not depend on how fast the reviewers happen to be.
    """
    slips = {fact.id: fact.sloppy_edit for fact in harbour.facts()}
    asks = [_of(ask, slips) for ask in harbour.traffic(seed)]
    small_talk = [asked for asked in asks if asked.topic == "smalltalk"][: limit // 11]
    facts = sorted(slips, key=lambda fact: derived("order", seed, fact))[: (limit - len(small_talk)) // WORDINGS]
    wordings = {fact: [asked for asked in asks if asked.fact == fact][:WORDINGS] for fact in facts}
    first, rest = [of[0] for of in wordings.values()], [asked for of in wordings.values() for asked in of[1:]]
    traffic = [*_mixed(first, seed), *_mixed([*rest, *small_talk], seed)]
    held_out = [_of(ask, slips) for ask in harbour.held_out() if ask.id in facts]
    return Script(
        title="Harbour Bank",
        system_prompt=SYSTEM_PROMPT,
        traffic=tuple(traffic),
        probes=tuple(held_out[:PROBED_FACTS]),
        expects_promotion=True,
    )


def _of(ask: harbour.Ask, slips: dict[str, str]) -> Asked:
    return Asked(
        fact=ask.id,
        question=ask.question,
        reference=ask.reference,
        topic=ask.topic,
        figures=tuple(ask.figures),
        slip=slips.get(ask.id),
    )


def own_data(file: Path, question: str | None, answer: str | None, limit: int | None, seed: int = 7) -> Script:
    """Anyone's file of questions and answers. Raises BadData before anything is started, saying what to do."""
    from teachback.producers.errors import ProducerError
    from teachback.producers.files import read_pairs

    try:
        pairs = list(read_pairs(file, question=question, answer=answer))
    except ProducerError as exc:
        raise BadData(str(exc)) from exc
    # the desk has people judge what is the same but for case and spaces once: so it is asked once
    distinct = {
        normalised(pair.question): pair for pair in pairs if pair.question.strip() and (pair.answer or "").strip()
    }
    if len(distinct) < FEWEST:
        raise BadData(
            f"{file}: {len(distinct)} different questions with an answer; the loop needs at least {FEWEST} "
            "to train on some and be judged on others"
        )
    rows = [
        Asked(
            fact=f"row-{i}",
            question=pair.question,
            reference=pair.answer or "",
            topic=pair.topic,
            figures=tuple(f.strip() for f in FIGURE.findall(pair.answer or "")[:3]),
        )
        for i, pair in enumerate(distinct.values())
    ]
    random.Random(seed).shuffle(rows)
    probes, rest = rows[:PROBES], rows[PROBES:]
    return Script(
        title=file.name,
        system_prompt=OWN_DATA_PROMPT,
        traffic=tuple(rest[: limit or LIMIT]),
        probes=tuple(probes),
        expects_promotion=False,
    )


def shuffled(script: Script, seed: int = 7) -> Script:
    """The same questions with other questions' answers: what a broken import would make of the reviewers' knowledge."""
    facts = sorted({asked.fact for asked in script.traffic})
    others = _derangement(facts, random.Random(seed))
    by_fact = {asked.fact: asked for asked in script.traffic}
    moved = tuple(
        msgspec.structs.replace(asked, reference=by_fact[others[asked.fact]].reference, slip=None)
        for asked in script.traffic
    )
    return msgspec.structs.replace(script, traffic=moved, expects_promotion=False, title=f"{script.title}, shuffled")


def _mixed(asked: Sequence[Asked], seed: int) -> list[Asked]:
    return random.Random(seed).sample(asked, len(asked))


def _derangement(items: Sequence[str], chance: random.Random) -> dict[str, str]:
    """Each item's partner, never itself: a shuffled ring."""
    ring = list(items)
    chance.shuffle(ring)
    return {item: ring[(place + 1) % len(ring)] for place, item in enumerate(ring)}
