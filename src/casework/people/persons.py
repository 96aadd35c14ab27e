"""Verbs on persons: enter, name, date, describe, give and end roles; each on record, none removes anything."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import deriving, rules, sight, vault
from casework.people.codes import code_of
from casework.people.models import Birth, Person, PersonName, PersonRole
from casework.people.rules import AccessClass, Alive, NameKind, Precision, Proof, RoleKind
from casework.people.scripts import romanise, script_of, words_of
from casework.people.sounds import sound_of


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name as it was written; ``romanised`` where somebody knows better than the table of letters."""

    text: str
    kind: NameKind = NameKind.FULL
    romanised: str = ""


@dataclass(frozen=True, kw_only=True)
class Born:
    """A birth: a day, how exactly it is known, by what, and who has looked at that."""

    day: date
    precision: Precision
    proof: Proof
    verified_by: str = ""
    verified_on: date | None = None


@transaction.atomic
def enter_person(
    *,
    acting: accounts.Account,
    case: UUID,
    role: RoleKind,
    names: Sequence[Name] = (),
    sex: law.Sex | None = None,
    born: Born | None = None,
    alive: Alive = Alive.UNKNOWN,
    access: AccessClass | None = None,
    since: date | None = None,
) -> Person:
    """Return a new person with a role in a case; the names of a protected one go into the vault at once."""
    accounts.check_may_work(acting, case)
    shut = rules.access_of(role, access)
    new = uuid.uuid4()
    person = Person.objects.create(
        pk=new,
        code=code_of(new),
        sex=sex.value if sex else "",
        alive=alive,
        access=shut,
        cluster=new,
        entered_by=acting,
    )
    PersonRole.objects.create(person=person, case=case, role=role, access=shut, since=since, entered_by=acting)
    for name in names:
        _add_name(acting, person, name)
    if born is not None:
        _record_birth(acting, person, born)
    deriving.refresh(person)
    fields: audit.Fields = {"role": role.value, "access": shut.value, "code": person.code}
    _tell(acting, "person_entered", person, case, fields=fields)
    return person


@transaction.atomic
def add_name(*, acting: accounts.Account, person: Person, name: Name, case: UUID | None = None) -> None:
    """Add a name; that of a protected person goes into the vault."""
    through = sight.working_case(acting, person.pk, case)
    person = _locked(person)
    _add_name(acting, person, name)
    deriving.refresh(person)
    _tell(acting, "name_added", person, through, fields={"kind": name.kind.value})


@transaction.atomic
def withdraw_name(*, acting: accounts.Account, name: PersonName, reason: str, case: UUID | None = None) -> None:
    """Withdraw a name that is wrong; it stays on record and is found no longer."""
    through = sight.working_case(acting, name.person_id, case)
    rules.check_said(reason, "reason", "Say why the name is withdrawn.")
    changed = PersonName.objects.filter(pk=name.pk, withdrawn_at=None).update(
        withdrawn_at=clock.now(), withdrawn_reason=reason.strip()
    )
    if not changed:
        raise RefusedError("withdrawn", "The name is withdrawn already.")
    deriving.refresh(name.person)
    _tell(acting, "name_withdrawn", name.person, through, purpose=reason, fields={"name": str(name.pk)})


@transaction.atomic
def record_birth(*, acting: accounts.Account, person: Person, born: Born, case: UUID | None = None) -> None:
    """Record when the person was born; what was recorded before stays beside it."""
    through = sight.working_case(acting, person.pk, case)
    person = _locked(person)
    _record_birth(acting, person, born)
    deriving.refresh(person)
    fields: audit.Fields = {"precision": born.precision.value, "proof": born.proof.value}
    _tell(acting, "birth_recorded", person, through, fields=fields)


@transaction.atomic
def describe(
    *, acting: accounts.Account, person: Person, sex: law.Sex | None, alive: Alive, case: UUID | None = None
) -> None:
    """Say of which sex the person is, and whether they live."""
    through = sight.working_case(acting, person.pk, case)
    Person.objects.filter(pk=person.pk).update(sex=sex.value if sex else "", alive=alive)
    deriving.refresh(_locked(person))
    fields: audit.Fields = {"sex": sex.value if sex else "", "alive": alive.value}
    _tell(acting, "person_described", person, through, fields=fields)


@transaction.atomic
def give_role(
    *,
    acting: accounts.Account,
    person: Person,
    case: UUID,
    role: RoleKind,
    access: AccessClass | None = None,
    since: date | None = None,
) -> PersonRole:
    """Give a person a role in a case; a role that shuts the identity away moves it into the vault now."""
    accounts.check_may_work(acting, case)
    person = sight.get_person(acting, person.pk)
    shut = rules.access_of(role, access)
    known = PersonRole.objects.select_for_update().filter(person=person)
    if any(row.case == case and row.role == role and row.until is None for row in known):
        raise RefusedError("has-role", "The person has this role in this case already.")
    if not person.is_shut_away:
        rules.check_shut_away(shut, others_need=any(row.case != case for row in known))
        if shut is not AccessClass.ORDINARY:
            vault.shut_away(acting, person, shut, case)
    given = PersonRole.objects.create(person=person, case=case, role=role, access=shut, since=since, entered_by=acting)
    _tell(acting, "role_given", person, case, fields={"role": role.value, "access": shut.value})
    return given


@transaction.atomic
def end_role(*, acting: accounts.Account, role: PersonRole, until: date, reason: str) -> None:
    """End a role; who knew the person through it goes on knowing them, and the identity stays where it is."""
    accounts.check_may_work(acting, role.case)
    rules.check_said(reason, "reason", "Say why the role ends.")
    rules.check_interval(role.since, until)
    if not PersonRole.objects.filter(pk=role.pk, until=None).update(until=until, ended_reason=reason.strip()):
        raise RefusedError("ended", "The role has ended already.")
    _tell(acting, "role_ended", role.person, role.case, purpose=reason, fields={"role": role.role})


def get_name(asking: accounts.Account, name: UUID) -> PersonName:
    """Return a standing name of a person the account may know."""
    found = PersonName.objects.select_related("person").filter(pk=name, withdrawn_at=None).first()
    if found is None or found.person_id not in sight.visible(asking, [found.person_id]):
        raise AbsentError("name")
    return found


def get_role(asking: accounts.Account, role: UUID) -> PersonRole:
    """Return a role in a case the account may know."""
    found = PersonRole.objects.select_related("person").filter(pk=role).first()
    if found is None:
        raise AbsentError("role")
    accounts.check_may_read(asking, found.case)
    return found


def _add_name(acting: accounts.Account, person: Person, name: Name) -> None:
    text = " ".join(name.text.split())
    if not words_of(text):
        raise RefusedError("name", "A name has at least one letter.")
    script = script_of(text)
    romanised = " ".join(name.romanised.split()) or romanise(text)
    if person.is_shut_away:
        vault.keep_name(acting, person, text=text, kind=name.kind, script=script, romanised=romanised)
        return
    PersonName.objects.create(
        person=person,
        text=text,
        script=script,
        romanised=romanised,
        kind=name.kind,
        sound=sound_of(text),
        entered_by=acting,
    )


def _record_birth(acting: accounts.Account, person: Person, born: Born) -> None:
    first, last = rules.born_between(born.day, born.precision)
    rules.check_born(first, last, clock.today())
    if bool(born.verified_by) != bool(born.verified_on):
        raise RefusedError("verified", "Say who verified the proof and when, or neither.")
    row = Birth(
        person=person, precision=born.precision, proof=born.proof, verified_by=born.verified_by.strip(),
        verified_on=born.verified_on, entered_by=acting,
    )  # fmt: skip
    if person.is_shut_away:
        row.sealed = vault.days(first, last)
    else:
        row.born_from, row.born_to = first, last
    row.save()


def _locked(person: Person) -> Person:
    return Person.objects.select_for_update().get(pk=person.pk)


def _tell(
    acting: accounts.Account,
    act: str,
    person: Person,
    case: UUID,
    *,
    purpose: str = "",
    fields: audit.Fields | None = None,
) -> None:
    subject = audit.Subject(kind="person", id=str(person.pk), case=str(case))
    audit.append(
        actor=accounts.actor(acting), act=f"people.{act}", subject=subject, purpose=purpose.strip(), fields=fields
    )
