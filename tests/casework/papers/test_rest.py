"""Papers for programs: the same rights as in the pages."""

from __future__ import annotations

import pytest
from django.test import Client

from casework.audit.models import Entry
from casework.papers import api as papers
from casework.papers.models import Document
from tests.casework.conftest import THE_CASE, Cast, signed_in
from tests.casework.papers.conftest import issued

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forms")]
HERE = "/api/papers"


def test_members_read_check_take_out_and_withdraw(led: Cast) -> None:
    paper = issued(led)
    inga, bashir = signed_in(led.inga), signed_in(led.bashir)

    listed = bashir.get(f"{HERE}/cases/{THE_CASE}").json()
    assert [one["number"] for one in listed["papers"]] == [paper.number]
    assert listed["older"] == ""
    one = bashir.get(f"{HERE}/{paper.pk}").json()
    assert (one["state"], one["digest"], one["verified_by"]) == ("genuine", paper.digest, "")
    asked = {"number": paper.number, "digest": paper.digest[:32]}
    assert bashir.get(f"{HERE}/check", asked).json()["verdict"] == "genuine"
    assert bashir.get(f"{HERE}/check", {"number": "7"}).status_code == 409
    file = bashir.post(f"{HERE}/{paper.pk}/file")
    assert file.content == bytes(Document.objects.get(paper=paper).content)
    assert Entry.objects.filter(act="papers.paper_taken_out").count() == 1
    told = {"reason": "wrong line"}
    assert _posted(bashir, f"{HERE}/{paper.pk}/withdraw", told) == 409
    assert _posted(inga, f"{HERE}/{paper.pk}/withdraw", told) == 200
    assert papers.state_of(paper) is papers.State.WITHDRAWN


def test_to_outsiders_there_is_nothing(led: Cast) -> None:
    paper = issued(led)
    for outsider in (led.carla, led.dora, led.esther):
        browser = signed_in(outsider)
        for address in (f"{HERE}/cases/{THE_CASE}", f"{HERE}/{paper.pk}"):
            assert browser.get(address).status_code == 404
        assert browser.post(f"{HERE}/{paper.pk}/file").status_code == 404
        assert _posted(browser, f"{HERE}/{paper.pk}/withdraw", {"reason": "x"}) == 404
        told = browser.get(f"{HERE}/check", {"number": paper.number, "digest": paper.digest}).json()
        assert told == {"verdict": "unknown", "paper": None}


def test_forms_are_told_with_their_source_and_who_verified_them(led: Cast) -> None:
    told = signed_in(led.inga).get(f"{HERE}/forms").json()

    assert len(told) == 30
    assert all(form["source"] and form["verified_by"] == "" for form in told)


def _posted(browser: Client, address: str, body: dict[str, str]) -> int:
    return browser.post(address, body, content_type="application/json").status_code
