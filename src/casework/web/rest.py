"""The programming interface: the contexts' routers under one roof, with tokens, scopes, pace, and every error declared.

Who asks shows a token, or has a session (then the CSRF token is asked for as on any page). A rule's no is 409, what is
absent or not for this person is 404, what cannot be read is 400 or 422, as in the pages.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django.core.exceptions import ValidationError as FieldsError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle
from pydantic import BaseModel

from casework.accounts import api as accounts
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.web import contexts, finding

_SAFE = ("GET", "HEAD", "OPTIONS")
_LARGEST = 2**63


class Fault(Schema):
    """Why nothing was done; ``rule`` names the rule that refused."""

    detail: str
    rule: str = ""


class Unreadable(Schema):
    """What of the question could not be read, field by field."""

    detail: Any


_ERRORS: dict[str, tuple[str, type[BaseModel]]] = {
    "400": ("The body is not JSON.", Fault),
    "401": ("No token, or one that does not hold.", Fault),
    "403": ("The token only reads, or the session's CSRF token is missing.", Fault),
    "404": ("There is no such thing, or none for you.", Fault),
    "409": ("A rule refuses it.", Fault),
    "422": ("A value is missing or of the wrong kind.", Unreadable),
    "429": ("Too many questions in this minute; Retry-After says how many seconds to wait.", Fault),
}


class TokenAuth(HttpBearer):
    """A personal token; one that only reads is refused where something would change."""

    openapi_description = "A personal token, made under My account"

    def __init__(self, *, reads: bool = False) -> None:
        super().__init__()
        self.reads = reads

    def authenticate(self, request: HttpRequest, token: str) -> accounts.Account | None:
        """Return the account of the token."""
        bearer = accounts.bearer_of(token)
        if bearer is None:
            return None
        if not (bearer.may_write or self.reads or request.method in _SAFE):
            raise HttpError(403, "This token only reads.")
        return bearer.account


class SessionAuth(APIKeyCookie):
    """The session of a signed-in person, as the pages have it."""

    param_name = "session"

    def __call__(self, request: HttpRequest) -> accounts.Account | None:
        """Return who is signed in; who is not gets 401, and is not asked for a CSRF token before."""
        if not isinstance(request.user, accounts.Account):
            return None
        return cast("accounts.Account | None", super().__call__(request))

    def authenticate(self, request: HttpRequest, key: str | None) -> accounts.Account | None:
        """Return who is signed in."""
        return request.user if isinstance(request.user, accounts.Account) else None


class Pace(BaseThrottle):
    """So many questions a minute for all programs of one account."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count this one."""
        return accounts.within_pace(accounts.account_of(request))

    def wait(self) -> float:
        """Return the seconds until the next minute."""
        return 60 - clock.now().timestamp() % 60


class StrictParser(Parser):
    """Refuses what JSON allows and no column holds: NUL, halves of letters, numbers beyond 64 bits, NaN."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body; ninja answers 400 to a `ValueError`."""
        said = json.loads(request.body, parse_constant=_refuse)
        _check(said)
        return said

    def parse_querydict(self, data: Any, list_fields: list[str], request: HttpRequest) -> Any:
        """Return the query; an address with NUL in it came no further than the first middleware."""
        query: QueryDict = data
        return super().parse_querydict(query, list_fields, request)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no value.")


def _check(said: Any) -> None:
    if isinstance(said, str):
        if "\x00" in said:
            raise ValueError("A text holds NUL.")
        said.encode()
    elif isinstance(said, dict):
        for name, value in said.items():
            _check(name)
            _check(value)
    elif isinstance(said, list):
        for value in said:
            _check(value)
    elif isinstance(said, int) and not -_LARGEST <= said < _LARGEST:
        raise ValueError("A number is beyond 64 bits.")


class _Description(OpenAPISchema):
    """The description, in which the words of one context are not taken for those of another of the same name."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """Return one operation; what it refers to carries the name of its context."""
        self._context = operation.view_func.__module__.split(".")[1]
        details: dict[str, Any] = self._named(super().operation_details(operation))
        return details

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Keep the definitions under the name of their context."""
        self.schemas.update({f"{self._context}.{name}": self._named(told) for name, told in definitions.items()})

    def _named(self, told: Any) -> Any:
        if isinstance(told, dict):
            return {name: self._ref(value) if name == "$ref" else self._named(value) for name, value in told.items()}
        return [self._named(one) for one in told] if isinstance(told, list) else told

    def _ref(self, ref: Any) -> Any:
        before, _slash, name = str(ref).rpartition("/")
        return ref if "." in name else f"{before}/{self._context}.{name}"


class HouseApi(NinjaAPI):
    """The interface, with the common errors declared at every operation."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the description."""
        schema = _Description(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)
        kinds = schema["components"].setdefault("schemas", {})
        for described in (Fault, Unreadable):
            kinds[described.__name__] = described.model_json_schema()
        for path in schema["paths"].values():
            for operation in path.values():
                for code, (told, kind) in _ERRORS.items():
                    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}
                    answers = {str(known) for known in operation["responses"]}
                    if code not in answers:
                        operation["responses"][code] = {"description": told, "content": content}
        return schema


api = HouseApi(
    title="Kaval",
    version="1",
    description="The register of the unit. What is done and looked at is recorded, here as in the pages.",
    urls_namespace="api",
    docs_url=None,
    parser=StrictParser(),
    auth=[TokenAuth(), SessionAuth()],
    throttle=[Pace()],
)


@api.exception_handler(AbsentError)
def _absent(request: HttpRequest, error: Any) -> HttpResponse:
    return api.create_response(request, {"detail": "Not Found", "rule": ""}, status=404)


@api.exception_handler(RefusedError)
def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return api.create_response(request, {"detail": str(error.reason), "rule": error.rule}, status=409)


@api.exception_handler(FieldsError)
def _wrong(request: HttpRequest, error: Any) -> HttpResponse:
    return api.create_response(request, {"detail": error.messages}, status=422)


@api.exception_handler(DataError)
@api.exception_handler(OverflowError)
def _beyond(request: HttpRequest, error: Any) -> HttpResponse:
    return api.create_response(request, {"detail": "A value is too long or too large for its column."}, status=422)


class Sought(Schema):
    """Words, and what for."""

    words: str
    purpose: str = ""


class FoundOut(Schema):
    """One record that answers to the words."""

    context: str
    kind: str
    title: str
    hint: str
    url: str


class WaitingOut(Schema):
    """One thing that waits for the person."""

    due: Any
    title: str
    hint: str
    url: str
    overdue: bool
    kind: str


@api.post("/find", response=list[FoundOut], auth=[TokenAuth(reads=True), SessionAuth()], tags=["house"])
def find(request: HttpRequest, sought: Sought) -> Any:
    """Search the whole house; recorded with a digest of the words."""
    found = finding.find(acting=accounts.account_of(request), words=sought.words, purpose=sought.purpose)
    return [{"context": one.context, **vars(one.found)} for group in found.groups for one in group.hits]


@api.get("/waiting", response=list[WaitingOut], tags=["house"])
def waiting(request: HttpRequest) -> Any:
    """What is due, and what waits for me."""
    return [vars(one) for one in finding.waiting_for(accounts.account_of(request))]


for _name, _router in contexts.offers("router"):
    api.add_router(f"/{_name}", _router)


def _let_programs_in(patterns: list[URLPattern | URLResolver]) -> None:
    """Take the door of the pages away from the operations, each of which has its own, tested in `_closed`."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and pattern.name not in ("openapi-json", "api-root"):
            pattern.callback.login_required = False  # type: ignore[attr-defined]


def unguarded() -> list[str]:
    """Return the operations that ask for neither a token nor a session; there are none."""
    return [
        f"{operation.methods} {router.prefix}{path}"
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
        if not operation.auth_callbacks
    ]


urls = api.urls
_let_programs_in(urls[0])
