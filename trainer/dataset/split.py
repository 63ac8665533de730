"""Which labels teach and which ones judge: decided once for each label, by one writer, in order.

Labels gather in clusters of like questions and answers; a cluster stands on one side as a whole, so that no run is
judged by what it learnt. In the order of arrival, a label

1. whose exchange has a label already (a revision) follows it;
2. whose answer is known (same text after `normalised`) joins that answer's cluster;
3. whose question is known, in the same sense, joins that question's cluster;
4. whose question lies within cosine 0.9 of a cluster's anchor joins the nearest one's cluster;
5. else leads a new cluster, on the side that HMAC-SHA256(salt, its id) says.

Anchors are questions: the leader's, and that of each label that joined by its answer with a question unlike all
anchors. Those that joined by likeness are no anchors, so that clusters cannot creep. Clusters never merge. Where
they should have (an answer of one side under a question of the other, or a conversation that stands on both sides),
the later label is quarantined: it is used on neither side.

All labels take part but `gold` ones, which are made to measure reviewers and never train. A `replay` label joins its
cluster by its question like any other.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from teachback.schemas.event import now
from teachback.schemas.label import Label, Side, SplitAssigned
from teachback.trainer.dataset.embed import Embedder, Vectors


def normalised(text: str) -> str:
    """The text without what makes no difference: compatibility forms, case, white space, outer punctuation."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(" .,;:!?…\"'()[]“”’") or folded


def side_of(leader: str, salt: str, eval_share: float) -> Side:
    """The side of the cluster that `leader` leads: uniform over leaders, and unguessable without the salt."""
    digest = hmac.new(salt.encode(), leader.encode(), hashlib.sha256).digest()
    return "eval" if int.from_bytes(digest[:8]) < eval_share * 2**64 else "train"


class Entry:
    """What the trainer keeps of a decided label: ids and hashes, no text. `place` counts this bot's decisions."""

    __slots__ = ("answered", "asked", "exchange", "id", "leader", "pair", "place", "quarantined", "revision", "side")

    def __init__(self, label: Label, decided: SplitAssigned, place: int) -> None:
        self.id, self.exchange, self.revision = label.id, label.exchange, label.revision
        self.leader, self.side, self.quarantined = decided.leader, decided.side, decided.quarantined
        self.asked, self.answered = _hash(normalised(label.question)), _hash(normalised(label.answer))
        self.pair = _hash(*(f"{m.role}:{normalised(m.content)}" for m in label.messages), normalised(label.answer))
        self.place = place


class Splitter:
    """The decisions so far of one bot, and the next ones. Rebuilt from the log by `remember`, in the log's order."""

    def __init__(self, bot: str, salt: str, eval_share: float, embed: Embedder, same_question: float = 0.9) -> None:
        self.bot, self.salt, self.eval_share = bot, salt, eval_share
        self.embed, self.same_question = embed, same_question
        self.entries: dict[str, Entry] = {}
        self._known: set[str] = set()
        self._sides: dict[str, Side] = {}
        self._by_exchange: dict[str, str] = {}
        self._by_answer: dict[bytes, str] = {}
        self._by_question: dict[bytes, str] = {}
        self._conversations: dict[str, Side] = {}
        self._anchors = Anchors()

    @property
    def decided(self) -> int:
        """How many decisions there are, those about erased labels included."""
        return len(self._known)

    def remember(self, decisions: Iterable[tuple[SplitAssigned, Label | None]]) -> None:
        """Take decisions from the log, with the labels they were about; None for a label since erased.

        A decision that was published twice counts once.
        """
        fresh: dict[str, tuple[SplitAssigned, Label | None]] = {}
        for decided, label in decisions:
            if decided.id not in self._known:
                fresh.setdefault(decided.id, (decided, label))
        questions = [label.question for _, label in fresh.values() if label is not None]
        vectors = iter(self.embed(questions) if questions else ())
        for decided, label in fresh.values():
            if label is None:
                self._sides.setdefault(decided.leader, decided.side)
                self._known.add(decided.id)
            else:
                self._learn(label, decided, next(vectors))

    def assign(self, labels: Sequence[Label]) -> list[SplitAssigned]:
        """Decide for those labels that have no decision yet, in the order given; remembered as if published."""
        fresh = {label.id: label for label in labels if label.id not in self._known and label.source != "gold"}
        vectors = self.embed([label.question for label in fresh.values()]) if fresh else ()
        decisions = []
        for label, vector in zip(fresh.values(), vectors, strict=True):
            decided = self._decide(label, vector)
            self._learn(label, decided, vector)
            decisions.append(decided)
        return decisions

    def _decide(self, label: Label, question: Vectors) -> SplitAssigned:
        claims = self._claims(label, question)
        leader = claims[0] if claims else label.id
        side = self._sides.get(leader) or side_of(leader, self.salt, self.eval_share)
        torn = any(self._sides[claim] != side for claim in claims)
        moved = self._conversations.get(label.conversation, side) != side
        return SplitAssigned(
            id=label.id, bot=self.bot, created=now(), leader=leader, side=side, quarantined=torn or moved
        )

    def _claims(self, label: Label, question: Vectors) -> list[str]:
        """The clusters that the label could belong to, the strongest claim first."""
        found = (
            self._by_exchange.get(label.exchange),
            self._by_answer.get(_hash(normalised(label.answer))),
            self._by_question.get(_hash(normalised(label.question))),
            self._anchors.nearest(question, self.same_question),
        )
        return [leader for leader in found if leader is not None]

    def _learn(self, label: Label, decided: SplitAssigned, question: Vectors) -> None:
        entry = self.entries[label.id] = Entry(label, decided, self.decided)
        self._known.add(label.id)
        self._sides.setdefault(entry.leader, entry.side)
        self._by_exchange.setdefault(label.exchange, entry.leader)
        self._by_answer.setdefault(entry.answered, entry.leader)
        self._by_question.setdefault(entry.asked, entry.leader)
        if not entry.quarantined:
            self._conversations.setdefault(label.conversation, entry.side)
        if self._anchors.nearest(question, self.same_question) is None:
            self._anchors.add(question, entry.leader)


class Anchors:
    """The questions that clusters are known by, and which cluster each one stands for."""

    def __init__(self) -> None:
        self._leaders: list[str] = []
        self._vectors: Vectors = np.zeros((0, 0), np.float32)

    def nearest(self, question: Vectors, at_least: float) -> str | None:
        """The cluster of the nearest anchor, the older one of two as near; None when none is within the cosine."""
        if not self._leaders:
            return None
        cosines = self._vectors[: len(self._leaders)] @ question
        best = int(cosines.argmax())
        return self._leaders[best] if cosines[best] >= at_least else None

    def add(self, question: Vectors, leader: str) -> None:
        """One more anchor; room doubles when it runs out."""
        count = len(self._leaders)
        if count >= len(self._vectors):
            grown = np.zeros((max(64, 2 * count), len(question)), np.float32)
            if count:
                grown[:count] = self._vectors[:count]
            self._vectors = grown
        self._vectors[count] = question
        self._leaders.append(leader)


def _hash(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]
