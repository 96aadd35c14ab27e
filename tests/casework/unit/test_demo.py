"""The demonstration's unit: it can be made once, its people come in, and everything in it is marked."""

from __future__ import annotations

import pytest
from django.test import Client

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.cases import api as cases
from casework.law import api as law
from casework.lib.errors import ConfigurationError
from casework.papers import api as papers
from casework.unit import demo
from tests.casework.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> demo.DemoUnit:
    law.seed()
    papers.seed()
    return demo.make_demo()


def test_everybody_of_the_demonstration_comes_in(made: demo.DemoUnit) -> None:
    for account in made.people.all():
        browser = Client()
        browser.post("/accounts/sign-in/", {"username": account.username, "password": made.password})
        code = accounts.code_at(made.secret, accounts.present_step())
        assert browser.post("/accounts/sign-in/factor/", {"code": code})["Location"] == "/"
        page = browser.get("/").content.decode()
        assert f"Good day, {account.name}" in page
        assert "DEMO" in account.name


def test_it_is_made_in_an_empty_unit_only_and_its_ledger_holds(made: demo.DemoUnit) -> None:
    assert audit.verify().broken is None
    with pytest.raises(ConfigurationError, match="already"):
        demo.make_demo()


def test_its_case_goes_from_report_to_certificate(made: demo.DemoUnit) -> None:
    issued = papers.of_case(acting=made.people.lead, case=made.case).rows

    assert {paper.kind for paper in issued} == {papers.Kind.CUSTODY_SEQUENCE, papers.Kind.CERTIFICATE_63_A}
    assert cases.get_case(made.case, person=made.people.lead).register_no
    browser = signed_in(made.people.lead)
    assert "DEMO" in browser.get("/cases/").content.decode()
    assert "<li>" in browser.get("/").content.decode()
