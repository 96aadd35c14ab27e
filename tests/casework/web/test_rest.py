"""The programming interface: guarded everywhere, described, and held against its description with hostile input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from django.test.utils import override_settings
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from casework.accounts import tokens
from casework.law import api as law
from casework.papers import api as papers
from casework.unit import demo
from casework.web import rest
from casework.web.wsgi import application
from tests.casework import holes
from tests.casework.conftest import Cast, signed_in

pytestmark = pytest.mark.django_db
TOLD = rest.api.get_openapi_schema()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EFFORT = effort(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
OPERATIONS = [(path, method) for path, known in TOLD["paths"].items() for method in known]


def test_every_operation_asks_who_it_is() -> None:
    assert rest.unguarded() == []
    assert len(OPERATIONS) > 12
    assert all(TOLD["paths"][path][method]["security"] for path, method in OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_nobody_asks_without_a_token(path: str, method: str) -> None:
    path = holes.fill(path)
    for headers in ({}, {"Authorization": "Bearer kaval_no-such-token"}, {"Authorization": "Basic eDp5"}):
        assert getattr(Client(), method)(path, headers=headers).status_code == 401


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_declares_every_error(path: str, method: str) -> None:
    declared = {str(code) for code in TOLD["paths"][path][method]["responses"]}

    assert declared >= {"400", "401", "403", "404", "409", "422", "429"}


def test_the_description_is_for_members_only(cast: Cast) -> None:
    assert Client().get("/api/openapi.json").status_code == 302
    assert signed_in(cast.inga).get("/api/openapi.json").json()["info"]["title"] == "Kaval"
    assert signed_in(cast.inga).get("/api/").status_code == 404


def test_a_session_needs_the_csrf_token(cast: Cast) -> None:
    browser = signed_in(cast.esther)
    browser.handler.enforce_csrf_checks = True
    path, body = f"/api/accounts/{cast.bashir.pk}/close", {"reason": "left the unit"}

    assert browser.get("/api/accounts/me").status_code == 200
    assert browser.post(path, body, "application/json").status_code == 403
    browser.get("/")
    headers = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    assert browser.post(path, body, "application/json", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        '{"reason": "\\u0000"}',
        '{"reason": "\\ud800"}',
        '{"reason": NaN}',
        '{"reason": 9223372036854775808}',
        "{",
        "\xff",
    ],
)
def test_what_no_column_holds_is_not_read(cast: Cast, body: str) -> None:
    headers = {"Authorization": f"Bearer {tokens.make_token(acting=cast.esther, name='x', may_write=True, days=1)}"}
    path = f"/api/accounts/{cast.bashir.pk}/close"
    answer = Client().post(path, body.encode("latin-1"), "application/json", headers=headers)

    assert answer.status_code == 400
    assert Client().get("/api/law/correspondence?ipc=%00", headers=headers).status_code == 400


def test_a_rule_answers_with_its_name(cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {tokens.make_token(acting=cast.esther, name='x', may_write=True, days=1)}"}
    answer = Client().post(
        f"/api/accounts/{cast.esther.pk}/close", {"reason": "x"}, "application/json", headers=headers
    )

    assert answer.status_code == 409
    assert answer.json()["rule"] == "own-account"


def test_an_officer_finds_no_desk(cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {tokens.make_token(acting=cast.inga, name='x', may_write=True, days=1)}"}

    assert Client().get("/api/accounts/", headers=headers).status_code == 404
    assert Client().get(f"/api/accounts/{cast.bashir.pk}", headers=headers).status_code == 404


def torment(operation: Any, mode: GenerationMode, headers: dict[str, str], faults: list[str]) -> int:
    """Ask one operation right or wrong questions, return how many, and keep what went wrong."""
    known = {name: there for name in holes.names(operation.path) if (there := holes.rows(name))}
    asked = 0

    @EFFORT
    @given(data=st.data(), case=operation.as_strategy(generation_mode=mode))
    def ask(data: st.DataObject, case: Any) -> None:
        nonlocal asked
        asked += 1
        # Ids drawn at random lead to 404 only; most of the time a row that is there is asked for.
        for name, there in known.items():
            if data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(there))
        # Every question is taken back, so that one does not spoil the next, and a broken one not all others.
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except (FailureGroup, Failure) as failure:
        told = getattr(failure, "exceptions", [failure])
        faults.append(f"{operation.label}, {mode.value}: {'; '.join(str(one)[:300] for one in told)}")
    except Unsatisfiable:
        # An operation without a single parameter has no wrong question.
        assert mode is GenerationMode.NEGATIVE
    return asked


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the test's transaction open through questions asked as a server asks them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.usefixtures("one_connection")
@override_settings(API_PER_MINUTE=1_000_000)
def test_no_question_breaks_the_interface_or_is_answered_as_it_does_not_say() -> None:
    law.seed()
    papers.seed()
    lead = demo.make_demo().people.lead
    headers = {"Authorization": f"Bearer {tokens.make_token(acting=lead, name='x', may_write=True, days=1)}"}
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(TOLD, default=str)))
    schema.app = application
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    faults: list[str] = []
    asked = sum(torment(operation, mode, headers, faults) for operation in operations for mode in modes)

    assert faults == [], "\n".join(faults)
    assert len(operations) == len(OPERATIONS)
    assert asked > 5 * len(operations)
