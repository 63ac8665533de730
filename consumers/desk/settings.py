"""What a desk must be told."""

import hashlib
import re
from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.schemas.event import Identifier, Text
from teachback.schemas.review import Role
from teachback.schemas.wire import Cluster

Seconds = Annotated[float, Meta(gt=0)]
HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


def token_sha256(token: str) -> str:
    """How a reviewer's bearer token is written in the settings: its SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


class Reviewer(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may sign in. The desk keeps no token, only its hash."""

    name: Identifier
    role: Role = "reviewer"
    topics: Annotated[
        tuple[str, ...], Meta(description="Topics of expertise: given only these. Empty: given all.")
    ] = ()
    token_sha256: str

    @property
    def may_adjudicate(self) -> bool:
        """Whether this person may settle what reviewers could not."""
        return self.role != "reviewer"

    def knows(self, topic: str | None) -> bool:
        """Whether an item of this topic is for them. An item without a topic is for everyone."""
        return not self.topics or topic is None or topic in self.topics


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one desk. Times are in seconds. Raises ValueError, naming every problem, for reviewers that clash."""

    bot: Identifier
    cluster: Cluster
    reviewers: tuple[Reviewer, ...]
    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8088
    lease_seconds: Seconds = 300.0  # a lease without a heartbeat for so long is free again
    skip_seconds: Annotated[float, Meta(ge=0)] = 300.0  # a skipped item is not offered to the same person for so long
    leases_each: Annotated[int, Meta(ge=1)] = 4  # how many items one person may hold at once
    ageing_hours: Annotated[float, Meta(gt=0)] = (
        24.0  # waiting for so long weighs as much as full doubt about a topic of weight 1
    )
    commit_seconds: Seconds = 30.0  # how long a request waits for Kafka before it answers 503
    body_bytes: Annotated[int, Meta(ge=1024)] = 256 * 1024

    def __post_init__(self) -> None:
        """Names and tokens tell people apart, so each must be there once."""
        problems = [
            f"reviewer {who.name!r}: `token_sha256` must be 64 lower-case hex digits"
            for who in self.reviewers
            if not HEX_SHA256.fullmatch(who.token_sha256)
        ]
        if len({who.name for who in self.reviewers}) < len(self.reviewers):
            problems.append("two reviewers have the same name; nobody may judge an item twice, so names must differ")
        if len({who.token_sha256 for who in self.reviewers}) < len(self.reviewers):
            problems.append("two reviewers have the same token; give each their own")
        if min(self.lease_seconds, self.ageing_hours, self.commit_seconds) <= 0:
            problems.append("`lease_seconds`, `ageing_hours` and `commit_seconds` must be above 0")
        if problems:
            raise ValueError("; ".join(problems))
