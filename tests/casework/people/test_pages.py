"""The pages: each works for who may, is absent for who may not, costs few queries, and never names who is shut away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib import clock
from casework.people import api as people
from casework.people.models import Attribution, Enquiry, Identifier, Person, PersonName, PersonRole, WatchEntry
from tests.casework.conftest import THE_CASE, signed_in
from tests.casework.people.conftest import CARLAS_CASE, House, enter, phone

pytestmark = pytest.mark.django_db

MOST_QUERIES = 30


@pytest.fixture
def filled(house: House) -> House:
    """A suspect with a phone, under watch, twice; a victim; an enquiry of Carla's."""
    one = enter(house.inga, "Thevakkan Oorappil", "തേവക്കൻ ഊരപ്പിൽ", year=1988, parent="Nirappan")
    enter(house.inga, "तेवक्कन ऊरप्पिल", year=1988, parent="Nirappan")
    for index in range(30):
        enter(house.inga, f"Crowd{index} Filler{chr(97 + index % 26)}")
    enter(house.inga, "Mazhanila Poovam", role=people.RoleKind.VICTIM, year=2013)
    number = phone(house.inga, "9447123456")
    people.attribute(
        acting=house.inga, identifier=number, person=one, case=THE_CASE, basis=people.Basis.STATEMENT,
        confidence=people.Confidence.POSSIBLE,
    )  # fmt: skip
    people.seek(one.pk)
    today = clock.today()
    people.put_under_watch(
        acting=house.inga, person=one, case=THE_CASE, basis="order 12", reason="contact", since=today,
        review_on=today + timedelta(days=30),
    )  # fmt: skip
    theirs = phone(house.carla, "9447123456", CARLAS_CASE)
    people.identifier_seen_before(acting=house.carla, identifier=theirs, case=CARLAS_CASE, purpose="target")
    return house


def suspect() -> Person:
    return PersonName.objects.get(text="Thevakkan Oorappil").person


def victim() -> Person:
    return PersonRole.objects.get(role="victim").person


def addresses() -> list[str]:
    one, other = suspect(), PersonName.objects.get(text="तेवक्कन ऊरप्पिल").person
    number, said = Identifier.objects.get(), Attribution.objects.get()
    entry = WatchEntry.objects.get()
    on_one = "person add_name record_birth describe give_role put_under_watch person_seen candidates"
    return [
        *_each(on_one, one),
        *_each("person unmask add_to_vault", victim()),
        reverse("people:judge", args=[one.pk, other.pk]),
        *_each("withdraw_name", PersonName.objects.get(text="Thevakkan Oorappil")),
        *_each("end_role", one.roles.get()),
        *_each("identifier attribute", number),
        *_each("contest withdraw_attribution", said),
        *_each(ON_ENTRY, entry),
    ]


def _each(names: str, row: Any) -> list[str]:
    return [reverse(f"people:{name}", args=[row.pk]) for name in names.split()]


ON_ENTRY = "watch_entry review_watch remove_watch"
LISTS = ("people:people", "people:identifiers", "people:enquiries")


def test_every_page_opens_for_the_lead_with_few_queries_and_changes_nothing(
    filled: House, django_assert_max_num_queries: Any
) -> None:
    browser = signed_in(filled.inga)
    before = Entry.objects.count()

    alone = map(reverse, (*LISTS, "people:watch", "people:enter", "people:enter_identifier"))
    for address in (*addresses(), *alone):
        with django_assert_max_num_queries(MOST_QUERIES):
            answer = browser.get(address)
        assert answer.status_code == 200, address
        assert "Mazhanila" not in answer.content.decode()
    assert Entry.objects.count() == before


@pytest.mark.parametrize("outsider", ["carla", "dora", "esther"])
def test_for_an_outsider_nothing_is_there(filled: House, outsider: str) -> None:
    browser = signed_in(getattr(filled, outsider))
    watched = _each(ON_ENTRY, WatchEntry.objects.get())
    before = Entry.objects.count()

    for address in addresses():
        # The supervisor keeps the register of the unit; Carla's own case has the same number in it.
        if outsider == "esther" and address in watched:
            continue
        if outsider == "carla" and "/identifiers/" in address:
            continue
        assert browser.get(address).status_code == 404, address
        # Pages that only show answer a POST by its method, whoever asks and whether the row is there or not.
        assert browser.post(address, {}).status_code in (404, 405), address
    for name in LISTS:
        answer = browser.get(reverse(name))
        assert answer.status_code == 200
        assert "Thevakkan" not in answer.content.decode()
    assert Entry.objects.count() == before


def test_carla_sees_of_the_shared_number_her_own_case_only(filled: House) -> None:
    page = signed_in(filled.carla).get(reverse("people:identifier", args=[Identifier.objects.get().pk]))

    assert page.status_code == 200
    assert "Thevakkan" not in page.content.decode()
    assert page.content.decode().count("statement 4") == 1


def test_a_person_is_entered_named_and_dated_on_the_pages(house: House) -> None:
    browser = signed_in(house.inga)
    form = {"case": str(THE_CASE), "role": "suspect", "text": "Thevakkan", "other": "തേവക്കൻ"}
    entered = browser.post(reverse("people:enter"), {**form, "precision": "day", "proof": "statement"})
    person = Person.objects.get()
    browser.post(reverse("people:add_name", args=[person.pk]), {"text": "तेवक्कन", "kind": "alias"})
    birth = {"day": "1988-03-14", "precision": "day", "proof": "school-record"}
    browser.post(reverse("people:record_birth", args=[person.pk]), birth)
    browser.post(reverse("people:describe", args=[person.pk]), {"sex": "male", "alive": "alive"})
    wrong = browser.post(reverse("people:record_birth", args=[person.pk]), {**birth, "day": "2099-01-01"})
    page = browser.get(reverse("people:person", args=[person.pk])).content.decode()

    assert entered["Location"] == reverse("people:person", args=[person.pk])
    assert wrong.status_code == 422
    assert "in the future" in wrong.content.decode()
    for told in ("Thevakkan · തേവക്കൻ", "तेवक्कन", "14 Mar 1988", "male", "alive", "proof not seen"):
        assert told in page


def test_an_identity_is_shown_once_in_the_answer_and_nowhere_else(filled: House) -> None:
    address = reverse("people:unmask", args=[victim().pk])

    for account in (filled.inga, filled.vimala):
        browser = signed_in(account)
        assert "Mazhanila" not in browser.get(address).content.decode()
        without = browser.post(address, {"case": str(THE_CASE), "purpose": ""})
        assert without.status_code == 422
        answer = browser.post(address, {"case": str(THE_CASE), "purpose": "statement of the child"})
        assert "Mazhanila Poovam" in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
    assert Entry.objects.filter(act="people.identity_opened").count() == 2
    for account in (filled.bashir, filled.wasim):
        answer = signed_in(account).post(address, {"case": str(THE_CASE), "purpose": "statement of the child"})
        assert answer.status_code == 404
    assert "Open the identity" not in page_of(signed_in(filled.bashir), victim())


def page_of(browser: Client, person: Person) -> str:
    return browser.get(reverse("people:person", args=[person.pk])).content.decode()


def test_seen_before_is_answered_on_the_page_and_the_other_side_acknowledges(filled: House) -> None:
    number = Identifier.objects.get()
    answer = signed_in(filled.inga).post(
        reverse("people:identifier_seen", args=[number.pk]), {"case": str(THE_CASE), "purpose": "target"}
    )
    browser = signed_in(filled.inga)
    told = browser.get(reverse("people:enquiries")).content.decode()
    enquiry = Enquiry.objects.get(asked_by=filled.carla)
    browser.post(reverse("people:acknowledge", args=[enquiry.pk]))

    assert "Talk to Carla, Cell of the south." in answer.content.decode()
    assert "Carla, Cell of the south" in told
    assert "Nobody has asked" in browser.get(reverse("people:enquiries")).content.decode()
    assert signed_in(filled.dora).post(reverse("people:acknowledge", args=[enquiry.pk])).status_code == 404


def test_a_pair_is_judged_side_by_side(filled: House) -> None:
    one, other = suspect(), PersonName.objects.get(text="तेवक्कन ऊरप्पिल").person
    browser = signed_in(filled.inga)
    listed = browser.get(reverse("people:candidates", args=[one.pk])).content.decode()
    address = reverse("people:judge", args=[one.pk, other.pk])
    sides = browser.get(address).content.decode()
    again = browser.post(address, {"verdict": "same", "reason": "same paper"})

    assert "तेवक्कन ऊरप्पिल" in listed
    assert "bits" in listed
    assert "The machine says" in sides
    assert again.status_code == 302
    assert "Judged the same person" in page_of(browser, one)
    assert browser.post(address, {"verdict": "same", "reason": "same paper"}).status_code == 422


def test_the_watch_register_shows_what_is_overdue(filled: House) -> None:
    browser = signed_in(filled.inga)
    entry = WatchEntry.objects.get()
    assert "overdue" not in browser.get(reverse("people:watch")).content.decode()
    WatchEntry.objects.update(review_on=clock.today() - timedelta(days=1))

    assert "overdue" in browser.get(reverse("people:watch")).content.decode()
    assert "review overdue" in browser.get(reverse("people:watch_entry", args=[entry.pk])).content.decode()
    done = browser.post(reverse("people:remove_watch", args=[entry.pk]), {"reason": "moved abroad"})
    assert done["Location"] == reverse("people:watch")
    for outsider in (filled.bashir, filled.dora):
        assert signed_in(outsider).get(reverse("people:watch")).status_code == 404


def test_a_list_of_many_is_paged_by_key(house: House) -> None:
    for index in range(60):
        enter(house.inga, f"Crowd{index:02}")
    browser = signed_in(house.inga)
    first = browser.get(reverse("people:people"))
    page = first.context["page"]
    second = browser.get(reverse("people:people") + "?" + page.older_query)

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 10)
    assert "Crowd" not in page.older_query
    assert "Crowd59" in first.content.decode()
    assert "Crowd00" in second.content.decode()
    filtered = browser.get(reverse("people:people"), {"role": "victim"})
    assert "nobody here yet" in filtered.content.decode()


def test_programs_do_what_the_pages_do(house: House) -> None:
    browser = signed_in(house.inga)

    def post(path: str, **said: object) -> Any:
        return browser.post(f"/api/people/{path}", said, content_type="application/json")

    made = post("persons", case=str(THE_CASE), role="victim", names=[{"text": "Mazhanila"}])
    person = made.json()["id"]
    assert made.json()["title"] == made.json()["code"]
    assert browser.get("/api/people/persons").json()["rows"][0]["person"]["title"] == made.json()["code"]
    opened = post(f"persons/{person}/identity", case=str(THE_CASE), purpose="statement")
    assert opened.json()["parts"][0]["words"] == "Mazhanila"
    number = post("identifiers", case=str(THE_CASE), kind="phone", value="09447 123456", source="statement")
    assert number.json()["value"] == "+919447123456"
    assert post("identifiers", case=str(THE_CASE), kind="phone", value="1", source="statement").status_code == 409
    assert browser.get("/api/people/watched").json() == {"count": 0}
    assert signed_in(house.carla).get(f"/api/people/persons/{person}").status_code == 404
    assert signed_in(house.dora).get(f"/api/people/persons/{UUID(int=1)}").status_code == 404


def test_the_demonstration_is_made_by_the_verbs(house: House) -> None:
    lead = accounts.Capacity.LEAD
    other = UUID(int=77)
    accounts.assign(acting=house.inga, to=house.inga, case=other, capacity=lead, purpose="demo")

    demo = people.make_demo(acting=house.inga, case=THE_CASE, other_case=other)

    assert people.titles(house.inga, [demo.victim.pk]) == {demo.victim.pk: demo.victim.code}
    assert people.victim_on(demo.victim, date(2026, 6, 2)).age == 13
    assert people.watched_count() == 1


def test_a_case_is_called_by_its_register_number_where_cases_stand_in_the_house(house: House) -> None:
    from casework.cases import api as cases

    case = cases.open_case(
        acting=house.inga, title="The river ferry", classification=cases.Classification.MATERIAL, purpose="inquiry"
    )
    enter(house.inga, "Thevakkan", case=case.pk)
    page = signed_in(house.inga).get(reverse("people:people")).content.decode()

    assert f"{case.register_no} The river ferry" in page
    assert reverse("cases:case", args=[case.pk]) in page


def test_a_person_in_many_cases_costs_no_more_queries(house: House, django_assert_max_num_queries: Any) -> None:
    person = enter(house.inga, "Thevakkan")
    for number in range(40):
        case = UUID(int=1000 + number)
        accounts.assign(acting=house.inga, to=house.inga, case=case, capacity=accounts.Capacity.LEAD, purpose="inquiry")
        people.give_role(acting=house.inga, person=person, case=case, role=people.RoleKind.WITNESS)
    browser = signed_in(house.inga)

    with django_assert_max_num_queries(MOST_QUERIES):
        assert browser.get(reverse("people:person", args=[person.pk])).status_code == 200
