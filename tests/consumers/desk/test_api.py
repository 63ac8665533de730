"""The desk over HTTP, in one process: statuses, errors that say what to do, and what each role sees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from teachback.consumers.desk.errors import SUCCESSOR, Slow, Superseded
from teachback.consumers.desk.shapes import Judged
from teachback.schemas.exchange import Message
from teachback.schemas.review import Verdict
from tests.consumers.desk.making import ADA, ANN, BEN, CEM, MOMENT, fold, outcome, policy, request, settings
from tests.consumers.desk.served import ServedDesk


@pytest.fixture
def desk() -> Iterator[ServedDesk]:
    served = ServedDesk(settings(ANN, BEN, CEM, ADA, commit_seconds=0.05, body_bytes=10_000)).open()
    with served.http:
        yield served


def leased(desk: ServedDesk, name: str) -> dict[str, Any]:
    answer = desk.call(name, "POST", "/v1/leases")
    assert answer.status_code == 200
    offer: dict[str, Any] = answer.json()
    return offer


def verdict(desk: ServedDesk, name: str, offer: dict[str, Any], decision: str = "approve", **fields: Any) -> Any:
    body = {"token": offer["lease"]["token"], "exchange": offer["exchange"], "decision": decision} | fields
    return desk.call(name, "POST", f"/v1/leases/{offer['lease']['id']}/verdict", json=body)


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = answer.json()
    assert all(body[field] for field in ("title", "detail", "action"))
    return body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/leases"), ("POST", "/v1/leases/x/verdict"), ("GET", "/v1/queue"), ("GET", "/v1/me")],
)
def test_nothing_is_told_without_a_known_token(desk: ServedDesk, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic YTpi"}):
        answer = desk.http.request(method, path, headers=headers)
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_item_is_leased_kept_judged_and_counted(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    assert (offer["exchange"], offer["acting"], offer["lease"]["seconds"]) == ("x1", "reviewer", 300.0)
    pulse = {"token": offer["lease"]["token"], "exchange": "x1"}
    assert desk.call("ann", "POST", f"/v1/leases/{offer['lease']['id']}/heartbeat", json=pulse).status_code == 200
    answer = verdict(desk, "ann", offer, "edit", answer="It costs £6.", reasons=["wrong_fee"], rubric={"accuracy": 2})
    assert answer.status_code == 201
    [written] = desk.written
    assert answer.json() == {"verdict": written.id}
    assert (written.answer, written.reasons, written.rubric.accuracy) == ("It costs £6.", ("wrong_fee",), 2)
    counts = desk.call("ann", "GET", "/v1/queue").json()
    assert {each["name"]: each["verdicts"] for each in counts["reviewers"]}["ann"] == 1
    assert desk.call("ann", "POST", "/v1/leases").status_code == 204


def test_the_same_verdict_twice_is_written_once_and_answered_twice(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    assert verdict(desk, "ann", offer).json() == verdict(desk, "ann", offer).json()
    assert len(desk.written) == 1
    problem(verdict(desk, "ann", offer, "reject"), 409)


def test_a_verdict_that_kafka_has_not_taken_is_not_acknowledged(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    desk.slow = True
    for _ in range(2):  # nor is its repetition
        answer = verdict(desk, "ann", offer)
        problem(answer, 503)
        assert "retry-after" in answer.headers
    assert len(desk.written) == 1


def test_a_verdict_whose_writing_failed_is_never_acknowledged_though_it_is_sent_again(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    desk.failing = Superseded(SUCCESSOR)
    for _ in range(3):
        assert "taken over" in problem(verdict(desk, "ann", offer), 503)["detail"]
    assert desk.written == []


def test_a_desk_that_has_failed_tells_nothing_of_what_it_holds(desk: ServedDesk) -> None:
    """It may hold verdicts that Kafka never got: a heartbeat would say that the verdict is in."""
    for exchange in ("x1", "x2"):
        desk.state.note_request(exchange, request(exchange), 0)
    offer, other = leased(desk, "ann"), leased(desk, "ben")
    desk.failing = Superseded(SUCCESSOR)
    verdict(desk, "ann", offer)
    desk.service.end(desk.failing)
    pulse = {"token": offer["lease"]["token"], "exchange": offer["exchange"]}
    for answer in (
        desk.call("ann", "POST", f"/v1/leases/{offer['lease']['id']}/heartbeat", json=pulse),
        verdict(desk, "ann", offer, "reject"),
        verdict(desk, "ben", other),
        desk.call("cem", "POST", "/v1/leases"),
        desk.call("ann", "GET", "/v1/queue"),
        desk.call("ann", "GET", "/v1/me"),
    ):
        assert "taken over" in problem(answer, 503)["detail"]
        assert "retry-after" in answer.headers
    assert desk.http.get("/healthz").status_code == 503
    assert desk.http.get("/").status_code == 200


async def test_a_request_that_a_stopping_desk_gives_up_is_to_be_sent_again(desk: ServedDesk) -> None:
    """A server cancels what still waits when the time to drain is up, and would answer a bare 500."""
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    desk.slow = True
    judged = Judged(token=offer["lease"]["token"], exchange="x1", decision="approve")
    waiting = asyncio.create_task(desk.service.judge(ANN, offer["lease"]["id"], judged))
    await asyncio.sleep(0)  # it has begun
    assert desk.written
    waiting.cancel()
    with pytest.raises(Slow, match="send the same verdict again"):
        await waiting


def test_wrong_requests_say_what_is_wrong(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    offer = leased(desk, "ann")
    problem(desk.call("ann", "POST", "/v1/leases", content="{"), 400)
    assert "holdin" in problem(desk.call("ann", "POST", "/v1/leases", json={"holdin": []}), 422)["detail"]
    assert "answer" in problem(verdict(desk, "ann", offer, "edit"), 422)["detail"]
    assert "answer" in problem(verdict(desk, "ann", offer, "approve", answer="x"), 422)["detail"]
    problem(verdict(desk, "ann", offer, "perhaps"), 422)
    problem(verdict(desk, "ann", offer, "approve", rubric={"accuracy": 6}), 422)
    problem(verdict(desk, "ann", offer, "edit", answer="x" * 20_000), 413)
    problem(verdict(desk, "ann", offer, "edit", answer=offer["answer"]), 422)
    problem(desk.call("ann", "GET", "/v1/nothing"), 404)
    problem(desk.call("ann", "PUT", "/v1/me"), 405)
    problem(verdict(desk, "ben", offer), 403)
    other = {"lease": {"id": "unknown", "token": 1}, "exchange": "x9"}
    problem(verdict(desk, "ann", other), 404)
    assert desk.written == []


def test_a_skipped_item_is_gone(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    lease = leased(desk, "ann")["lease"]
    assert desk.call("ann", "DELETE", f"/v1/leases/{lease['id']}", params={"token": lease["token"]}).status_code == 204
    problem(desk.call("ann", "DELETE", f"/v1/leases/{lease['id']}", params={"token": lease["token"]}), 404)
    assert desk.call("ann", "POST", "/v1/leases").status_code == 204


def test_reviewers_judge_blind_and_the_adjudicator_sees_what_was_said_but_not_by_whom(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    for name, decision, text in (("ann", "approve", None), ("ben", "edit", "It costs £6."), ("cem", "reject", None)):
        offer = leased(desk, name)
        assert offer["judgments"] == []
        assert verdict(desk, name, offer, decision, answer=text).status_code == 201
        desk.state.note_outcome("x1", fold(desk.written))
    offer = leased(desk, "ada")
    assert offer["acting"] == "adjudicator"
    assert {each["by"] for each in offer["judgments"]} == {"A", "B", "C"}
    assert {(each["decision"], each.get("answer")) for each in offer["judgments"]} == {
        ("approve", None),
        ("edit", "It costs £6."),
        ("reject", None),
    }
    assert not any(f"'{name}'" in str(offer) for name in ("ann", "ben", "cem"))


def test_the_counts_follow_the_outcomes(desk: ServedDesk) -> None:
    for n in range(4):
        desk.state.note_request(f"x{n}", request(f"x{n}", route="audit" if n else "review", source="replay"), 0)
    desk.state.note_outcome("x1", outcome("x1", "labelled", agreed=True))
    desk.state.note_outcome("x2", outcome("x2", "rejected", agreed=False))
    desk.state.note_outcome("x3", outcome("x3", "open", need="adjudicator"))
    counts = desk.call("ann", "GET", "/v1/queue").json()
    assert (counts["open"], counts["awaiting_adjudication"]) == (2, 1)
    assert counts["open_by_route"] == {"audit": 1, "review": 1}
    assert counts["open_by_source"] == {"replay": 2}
    assert counts["settled"] == {"labelled": 1, "rejected": 1}
    assert counts["agreement"] == {"agreed": 1, "of": 2}


def test_the_budget_and_what_is_beyond_it_are_told_to_programs_and_on_the_page() -> None:
    desk = ServedDesk(settings(), wall=MOMENT.timestamp).open()
    desk.state.note_policy(policy(1, budget=1))
    same = (Message(role="user", content="How much is a card?"),)
    for n in range(3):
        desk.state.note_request(f"x{n}", request(f"x{n}"), n)
        desk.state.note_request(f"same{n}", request(f"same{n}", messages=same), n)
    with desk.http:
        leased(desk, "ann")
        counts = desk.call("ann", "GET", "/v1/queue").json()
        health, page = desk.http.get("/healthz").json(), desk.http.get("/").text
    assert counts["today"] == {"day": "2026-11-02", "policy": 1, "budget": 1, "begun": 1, "overflow": 3}
    assert (counts["open"], counts["free"], counts["attached"], counts["settled_by_attachment"]) == (4, 1, 2, 0)
    assert health["overflow"] == 3
    assert "<dt>begun today</dt><dd>1 of 1</dd>" in page
    assert "<dt>overflow</dt><dd>3</dd>" in page
    assert "<dt>attached</dt><dd>2</dd>" in page


def test_a_desk_that_is_rebuilding_says_so() -> None:
    served = ServedDesk(settings())
    with served.http:
        assert served.http.get("/healthz").status_code == 503
        problem(served.call("ann", "POST", "/v1/leases"), 503)
        assert "being rebuilt" in served.http.get("/").text
        served.open()
        assert served.http.get("/healthz").json() == {"ready": True, "bot": "harbour", "overflow": 0}


def test_the_page_needs_no_token_and_tells_no_names_and_no_texts(desk: ServedDesk) -> None:
    desk.state.note_request("x1", request("x1"), 0)
    verdict(desk, "ann", leased(desk, "ann"))
    page = desk.http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "teachback review" in page.text
    assert "<dt>open</dt><dd>1</dd>" in page.text
    assert not any(secret in page.text for secret in ("ann", "replacement card", "token-"))


def test_the_description_names_every_call_and_how_to_sign_in(desk: ServedDesk) -> None:
    described = desk.http.get("/schema/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/leases",
        "/v1/leases/{lease_id}",
        "/v1/leases/{lease_id}/heartbeat",
        "/v1/leases/{lease_id}/verdict",
        "/v1/queue",
        "/v1/me",
        "/healthz",
    }
    assert set(described["paths"]["/v1/leases/{lease_id}/verdict"]["post"]["responses"]) >= {"201", "401", "403", "404"}
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_verdicts_carry_what_they_judge(desk: ServedDesk) -> None:
    asked = request("x1")
    desk.state.note_request("x1", asked, 0)
    verdict(desk, "ann", leased(desk, "ann"), comment="good")
    [written] = desk.written
    assert isinstance(written, Verdict)
    assert (written.request, written.role, written.round, written.comment) == (asked, "reviewer", 0, "good")
