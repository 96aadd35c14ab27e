"""Exhibits for programs: the same verbs, the same rights, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from casework.exhibits.models import Exhibit
from tests.casework.conftest import signed_in
from tests.casework.exhibits.conftest import LUHN_BAD, Full, Store

pytestmark = pytest.mark.django_db
BASE = "/api/exhibits"


def post(browser: Client, path: str, given: dict[str, Any]) -> Any:
    return browser.post(BASE + path, given, content_type="application/json")


def test_an_exhibit_is_registered_handed_over_and_its_line_read(store: Store) -> None:
    inga, malini = signed_in(store.inga), signed_in(store.malini)
    made = post(inga, f"/case/{store.case}", {"kind": "mobile-phone", "serial": "QM 1"})
    assert made.status_code == 200
    exhibit = made.json()["id"]
    assert (made.json()["number"], made.json()["case"]) == ("0001/2026", str(store.case))
    assert "passcode" not in made.json()
    sealed = post(inga, f"/{exhibit}/seal", {"kind": "tamper-bag", "mark": "B 1", "reason": "store"})
    assert (sealed.status_code, sealed.json()["number"]) == (200, 1)
    offer = post(inga, f"/{exhibit}/offer", {"to": str(store.malini.pk)})
    assert [one["id"] for one in malini.get(f"{BASE}/waiting").json()] == [offer.json()["id"]]
    taken = post(malini, f"/hand-over/{offer.json()['id']}/acknowledge", {})
    assert (taken.status_code, taken.json()["receiver_name"]) == (200, "Malini")
    line = inga.get(f"{BASE}/{exhibit}/custody").json()
    assert [(one["sequence"], one["purpose"]) for one in line] == [(1, "seizure"), (2, "storage")]
    assert [one["id"] for one in inga.get(f"{BASE}/").json()["rows"]] == [exhibit]
    again = post(malini, f"/hand-over/{offer.json()['id']}/acknowledge", {})
    assert (again.status_code, again.json()["rule"]) == (409, "closed")


def test_refusals_absences_and_bad_values_have_their_own_answers(store: Store) -> None:
    inga = signed_in(store.inga)
    wrong = post(inga, f"/case/{store.case}", {"kind": "mobile-phone", "imei_1": LUHN_BAD})
    unknown = post(inga, f"/case/{store.case}", {"kind": "spaceship"})
    nobody = post(signed_in(store.cast.carla), f"/case/{store.case}", {"kind": "laptop"})
    reader = post(signed_in(store.cast.bashir), f"/case/{store.case}", {"kind": "laptop"})

    assert [one.status_code for one in (wrong, unknown, nobody, reader)] == [409, 422, 404, 409]
    assert wrong.json()["rule"] == "imei"
    assert not Exhibit.objects.exists()


def test_offers_are_withdrawn_and_declined_and_digests_compared(full: Full) -> None:
    inga, malini = signed_in(full.store.inga), signed_in(full.store.malini)
    declined = post(malini, f"/hand-over/{full.offer.pk}/decline", {"reason": "bag is torn"})
    assert declined.json()["state"] == "declined"
    offer = post(inga, f"/{full.phone.pk}/offer", {"to": str(full.store.hari.pk), "purpose": "examination"}).json()
    assert post(inga, f"/hand-over/{offer['id']}/withdraw", {"reason": "not yet"}).json()["state"] == "withdrawn"
    assert post(inga, f"/{full.phone.pk}/seal/break", {"reason": "to look"}).status_code == 200
    given = {"tool": "x 1", "digests": [{"algorithm": "MD5", "value": "1" * 32}]}
    told = post(inga, f"/{full.phone.pk}/image/{full.image.pk}/verify", given)
    assert [one["result"] for one in told.json()] == ["differed"]


def test_to_the_outsider_and_the_administrator_nothing_is_there(full: Full) -> None:
    for person in (full.store.cast.carla, full.store.cast.dora):
        browser = signed_in(person)
        for path in (f"/{full.phone.pk}", f"/{full.phone.pk}/custody"):
            assert browser.get(BASE + path).status_code == 404
        for path, given in (
            (f"/{full.phone.pk}/offer", {"to": str(full.store.hari.pk)}),
            (f"/{full.phone.pk}/seal", {"kind": "wax", "reason": "x"}),
            (f"/hand-over/{full.offer.pk}/acknowledge", {}),
            (f"/hand-over/{full.offer.pk}/withdraw", {"reason": "x"}),
        ):
            assert post(browser, path, given).status_code == 404
    assert signed_in(full.store.cast.dora).get(f"{BASE}/").status_code == 404
    assert signed_in(full.store.cast.carla).get(f"{BASE}/").json()["rows"] == []
