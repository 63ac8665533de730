"""What a contender is told: one struct, handed over as JSON on its command line."""

from __future__ import annotations

import sys
import sysconfig
from typing import Literal, get_args

import msgspec

from teachback.schemas.wire import Cluster

Kind = Literal[
    "teachback",  # streams.batches with the Scorer, with an embedder in tier one
    "confluent-kafka",  # the reference: a plain loop of consume, produce, commit
    "Quix Streams",  # a StreamingDataFrame; in a virtual environment of its own
]
Guarantee = Literal["exactly_once", "at_least_once"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GUARANTEES: tuple[Guarantee, ...] = get_args(Guarantee)
REFERENCE: Kind = "confluent-kafka"
Contender = tuple[Kind, Guarantee]
CONTENDERS: tuple[Contender, ...] = tuple((kind, guarantee) for guarantee in GUARANTEES for kind in KINDS)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one contender. Outputs, group and policy are under `prefix`; `source` is shared by all.

    `batch` is records a transaction or flush, for those that count them; `commit_seconds` is for Quix Streams, which
    goes by the clock (5 s is its default).
    """

    kind: Kind
    guarantee: Guarantee
    bootstrap: str
    source: str
    prefix: str
    batch: int = 1000
    commit_seconds: float = 5.0
    embedder: str = ""
    """Folder of the model for tier one; empty: tier zero only."""
    packages: str = msgspec.field(default_factory=lambda: sysconfig.get_paths()["purelib"])
    """Where Quix Streams' process finds, behind its own, what the scoring functions import."""

    @property
    def cluster(self) -> Cluster:
        """Where the outputs go."""
        return Cluster(bootstrap=self.bootstrap, prefix=self.prefix)


def from_command_line() -> Job:
    """The job in this process's only argument."""
    return msgspec.json.decode(sys.argv[1], type=Job)
