"""The desk over HTTP. OpenAPI describes it at `/schema/openapi.json`; `shapes` holds the bodies, `problems` the errors.

`POST /v1/leases` gives an item, heartbeats keep it, `POST …/verdict` judges it, `DELETE` skips it. Any of them may be
sent again when its answer is lost: the same verdict is written once, and a lease lost on the way is given again.
"""

from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromQuery, JSONBody, PathParameter

from teachback.consumers.desk import problems
from teachback.consumers.desk.errors import DeskError, Refused
from teachback.consumers.desk.page import landing
from teachback.consumers.desk.service import Service
from teachback.consumers.desk.settings import Reviewer, token_sha256
from teachback.consumers.desk.shapes import Accepted, Ask, Health, Judged, Leased, Me, Offer, Overview, Problem, Pulse

Desk = NamedDependency[Service]
Caller = NamedDependency[Reviewer]
LeaseId = Annotated[str, PathParameter(max_length=64)]


def _problem(description: str) -> ResponseSpec:
    return ResponseSpec(Problem, description=description, generate_examples=False, media_type=MediaType.JSON)


UNKNOWN = {401: _problem("No token, or an unknown one"), 503: _problem("The desk is starting, or ends")}
LOST = {
    **UNKNOWN,
    403: _problem("Someone else's lease"),
    404: _problem("No such lease"),
    409: _problem("The lease is lost, or the item judged already"),
}


class Bearer(AbstractAuthenticationMiddleware):
    """Tokens to people. Only hashes are compared, so timing tells nothing of a token."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Who calls. Raises NotAuthorizedException."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthorizedException("there is no bearer token in the request")
        service: Service = connection.app.state.service
        who = service.who(token_sha256(token.strip()))
        if who is None:
            raise NotAuthorizedException("nobody here has this token")
        return AuthenticationResult(user=who, auth=None)


@post("/v1/leases", status_code=200, responses={**UNKNOWN, 204: ResponseSpec(None, description="Nothing to judge now")})
async def lease(desk: Desk, who: Caller, data: JSONBody[Ask | None] = None) -> Response[Offer | None]:
    """The next item for you, on lease. 204 when there is none now."""
    offer = desk.lease(who, data.holding if data else ())
    return Response(offer, status_code=200 if offer else 204)


@post("/v1/leases/{lease_id:str}/heartbeat", status_code=200, responses=LOST)
async def heartbeat(desk: Desk, who: Caller, lease_id: LeaseId, data: JSONBody[Pulse]) -> Leased:
    """Keep an item. An unknown lease on an open item that is still free is taken up again: note the new token."""
    return desk.heartbeat(who, lease_id, data.token, data.exchange)


@delete("/v1/leases/{lease_id:str}", responses=LOST)
async def skip(desk: Desk, who: Caller, lease_id: LeaseId, token: FromQuery[int]) -> None:
    """Give an item back. You are not given it again for a while."""
    desk.skip(who, lease_id, token)


@post("/v1/leases/{lease_id:str}/verdict", status_code=201, responses=LOST)
async def verdict(desk: Desk, who: Caller, lease_id: LeaseId, data: JSONBody[Judged]) -> Accepted:
    """Judge an item. 201 means that Kafka has it; anything else, send the same again."""
    return Accepted(verdict=await desk.judge(who, lease_id, data))


@get("/v1/queue", responses=UNKNOWN)
async def queue(desk: Desk, who: Caller) -> Overview:
    """The queue in numbers."""
    return desk.overview()


@get("/v1/me", responses=UNKNOWN)
async def me(desk: Desk, who: Caller) -> Me:
    """Who you are to this desk, and what you hold."""
    return desk.me(who)


@get("/healthz", exclude_from_auth=True, responses={503: ResponseSpec(Health, description="Still starting")})
async def healthz(desk: Desk) -> Response[Health]:
    """200 once the queue is rebuilt, 503 before."""
    return Response(desk.health(), status_code=200 if desk.ready else 503)


@get("/", media_type=MediaType.HTML, exclude_from_auth=True, include_in_schema=False)
async def front(desk: Desk) -> str:
    """What this is, for someone who opened it in a browser."""
    return landing(desk)


async def _service(state: State) -> Service:
    service: Service = state.service
    return service


async def _caller(request: Request[Reviewer, Any, State]) -> Reviewer:
    return request.user


def app(service: Service) -> Litestar:
    """The application for one desk."""
    return Litestar(
        [lease, heartbeat, skip, verdict, queue, me, healthz, front],
        state=State({"service": service}),
        dependencies={"desk": Provide(_service), "who": Provide(_caller)},
        middleware=[DefineMiddleware(Bearer, exclude="^/schema")],
        exception_handlers={
            Refused: problems.refused,
            DeskError: problems.ending,
            HTTPException: problems.http,
            500: problems.unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="teachback review desk",
            version="1",
            description=__doc__,
            use_handler_docstrings=True,
            components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"bearer": []}],
            render_plugins=[JsonRenderPlugin()],
            path="/schema",
        ),
        request_max_body_size=service.settings.body_bytes,
        logging_config=None,
    )
