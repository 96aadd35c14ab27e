"""A small believable set of persons for the demonstration: invented names in three scripts, marked DEMO by the unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.law import api as law
from casework.lib import clock
from casework.people import identifying, persons, vault, watching
from casework.people.identifying import Given
from casework.people.matching import candidates as matching
from casework.people.models import Person
from casework.people.persons import Born, Name
from casework.people.rules import (
    Basis,
    Confidence,
    IdentifierKind,
    NameKind,
    Precision,
    Proof,
    RoleKind,
    VaultKind,
)

_SUSPECT = (Name(text="Thevakkan Oorappil"), Name(text="തേവക്കൻ ഊരപ്പിൽ"), Name(text="Nirappan", kind=NameKind.PARENT))
_TWICE = (Name(text="O. Tewakkan"), Name(text="तेवक्कन ऊरप्पिल"), Name(text="Nirappan", kind=NameKind.PARENT))


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The persons of the demonstration, for the contexts above."""

    suspect: Person
    victim: Person
    child_in_conflict: Person
    witness: Person
    panch: Person


@transaction.atomic
def make_demo(*, acting: accounts.Account, case: UUID, other_case: UUID | None = None) -> Demo:
    """Make the persons of one case that ``acting`` leads; in ``other_case``, led too, the suspect comes up again."""
    suspect = _enter(acting, case, RoleKind.SUSPECT, _SUSPECT, law.Sex.MALE, date(1988, 3, 14), Precision.YEAR)
    victim = _enter(
        acting, case, RoleKind.VICTIM, (Name(text="Mazhanila"), Name(text="മഴനില")), law.Sex.FEMALE, date(2013, 6, 2)
    )
    vault.add_to_vault(acting=acting, person=victim, kind=VaultKind.SCHOOL, words="Lower primary school, Poovamkara")
    child = _enter(acting, case, RoleKind.CHILD_IN_CONFLICT, (Name(text="Kiranth"),), law.Sex.MALE, date(2010, 1, 9))
    witness = _enter(acting, case, RoleKind.WITNESS, (Name(text="सुरवेणी पाटलक"),), law.Sex.FEMALE, None)
    panch = _enter(acting, case, RoleKind.PANCH, (Name(text="Ilavath Chennoor"),), law.Sex.MALE, None)
    _identifiers(acting, case, suspect)
    today = clock.today()
    watching.put_under_watch(
        acting=acting, person=suspect, case=case, basis="DEMO: order of the Superintendent, 12/2026",
        reason="Contact with the platform account continues.", since=today, review_on=today + timedelta(days=90),
    )  # fmt: skip
    if other_case is not None:
        _enter(acting, other_case, RoleKind.SUSPECT, _TWICE, law.Sex.MALE, date(1988, 1, 1), Precision.YEAR)
        phone = Given(kind=IdentifierKind.PHONE, value="+91 90000 00012", source="DEMO: complaint")
        identifying.enter_identifier(acting=acting, case=other_case, given=phone)
    return Demo(suspect=suspect, victim=victim, child_in_conflict=child, witness=witness, panch=panch)


def _enter(
    acting: accounts.Account,
    case: UUID,
    role: RoleKind,
    names: tuple[Name, ...],
    sex: law.Sex,
    born: date | None,
    precision: Precision = Precision.DAY,
) -> Person:
    birth = Born(day=born, precision=precision, proof=Proof.SCHOOL_RECORD) if born else None
    person = persons.enter_person(acting=acting, case=case, role=role, names=names, sex=sex, born=birth)
    matching.seek(person.pk)
    return person


def _identifiers(acting: accounts.Account, case: UUID, suspect: Person) -> None:
    for given in (
        Given(kind=IdentifierKind.PHONE, value="090000 00012", source="DEMO: statement of the suspect"),
        Given(kind=IdentifierKind.ACCOUNT, value="@oora_thevan", platform="examplegram", source="DEMO: tip 7"),
        Given(kind=IdentifierKind.IMEI, value="35693803564380", source="DEMO: label of the phone"),
        Given(kind=IdentifierKind.UPI, value="thevakkan@examplebank", source="DEMO: bank's answer"),
    ):
        sighting = identifying.enter_identifier(acting=acting, case=case, given=given)
        identifying.attribute(
            acting=acting, identifier=sighting.identifier, person=suspect, case=case, basis=Basis.STATEMENT,
            confidence=Confidence.PROBABLE,
        )  # fmt: skip
    leads = Given(
        kind=IdentifierKind.IP, value="2001:db8::7", port=50123, time_as_given="2026-11-02 21:14:07", zone="",
        source="DEMO: answer of the platform",
    )  # fmt: skip
    identifying.enter_identifier(acting=acting, case=case, given=leads)
