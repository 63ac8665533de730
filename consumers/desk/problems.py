"""Every error as JSON that says what, why and what to do (`application/problem+json`, RFC 9457)."""

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    SerializationException,
    ValidationException,
)

from teachback.consumers.desk.errors import DeskError, Refused
from teachback.consumers.desk.shapes import Problem

log = logging.getLogger(__name__)
ACTIONS = {
    400: "send a JSON object as /schema/openapi.json describes it",
    401: "send `Authorization: Bearer <your token>`; whoever runs the desk hands tokens out",
    404: "see /schema/openapi.json for what there is",
    405: "see /schema/openapi.json for what there is",
    413: "shorten the answer or the comment",
    422: "mend the fields that are named",
}


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    """The response that carries a problem."""
    return Response(problem, status_code=problem.status, media_type="application/problem+json", headers=headers)


def refused(_: Request[Any, Any, Any], exc: Refused) -> Response[Problem]:
    """Our own refusals say all of it themselves."""
    headers = {"Retry-After": "1"} if exc.status == 503 else None
    return answer(Problem(status=exc.status, title=exc.title, detail=exc.detail, action=exc.action), headers)


def ending(_: Request[Any, Any, Any], exc: DeskError) -> Response[Problem]:
    """The desk is about to end; a supervisor starts another one."""
    action = "send the same request again in a few seconds"
    return answer(Problem(status=503, title="The desk ends", detail=str(exc), action=action), {"Retry-After": "2"})


def http(_: Request[Any, Any, Any], exc: HTTPException) -> Response[Problem]:
    """What the framework refuses. A body that is JSON but no fitting one is 422, one that is no JSON is 400."""
    status, detail, title = exc.status_code, exc.detail, "The request is refused"
    if isinstance(exc, ValidationException):
        status, detail, title = 422, _fields(exc), "The request does not fit"
    elif isinstance(exc.__cause__, SerializationException):
        title = "The body is no JSON"
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(exc, NotAuthorizedException) else None
    action = ACTIONS.get(status, "see /schema/openapi.json")
    return answer(Problem(status=status, title=title, detail=detail, action=action), headers)


def unexpected(request: Request[Any, Any, Any], exc: Exception) -> Response[Problem]:
    """A defect of ours: logged whole, told in brief."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=exc)
    problem = Problem(
        status=500,
        title="The desk made a mistake",
        detail=f"{type(exc).__name__} at {request.method} {request.url.path}",
        action="nothing of yours is lost; try again, and tell whoever runs the desk",
    )
    return answer(problem)


def _fields(exc: ValidationException) -> str:
    extra = exc.extra if isinstance(exc.extra, list) else []
    named = [f"{each.get('key', 'body')}: {each.get('message')}" for each in extra if isinstance(each, dict)]
    return "; ".join(named) or exc.detail
