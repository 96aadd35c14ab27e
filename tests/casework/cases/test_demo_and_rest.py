"""The demonstration stands, and programs have the verbs of the pages under the same rights."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.cases.models import Case, Charge, Deadline
from casework.law import api as law
from casework.lib.errors import RefusedError
from tests.casework.cases.conftest import DAY_NEW, Scene, charge, enter, row, victim
from tests.casework.conftest import A_MORNING, Cast, enlist, signed_in

pytestmark = pytest.mark.django_db


def send(browser: Client, address: str, **given: object) -> tuple[int, dict[str, object]]:
    answer = browser.post(f"/api/cases/{address}", json.dumps(given), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


@pytest.mark.usefixtures("morning")
def test_the_demonstration_has_a_charge_on_either_side_of_the_new_codes(cast: Cast) -> None:
    law.seed()
    omar = enlist("Omar", cast.inga.unit, accounts.Role.INVESTIGATOR)
    demo = cases.make_demo(acting=cast.inga, members=(omar,))
    codes = set(Charge.objects.filter(case=demo.case).values_list("penal_code", flat=True))
    browser = signed_in(cast.inga)

    assert codes == {"IPC 1860", "BNS 2023"}
    assert demo.case.state == "before-court" or demo.case.state == "investigation"
    assert demo.case.title.startswith("DEMO")
    page = browser.get(reverse("cases:case", args=[demo.case.pk])).content.decode()
    assert "Child A" in page
    assert "Kiranth" not in page
    assert browser.get(reverse("cases:default_bail")).status_code == 200
    assert accounts.check_may_read(omar, demo.other.pk) is accounts.Capacity.WORKER
    # The child is no arrest, the adult is one.
    assert len(list(cases.arrests(date(2026, 1, 1), A_MORNING.date()))) == 1


def test_programs_open_cases_and_write_down_what_happened(scene: Scene) -> None:
    browser = signed_in(scene.cast.inga)
    status, opened = send(browser, "", title="Matter of the tin drum", classification="grooming", purpose="inquiry")
    case = str(opened["id"])
    report = {
        "state": "Kerala", "district": "N", "station": "N", "number": "4", "year": 2026,
        "registered_at": "2026-11-20T10:00:00+05:30",
    }  # fmt: skip

    assert (status, opened["register_no"]) == (200, "2/2026")
    assert send(browser, f"{case}/reports", **report)[0] == 200
    at = "2026-11-20T11:00:00+05:30"
    assert send(browser, f"{case}/events", happened="information-recorded", at=at)[0] == 200
    refused, why = send(browser, f"{case}/events", happened="arrest", at=at)
    assert (refused, why["rule"]) == (409, "person")
    assert send(browser, f"{case}/events", happened="full-moon", at=at)[0] == 422
    clocks = json.loads(browser.get(f"/api/cases/{case}/clocks").content)
    assert {one["key"] for one in clocks} >= {"fir-copy", "cwc-24h"}
    assert not any(one["verified"] for one in clocks)


def test_programs_lay_and_step_charges_and_end_clocks(scene: Scene) -> None:
    browser = signed_in(scene.cast.inga)
    accused, harmed = enter(scene), victim(scene, born=date(2012, 6, 15))
    day = DAY_NEW.isoformat()
    given = {"person": str(accused.pk), "victim": str(harmed.pk), "first": day, "last": day}
    status, laid = send(browser, f"{scene.id}/charges", **given, offence=str(row("POCSO 2012 12").pk))
    too_old = send(browser, f"{scene.id}/charges", **given, offence=str(row("POCSO 2012 4(1)").pk))[0]
    step = {"stage": "in-police-report", "on": "2026-11-20"}

    assert (status, laid["fit"], laid["verified"], too_old) == (200, "fits", False, 409)
    assert send(browser, f"{scene.id}/charges/{laid['id']}/step", **step)[0] == 200
    at = "2026-11-20T11:00:00+05:30"
    send(browser, f"{scene.id}/events", happened="information-recorded", at=at)
    clock = Deadline.objects.filter(case=scene.id)[0]
    assert send(browser, f"{scene.id}/clocks/{clock.pk}/meet", at=at, document="letter")[1]["state"] == "met"
    decision = {"question": "Go?", "options": ["go", "wait"], "choice": "go", "reason": "near"}
    assert send(browser, f"{scene.id}/decisions", **decision)[0] == 200


@pytest.mark.parametrize("who", ["carla", "dora", "esther"])
def test_programs_of_outsiders_find_nothing(scene: Scene, who: str) -> None:
    browser = signed_in(getattr(scene.cast, who))

    for address in ("", "/events", "/charges", "/clocks"):
        assert browser.get(f"/api/cases/{scene.id}{address}").status_code == 404
    assert send(browser, f"{scene.id}/end", how="closed", reason="x")[0] == 404
    listed = browser.get("/api/cases/")
    assert listed.status_code == (404 if who == "dora" else 200)
    assert "kettle" not in listed.content.decode()
    assert Case.objects.get().state == "enquiry"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "1899-12-31T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_year_that_is_a_slip_of_the_finger_is_refused(scene: Scene, at: str) -> None:
    assert send(signed_in(scene.cast.inga), f"{scene.id}/events", happened="information-recorded", at=at)[0] == 409


def test_nobody_is_harmed_before_they_are_born(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="not born"):
        charge(scene, "POCSO 2012 12", enter(scene), victim(scene, born=DAY_NEW + timedelta(days=1)))
    with pytest.raises(RefusedError, match="not born"):
        charge(scene, "POCSO 2012 12", enter(scene, born=DAY_NEW + timedelta(days=1)))
