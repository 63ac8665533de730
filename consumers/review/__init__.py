"""Reviewing: a client for the desk's API, and a terminal program on top of it.

`client` is HTTP and nothing else; `session` is what a reviewer can do, without a screen; `terminal` and `view` are the
screen.
"""

from teachback.consumers.review.client import DeskClient

__all__ = ["DeskClient", "run"]


def run(base_url: str, token: str) -> None:
    """Review at the desk at `base_url` until the reviewer quits."""
    from teachback.consumers.review.terminal import review  # scripts that use the client need no terminal

    review(base_url, token)
