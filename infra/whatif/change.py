"""What is asked: the parts of a policy that would have been otherwise."""

from collections.abc import Iterable
from typing import Self

import msgspec
from msgspec import UNSET, UnsetType

from teachback.schemas import Policy, Rule
from teachback.schemas.policy import Promise


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would have been otherwise, for the whole time asked about; what is unset stays as it was, row by row."""

    threshold: float | UnsetType = UNSET
    """In place of every threshold that was in force, a certificate's too."""
    audit_rate: float | UnsetType = UNSET
    overlap: int | UnsetType = UNSET
    budget: int | UnsetType | None = UNSET
    """Review items a day; None is without limit."""
    weights: dict[str, float] | UnsetType = UNSET
    """All topics' importance; 1 where absent."""
    rules: tuple[Rule, ...] | UnsetType = UNSET
    """All rules."""
    promise: Promise | UnsetType | None = UNSET
    """The threshold would have been the loosest that the time's own audits certify; None changes nothing here."""
    calibration: int | UnsetType = UNSET
    """Confidence would have come from this version of `loop.calibration`; 0 is the stated prior."""

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not UNSET for name in self.__struct_fields__)

    @classmethod
    def of(cls, policy: Policy, names: Iterable[str]) -> Self:
        """The named fields of a policy; those that route nothing (`feedback_days`, `reason`) are left out."""
        return cls(**{name: getattr(policy, name) for name in names if name in cls.__struct_fields__})

    @classmethod
    def between(cls, before: Policy, after: Policy) -> Self:
        """The fields in which two policies differ."""
        fields = Policy.__struct_fields__
        return cls.of(after, [name for name in fields if getattr(before, name) != getattr(after, name)])
