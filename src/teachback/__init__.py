"""teachback: live traffic in, a better chatbot out.

from teachback import Teachback: the chatbot's SDK, imported when it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from teachback.producers.client import Teachback

__all__ = ["Teachback"]


def __getattr__(name: str) -> object:
    if name == "Teachback":
        from teachback.producers.client import Teachback

        return Teachback
    raise AttributeError(f"module 'teachback' has no attribute {name!r}")
