"""The scripted reviewers: what they say depends on nothing that came before, and their end is heard of."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from teachback.consumers.desk.shapes import Leased, Offer
from teachback.consumers.review.errors import SignInFailed
from teachback.infra.demo.people import HABITS, Judged, Reviewer, judge
from teachback.infra.demo.script import Asked, harbour_bank
from teachback.schemas.event import now
from teachback.schemas.exchange import Message

ASKED = [asked for asked in harbour_bank(80).traffic if asked.figures and asked.slip]


def offer(number: int, answer: str = "I cannot say.") -> Offer:
    exchange = f"e-{number}"
    return Offer(
        lease=Leased(id=f"lease-{number}", token=number, expires=now(), seconds=300, exchange=exchange),
        exchange=exchange,
        conversation=f"c-{number}",
        round=0,
        acting="reviewer",
        messages=(Message(role="user", content=asked(number).question),),
        answer=answer,
        adapter="harbour@v0",
        source="live",
        route="review",
        reasons=(),
        confidence=0.5,
        weight=1.0,
        topic=None,
        passages=(),
        judgments=(),
        waiting=0,
    )


def asked(number: int) -> Asked:
    return ASKED[number % len(ASKED)]


@pytest.mark.parametrize("who", HABITS)
def test_what_somebody_says_does_not_depend_on_the_order(who: str) -> None:
    forwards = {number: judge(who, offer(number), asked(number)) for number in range(200)}
    backwards = {number: judge(who, offer(number), asked(number)) for number in reversed(range(200))}
    assert forwards == backwards


def test_the_sloppy_one_approves_and_slips_now_and_then_and_the_careful_one_never() -> None:
    said = Counter[str]()
    for number in range(400):
        assert judge("careful", offer(number), asked(number)) == Judged("edit", asked(number).reference)
        decision, answer = judge("sloppy", offer(number), asked(number))
        said["slip" if answer == asked(number).slip else decision] += 1
    assert all(10 <= said[what] <= 80 for what in ("approve", "slip"))
    assert said.total() == 400


def test_people_differ_about_the_same_exchange() -> None:
    said = [{judge(who, offer(number), asked(number)) for who in ("brisk", "sloppy")} for number in range(50)]
    assert {len(one) for one in said} == {1, 2}


def test_a_correction_that_says_what_the_bot_said_is_an_approval() -> None:
    said = {number: judge("sloppy", offer(number), asked(number)).answer for number in range(100)}
    slips = [number for number, answer in said.items() if answer == asked(number).slip]
    assert slips
    for number in slips:
        assert judge("sloppy", offer(number, f" {asked(number).slip}\n"), asked(number)) == Judged("approve")


@pytest.fixture
def desk_that_knows_nobody() -> Iterator[str]:
    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_reviewer_who_is_refused_says_why_it_ended(desk_that_knows_nobody: str) -> None:
    reviewer = Reviewer("careful", desk_that_knows_nobody, "token", {}, threading.Event())
    reviewer.start()
    reviewer.join(30)
    assert isinstance(reviewer.error, SignInFailed)
