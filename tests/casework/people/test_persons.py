"""Persons and the vault: what stands open, what is shut away, and who opens it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people
from casework.people import persons, sight, vault
from casework.people.models import Birth, BlockingKey, PersonName, PersonText, VaultEntry, WatchEntry
from tests.casework.conftest import THE_CASE
from tests.casework.people.conftest import CARLAS_CASE, House, enter, phone

pytestmark = pytest.mark.django_db

VICTIM = people.RoleKind.VICTIM


def everything_stored() -> bytes:
    """Return all rows of all tables as bytes, as one with the database in hand reads them."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            found.extend(str([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor.fetchall())
    return "\n".join(found).encode()


def test_a_person_is_titled_by_the_name_in_latin_and_in_its_own_script(house: House) -> None:
    person = enter(house.inga, "തേവക്കൻ", "Thevakkan")

    assert people.titles(house.bashir, [person.pk]) == {person.pk: "Thevakkan · തേവക്കൻ"}
    assert [row.script for row in PersonName.objects.order_by("created_at")] == ["malayalam", "latin"]
    assert PersonName.objects.get(script="malayalam").romanised == "tevakkan"


def test_a_person_is_known_to_the_members_of_their_cases_only(house: House) -> None:
    person = enter(house.inga, "Thevakkan")

    for outsider in (house.carla, house.dora, house.esther):
        assert people.visible(outsider, [person.pk]) == set()
        with pytest.raises(AbsentError):
            people.get_person(outsider, person.pk)
    for member in (house.inga, house.bashir, house.vimala):
        assert people.get_person(member, person.pk) == person


@pytest.mark.parametrize("outsider", ["carla", "dora", "esther"])
def test_for_an_outsider_no_verb_finds_the_person(house: House, outsider: str) -> None:
    acting = getattr(house, outsider)
    person, victim = enter(house.inga, "Thevakkan"), enter(house.inga, "Mazhanila", role=VICTIM)
    name, role = PersonName.objects.get(person=person), person.roles.get()
    born = people.Born(day=date(1990, 1, 1), precision=people.Precision.DAY, proof=people.Proof.STATEMENT)
    before = Entry.objects.count()
    acts = (
        lambda: people.enter_person(acting=acting, case=THE_CASE, role=VICTIM),
        lambda: people.add_name(acting=acting, person=person, name=people.Name(text="X")),
        lambda: people.withdraw_name(acting=acting, name=name, reason="wrong"),
        lambda: people.record_birth(acting=acting, person=person, born=born),
        lambda: people.describe(acting=acting, person=person, sex=None, alive=people.Alive.DEAD),
        lambda: people.give_role(acting=acting, person=person, case=THE_CASE, role=people.RoleKind.WITNESS),
        lambda: people.end_role(acting=acting, role=role, until=date(2026, 1, 1), reason="wrong"),
        lambda: people.add_to_vault(acting=acting, person=victim, kind=people.VaultKind.SCHOOL, words="A school"),
        lambda: people.unmask(acting=acting, person=victim, case=THE_CASE, purpose="curious"),
        lambda: people.judge(acting=acting, one=person, other=victim, verdict=people.Verdict.SAME, reason="alike"),
        lambda: people.persons_in_case(acting, THE_CASE),
        lambda: persons.get_name(acting, name.pk),
        lambda: persons.get_role(acting, role.pk),
    )
    for act in acts:
        with pytest.raises(AbsentError):
            act()

    assert Entry.objects.count() == before


def test_a_reader_reads_and_does_not_write(house: House) -> None:
    person = enter(house.inga, "Thevakkan")

    with pytest.raises(RefusedError, match="not change it"):
        people.add_name(acting=house.bashir, person=person, name=people.Name(text="Other"))
    with pytest.raises(RefusedError, match="not change it"):
        enter(house.bashir, "Somebody")


@pytest.mark.parametrize("role", ["victim", "child-in-conflict", "guardian", "informant"])
def test_of_a_protected_person_nothing_readable_stands_in_the_database(house: House, role: str) -> None:
    person = enter(house.inga, "Mazhanilaavu", "മഴനിലാവ്", role=people.RoleKind(role), year=2013)
    people.add_to_vault(acting=house.inga, person=person, kind=people.VaultKind.SCHOOL, words="Poovamkara school")

    stored = everything_stored()
    assert b"Mazhanilaavu" not in stored
    assert "മഴനിലാവ്".encode() not in stored
    assert b"2013-01-01" not in stored
    assert b"Poovamkara" not in stored
    assert BlockingKey.objects.count() == PersonText.objects.count() == PersonName.objects.count() == 0
    assert people.titles(house.inga, [person.pk]) == {person.pk: person.code}


def test_an_identity_is_opened_by_the_lead_and_by_victim_support_with_a_purpose_on_record(house: House) -> None:
    victim = enter(house.inga, "Mazhanila", role=VICTIM, year=2013)

    for account in (house.inga, house.vimala):
        identity = people.unmask(acting=account, person=victim, case=THE_CASE, purpose="statement of the child")
        assert [part.words for part in identity.parts] == ["Mazhanila", "1 Jan 2013 – 31 Dec 2013"]
    entries = Entry.objects.filter(act="people.identity_opened")
    assert [(entry.purpose, entry.case) for entry in entries] == [("statement of the child", str(THE_CASE))] * 2
    assert not entries.filter(fields__contains="Mazha").exists()
    for account in (house.bashir, house.wasim):
        with pytest.raises(AbsentError):
            people.unmask(acting=account, person=victim, case=THE_CASE, purpose="statement of the child")
    with pytest.raises(RefusedError, match="Say what"):
        people.unmask(acting=house.inga, person=victim, case=THE_CASE, purpose=" ")


def test_an_informant_is_opened_by_the_lead_alone(house: House) -> None:
    informant = enter(house.inga, "Kurinji", role=people.RoleKind.INFORMANT)

    assert people.unmask(acting=house.inga, person=informant, case=THE_CASE, purpose="meeting").parts
    with pytest.raises(AbsentError):
        people.unmask(acting=house.vimala, person=informant, case=THE_CASE, purpose="meeting")


def test_the_lead_of_another_case_does_not_open_it_through_that_case(house: House) -> None:
    victim = enter(house.inga, "Mazhanila", role=VICTIM)

    with pytest.raises(AbsentError):
        people.unmask(acting=house.carla, person=victim, case=CARLAS_CASE, purpose="meeting")


def test_a_witness_who_becomes_a_victim_is_shut_away_with_everything(house: House) -> None:
    person = enter(house.inga, "Mazhanila", "മഴനില", year=2013)
    home = people.enter_identifier(
        acting=house.inga,
        case=THE_CASE,
        given=people.Given(kind=people.IdentifierKind.ADDRESS, value="Poovam House, Kara", source="statement"),
    )
    people.attribute(
        acting=house.inga, identifier=home.identifier, person=person, case=THE_CASE, basis=people.Basis.STATEMENT,
        confidence=people.Confidence.CONFIRMED,
    )  # fmt: skip
    people.put_under_watch(
        acting=house.inga, person=person, case=THE_CASE, basis="order", reason="contact", since=date(2020, 1, 1),
        review_on=tomorrow(),
    )  # fmt: skip

    people.give_role(acting=house.inga, person=person, case=THE_CASE, role=VICTIM)

    assert not PersonName.objects.exists()
    assert not BlockingKey.objects.exists()
    assert {row.kind for row in VaultEntry.objects.all()} == {"name", "address"}
    assert WatchEntry.objects.get().removed_at is not None
    assert people.victim_on(people.get_person(house.inga, person.pk), date(2026, 12, 31)).age == 13
    shut = people.get_person(house.inga, person.pk)
    identity = people.unmask(acting=house.inga, person=shut, case=THE_CASE, purpose="statement")
    assert {part.words for part in identity.parts} >= {"Mazhanila", "മഴനില", "poovam house kara"}


def tomorrow() -> date:
    return clock.today() + timedelta(days=1)


def test_an_identity_that_others_work_with_is_not_taken_from_them(house: House) -> None:
    person = enter(house.inga, "Thevakkan")
    lead = accounts.Capacity.LEAD
    other = uuid4()
    accounts.assign(acting=house.inga, to=house.inga, case=other, capacity=lead, purpose="second")
    people.give_role(acting=house.inga, person=person, case=other, role=people.RoleKind.WITNESS)

    with pytest.raises(RefusedError, match="a person of their own"):
        people.give_role(acting=house.inga, person=person, case=THE_CASE, role=VICTIM)


def test_protection_is_raised_and_never_lowered(house: House) -> None:
    access = people.AccessClass.PROTECTED
    witness = people.enter_person(
        acting=house.inga,
        case=THE_CASE,
        role=people.RoleKind.WITNESS,
        names=[people.Name(text="Ilavath")],
        access=access,
    )

    assert witness.is_shut_away
    with pytest.raises(RefusedError, match="cannot be lifted"):
        people.enter_person(acting=house.inga, case=THE_CASE, role=VICTIM, access=people.AccessClass.ORDINARY)
    people.end_role(acting=house.inga, role=witness.roles.get(), until=tomorrow(), reason="over")
    assert people.get_person(house.inga, witness.pk).is_shut_away


def test_an_address_of_a_protected_person_is_no_attribution(house: House) -> None:
    victim = enter(house.inga, "Mazhanila", role=VICTIM)
    given = people.Given(kind=people.IdentifierKind.ADDRESS, value="Poovam House", source="statement")
    home = people.enter_identifier(acting=house.inga, case=THE_CASE, given=given).identifier

    with pytest.raises(RefusedError, match="vault"):
        people.attribute(
            acting=house.inga, identifier=home, person=victim, case=THE_CASE, basis=people.Basis.STATEMENT,
            confidence=people.Confidence.CONFIRMED,
        )  # fmt: skip


def test_births_keep_their_precision_and_the_age_is_certain_only_where_it_is(house: House) -> None:
    person = enter(house.inga, "Thevakkan", year=2008)
    day = date(2026, 6, 1)

    assert people.ages_on(person, day) == (17, 18)
    assert people.victim_on(person, day).age is None
    born = people.Born(
        day=date(2008, 6, 2), precision=people.Precision.DAY, proof=people.Proof.SCHOOL_RECORD, verified_by="Inga",
        verified_on=date(2026, 11, 1),
    )  # fmt: skip
    people.record_birth(acting=house.inga, person=person, born=born)
    assert people.ages_on(person, day) == (17, 17)
    assert Birth.objects.count() == 2
    with pytest.raises(RefusedError, match="future"):
        people.record_birth(
            acting=house.inga,
            person=person,
            born=people.Born(day=date(2099, 1, 1), precision=people.Precision.DAY, proof=people.Proof.STATEMENT),
        )


def test_a_withdrawn_name_stays_on_record_and_is_found_no_longer(house: House) -> None:
    person = enter(house.inga, "Thevakkan", "Oorappil")
    name = PersonName.objects.get(text="Oorappil")

    people.withdraw_name(acting=house.inga, name=name, reason="misheard")

    assert PersonName.objects.count() == 2
    assert people.find(house.inga, "oorappil", purpose="") == []
    assert people.titles(house.inga, [person.pk]) == {person.pk: "Thevakkan"}
    with pytest.raises(RefusedError, match="already"):
        people.withdraw_name(acting=house.inga, name=name, reason="misheard")


def test_every_act_is_in_the_ledger_without_a_name(house: House) -> None:
    before = Entry.objects.count()
    person = enter(house.inga, "Thevakkan")
    people.add_name(acting=house.inga, person=person, name=people.Name(text="Oorappil"))
    phone(house.inga, "9000000012")

    entries = Entry.objects.filter(seq__gt=before)
    assert [entry.act for entry in entries] == [
        "people.person_entered",
        "people.name_added",
        "people.identifier_entered",
    ]
    assert not any("Thevakkan" in entry.fields or "9000000012" in entry.fields for entry in entries)
    assert sight.subject_title(person) == "Thevakkan"
    assert vault.born(person) is None
