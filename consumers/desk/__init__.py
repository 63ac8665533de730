"""The review desk: one process a bot, which hands doubtful answers to people and writes down what they say.

    loop.policy ─────┐
    review.requests ─┤                 ┌─ POST /v1/leases, …/verdict   (people: `teachback review`, any HTTP client)
    review.verdicts ─┼─ feed → state ←─ api
    review.outcomes ─┘      queue, leases └→ writer → review.verdicts   (one transaction for all that wait)

Read `state` first (what may happen, in which order, no I/O), then `item`, `queue`, `budget`, `duplicates`,
`eligibility` and `leases` that it is made of, then the edges: `feed`, `writer`, `api`, `serve`. Nothing is kept on
disk: a restart rebuilds all of it from the topics.
"""

from teachback.consumers.desk.settings import DeskSettings, Reviewer, token_sha256

__all__ = ["DeskSettings", "Reviewer", "run", "token_sha256"]


def run(settings: DeskSettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being written and return. Raises DeskError (see `errors`)."""
    from teachback.consumers.desk.serve import serve  # the client imports this package's shapes, and needs no server

    serve(settings)
