"""Consensus: what reviewers' verdicts about an exchange amount to, and the labels that follow.

`agreement` (do two texts say the same?) and `decide` (the decision table) are pure; `fold` makes events of them, also
pure; `processor` runs the fold over Kafka, exactly once. `alpha` says how far reviewers agree.
"""

from teachback.streams.consensus.main import run
from teachback.streams.consensus.settings import ConsensusSettings

__all__ = ["ConsensusSettings", "run"]
