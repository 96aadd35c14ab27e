"""A case that Inga leads and Bashir reads, with a suspect and a victim of each kind; all names are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from casework.accounts import api as accounts
from casework.cases import api as cases
from casework.law import api as law
from casework.lib import clock
from casework.people import api as people
from tests.casework.conftest import Cast

AT = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
DAY_OLD, DAY_NEW = date(2024, 5, 10), date(2025, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Who plays, in which case."""

    cast: Cast
    case: cases.Case

    @property
    def id(self) -> UUID:
        return self.case.pk


@pytest.fixture
def scene(cast: Cast, morning: datetime) -> Scene:
    """Return a case of November 2026."""
    law.seed()
    case = cases.open_case(
        acting=cast.inga, title="Matter of the blue kettle", classification=cases.Classification.MATERIAL,
        purpose="investigation",
    )  # fmt: skip
    accounts.assign(
        acting=cast.inga, to=cast.bashir, case=case.pk, capacity=accounts.Capacity.READER, purpose="court dates"
    )
    return Scene(cast=cast, case=case)


def enter(
    scene: Scene,
    role: people.RoleKind = people.RoleKind.SUSPECT,
    *,
    born: date | None = None,
    sex: law.Sex | None = law.Sex.MALE,
    precision: people.Precision = people.Precision.DAY,
    name: str = "Quorvan Teleb",
) -> people.Person:
    """Enter a person in the case."""
    proof = people.Proof.SCHOOL_RECORD
    birth = people.Born(day=born, precision=precision, proof=proof) if born else None
    return people.enter_person(
        acting=scene.cast.inga, case=scene.id, role=role, names=[people.Name(text=name)], sex=sex, born=birth
    )


def victim(scene: Scene, sex: law.Sex | None = law.Sex.FEMALE, **given: object) -> people.Person:
    """Enter a victim in the case."""
    return enter(scene, people.RoleKind.VICTIM, sex=sex, name="Milvi Sorat", **given)  # type: ignore[arg-type]


def row(section: str, day: date = DAY_NEW) -> law.Offence:
    """Return the row of law of a section as it stood on a day, or the present one."""
    act, _, number = section.rpartition(" ")
    rows = law.Offence.objects.filter(act=act, section=number, superseded_by=None)
    return rows.filter(law.in_force(day)).first() or rows.get()


def charge(
    scene: Scene,
    section: str,
    person: people.Person,
    harmed: people.Person | None = None,
    *,
    first: date = DAY_NEW,
    last: date | None = None,
) -> cases.Charge:
    """Lay a charge."""
    return cases.lay_charge(
        acting=scene.cast.inga, case=scene.id, person=person.pk, victim=harmed.pk if harmed else None, first=first,
        last=last or first, offence=row(section, first).pk,
    )  # fmt: skip


def register(scene: Scene, at: datetime, number: str = "17") -> None:
    """Register a first information report."""
    cases.register_fir(
        acting=scene.cast.inga, case=scene.id, state="Kerala", district="Nadalur", station="Nadalur Town",
        number=number, year=at.astimezone(law.INDIA).year, registered_at=at,
    )  # fmt: skip


def now() -> datetime:
    """Return the stopped clock's instant."""
    return clock.now()
