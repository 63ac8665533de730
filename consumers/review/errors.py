"""What can go wrong between a reviewer and the desk.

ReviewError
├── Unreachable     no desk answers at this address, or not in time
├── SignInFailed    the desk does not know the token
├── ItemGone        the lease is lost, or the item judged or settled: go on with the next one
└── NotAccepted     the desk refuses what was sent; the message says why and what to do
"""

from teachback.consumers.review.visible import visible


class ReviewError(Exception):
    """The root of the client's errors. As text it can be shown, whatever was said by what answered."""

    def __str__(self) -> str:
        return visible(super().__str__())


class Unreachable(ReviewError):
    """No desk answers. What was sent may or may not have arrived; sending it again is safe."""


class SignInFailed(ReviewError):
    """The desk does not know the token."""


class ItemGone(ReviewError):
    """The lease is lost, or the item judged or settled meanwhile."""


class NotAccepted(ReviewError):
    """The desk refuses what was sent."""
