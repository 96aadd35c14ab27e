"""The pages: each works for who may, is absent for who may not, changes nothing by a look, and asks few questions."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from casework.audit.models import Entry
from casework.exhibits import api as exhibits
from casework.exhibits import urls
from casework.exhibits.models import (
    CustodyEvent,
    Exhibit,
    HandOver,
    Laboratory,
    LockerEntry,
    Photograph,
    Seal,
    Specimen,
    StoragePlace,
    Viewing,
)
from casework.papers import api as papers
from casework.papers.models import Paper
from tests.casework.conftest import signed_in
from tests.casework.exhibits.conftest import Full, Store, telephone

pytestmark = pytest.mark.django_db

FREE = {"exhibits", "waiting", "store", "open_place", "keep_specimen", "keep_laboratory", "locker"}
UNIT = FREE | {"place", "close_place"}
POSTED = {"seizure_list", "forwarding_note", "custody_paper", "receipt", "label_paper", "close_place"}
NAMES = [str(pattern.name) for pattern in urls.urlpatterns]


def address(name: str, full: Full) -> str:
    """Return the address of that name, for the things of the full store."""
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    holes = re.findall(r"<uuid:(\w+)>", str(pattern.pattern))
    thing = full.package if name in ("book_locker", "enter_order") else full.phone
    known: dict[str, Any] = {
        "case": full.store.case, "exhibit": thing.pk, "offer": full.offer.pk, "seizure": full.seizure.pk,
        "forwarding": full.forwarding.pk, "order": full.order.pk, "image": full.image.pk, "event": full.event.pk,
        "photograph": full.photograph.pk, "place": full.place.pk,
    }  # fmt: skip
    return reverse(f"exhibits:{name}", kwargs={hole: known[hole] for hole in holes})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in POSTED])
def test_every_page_opens_for_who_works_on_the_case(full: Full, name: str) -> None:
    person = full.store.cast.esther if name in ("open_place", "keep_specimen", "keep_laboratory") else full.store.inga
    if name in ("acknowledge", "decline"):
        person = full.store.malini
    browser, before = signed_in(person), Entry.objects.count()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = browser.get(address(name, full))

    assert answer.status_code == 200, answer.content[:400]
    assert Entry.objects.count() == before
    assert len(asked) <= 30, f"{name}: {len(asked)} questions"
    for query in asked.captured_queries:
        assert "COUNT(" not in query["sql"].upper()
        assert " OFFSET " not in query["sql"].upper()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_to_the_outsider_and_the_administrator_there_is_no_such_page(full: Full, name: str, method: str) -> None:
    people = [full.store.cast.dora] if name in UNIT else [full.store.cast.carla, full.store.cast.dora]
    for person in people:
        before = Entry.objects.count()
        answer = getattr(signed_in(person), method)(address(name, full))

        allowed = (404, 405) if name in POSTED or name in FREE or method == "post" else (404,)
        assert answer.status_code in allowed, (name, person)
        assert Entry.objects.count() == before


@pytest.mark.parametrize("name", NAMES)
def test_nobody_comes_in_without_a_session(full: Full, name: str) -> None:
    answer = Client().get(address(name, full))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/sign-in/")


WRITING = sorted(set(NAMES) - UNIT - {"case", "exhibit", "photograph", "order", "forwarding", "labels"})


@pytest.mark.parametrize("name", WRITING)
def test_who_only_reads_changes_nothing(full: Full, name: str) -> None:
    before = Entry.objects.count(), Paper.objects.count()
    answer = signed_in(full.store.cast.bashir).post(address(name, full), {"reason": "x", "language": "en"})

    assert answer.status_code in (403, 404, 405, 422)
    assert (Entry.objects.count(), Paper.objects.count()) == before


def test_the_reader_sees_the_exhibit_without_its_buttons(full: Full) -> None:
    page = signed_in(full.store.cast.bashir).get(address("exhibit", full)).content.decode()

    assert full.phone.number in page
    assert "Correct" not in page
    assert "7788-xx" not in page


@pytest.fixture
def browser(store: Store) -> Client:
    return signed_in(store.inga)


def test_from_the_memo_to_the_acknowledged_hand_over_on_pages(store: Store, browser: Client) -> None:
    answer = browser.post(
        reverse("exhibits:record_seizure", args=[store.case]),
        {
            "memo": "3", "at": "2026-11-23T08:30", "place": "House 4", "legal_route": "BNSS 185",
            "witnesses": "Witness One; Lane 1\nWitness Two; Lane 2",
        },
    )  # fmt: skip
    assert answer.status_code == 302
    answer = browser.post(
        answer["Location"],
        {
            "kind": "mobile-phone", "make": "Quillmark", "found_state": "on-locked", "isolation": "faraday-bag",
            "passcode_state": "given", "passcode": "7788", "clock_offset": "+00:03:10", "imei_1": "490154203237518",
            "seizure": str(exhibits.Seizure.objects.get().pk),
        },
    )  # fmt: skip
    exhibit = Exhibit.objects.get()
    assert answer["Location"] == reverse("exhibits:exhibit", args=[exhibit.pk])
    assert (exhibit.memo_line, exhibit.clock_offset, exhibit.passcode) == (1, 190, "7788")
    page = browser.get(answer["Location"]).content.decode()
    assert "7788" not in page
    shown = browser.post(reverse("exhibits:passcode", args=[exhibit.pk]), {"purpose": "unlock for imaging"})
    assert "7788" in shown.content.decode()
    assert Entry.objects.filter(act="exhibits.passcode_read", purpose="unlock for imaging").exists()
    browser.post(reverse("exhibits:seal", args=[exhibit.pk]), {"kind": "tamper-bag", "mark": "B 1", "reason": "store"})
    answer = browser.post(
        reverse("exhibits:offer", args=[exhibit.pk]),
        {"to": str(store.malini.pk), "purpose": "storage", "condition": "as-before"},
    )
    assert answer.status_code == 302
    offer = HandOver.objects.get()
    theirs = signed_in(store.malini)
    assert f"Acknowledge exhibit {exhibit}" in theirs.get("/").content.decode()
    answer = theirs.post(reverse("exhibits:acknowledge", args=[offer.pk]), {"condition": "as-before"})
    assert answer.status_code == 422
    assert "Seal" in answer.content.decode()
    answer = theirs.post(
        reverse("exhibits:acknowledge", args=[offer.pk]), {"condition": "as-before", "seal_intact": "yes"}
    )
    assert answer.status_code == 302
    assert CustodyEvent.objects.filter(exhibit=exhibit).count() == 2
    assert theirs.get(reverse("exhibits:acknowledge", args=[offer.pk])).status_code == 404


def test_a_refusal_stands_above_the_form_and_keeps_what_was_typed(store: Store, browser: Client) -> None:
    exhibit = telephone(store)
    answer = signed_in(store.hari).post(
        reverse("exhibits:offer", args=[exhibit.pk]),
        {"to": str(store.inga.pk), "purpose": "storage", "condition": "as-before", "note": "typed words"},
    )

    assert answer.status_code == 422
    assert "You do not hold this exhibit" in answer.content.decode()
    assert "typed words" in answer.content.decode()


def test_several_are_handed_over_from_the_page_of_the_case(store: Store, browser: Client) -> None:
    first, second = telephone(store), telephone(store)
    where = reverse("exhibits:offer_several", args=[store.case])
    assert str(first.pk) in browser.get(where).content.decode()
    picked = browser.get(where, {"exhibit": [str(first.pk), str(second.pk)]}).content.decode()
    assert picked.count('name="exhibit"') == 2
    browser.post(
        where,
        {
            "exhibit": [str(first.pk), str(second.pk)], "to": str(store.hari.pk), "purpose": "examination",
            "condition": "as-before",
        },
    )  # fmt: skip
    assert len(set(HandOver.objects.values_list("batch", flat=True))) == 1
    offer = HandOver.objects.first()
    assert offer is not None
    answer = signed_in(store.hari).post(reverse("exhibits:acknowledge", args=[offer.pk]), {"condition": "as-before"})
    assert answer["Location"] == reverse("exhibits:waiting")
    assert HandOver.objects.filter(state="acknowledged").count() == 2


def picture() -> bytes:
    kept = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(kept, "JPEG")
    return kept.getvalue() + b"<script>alert(1)</script>"


def test_a_photograph_is_made_anew_and_shown_to_members_only(store: Store, browser: Client) -> None:
    exhibit = telephone(store)
    where = reverse("exhibits:add_photograph", args=[exhibit.pk])
    given = io.BytesIO(picture())
    given.name = "x.jpg"
    assert browser.post(where, {"picture": given, "caption": "front"}).status_code == 302
    kept = Photograph.objects.get()
    shown = browser.get(reverse("exhibits:photograph", args=[exhibit.pk, kept.pk]))

    assert b"<script>" not in shown.content
    assert shown["Content-Type"].startswith("image/")
    assert shown["X-Content-Type-Options"] == "nosniff"
    refused = io.BytesIO(b"<svg onload='alert(1)'/>")
    refused.name = "y.jpg"
    assert browser.post(where, {"picture": refused}).status_code == 422
    assert Photograph.objects.count() == 1


def test_an_old_matter_gets_the_old_certificate_and_a_new_one_the_new(full: Full) -> None:
    page = signed_in(full.store.inga).get(address("certificate", full)).content.decode()

    assert "BSA 63(4), Part A" in page
    assert "65B" not in page
    for kind in exhibits.certificates_for(full.phone, person=full.store.inga):
        assert kind is not papers.Kind.CERTIFICATE_65B


def test_labels_hold_an_address_and_nothing_about_the_thing(full: Full) -> None:
    page = signed_in(full.store.inga).get(address("labels", full)).content.decode()

    assert page.count("data:image/svg+xml") == Exhibit.objects.filter(case=full.store.case, withdrawn_at=None).count()


def test_a_supervisor_keeps_the_store_and_others_do_not(store: Store, browser: Client) -> None:
    where = reverse("exhibits:open_place")
    assert browser.post(where, {"room": "Store 1"}).status_code == 403
    theirs = signed_in(store.cast.esther)
    assert theirs.post(where, {"room": "Store 1", "shelf": "B"}).status_code == 302
    assert theirs.post(where, {"room": "Store 1", "shelf": "B"}).status_code == 422
    assert theirs.post(reverse("exhibits:keep_specimen"), {"name": "Brass 1", "says": "NORTH", "kept_by": "SHO"})
    assert theirs.post(reverse("exhibits:keep_laboratory"), {"name": "State laboratory", "address": "Hill"})
    place = StoragePlace.objects.get()
    assert (Specimen.objects.count(), Laboratory.objects.count()) == (1, 1)
    exhibit = telephone(store)
    browser.post(reverse("exhibits:move", args=[exhibit.pk]), {"place": str(place.pk)})
    assert Exhibit.objects.get().place_id == place.pk
    assert theirs.post(reverse("exhibits:close_place", args=[place.pk])).status_code == 403


def test_the_lists_page_by_key_and_filter(store: Store, browser: Client) -> None:
    for _ in range(53):
        telephone(store)
    page = browser.get(reverse("exhibits:exhibits")).content.decode()
    further = re.search(r'rel="next" href="(\?[^"]+)"', page)

    assert further is not None
    assert page.count('<th scope="row">') == 50
    rest = browser.get(reverse("exhibits:exhibits") + further[1].replace("&amp;", "&")).content.decode()
    assert rest.count('<th scope="row">') == 3
    mine = browser.get(reverse("exhibits:exhibits"), {"which": "mine", "kind": "laptop"}).content.decode()
    assert "no exhibit here" in mine


def test_the_locker_and_the_viewing_register_on_pages(full: Full) -> None:
    browser = signed_in(full.store.inga)
    assert LockerEntry.objects.filter(package=full.package).count() == 1
    answer = browser.post(
        address("book_locker", full),
        {
            "place": str(full.locker.pk), "reason": "viewing", "document": "order 12/2026", "carried_by": "Inga",
            "witness": str(full.store.hari.pk),
        },
    )  # fmt: skip
    assert answer.status_code == 302
    seal = Seal.objects.get(exhibit=full.package, broken_at=None)
    exhibits.break_seal(acting=full.store.inga, exhibit=full.package, reason="order 12/2026")
    exhibits.seal(acting=full.store.inga, exhibit=full.package, kind=exhibits.SealKind.WAX, reason="after the viewing")
    given = {
        "started_at": "2026-11-20T10:00", "ended_at": "2026-11-20T11:00", "place": "Room 2", "persons": ["0"],
        "expert": "Expert Rani", "seal_before": str(seal.pk),
    }  # fmt: skip
    answer = browser.post(address("record_viewing", full), given)
    assert answer.status_code == 422
    assert "device" in answer.content.decode()
    assert browser.post(address("record_viewing", full), {**given, "devices_kept_out": "on"}).status_code == 302
    assert Viewing.objects.get().persons == [{"name": "Advocate Devi", "capacity": "defence"}]


def test_accounts_are_found_for_the_forms(full: Full) -> None:
    page = signed_in(full.store.inga).get(address("offer", full)).content.decode()

    assert "Malini" in page
    assert "Bashir" not in page
