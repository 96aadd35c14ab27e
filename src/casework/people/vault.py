"""The vault: what identifies a victim, a child or a source lies sealed, is opened by few, and each time on record.

An identity is answered once, to the one who asked; it is never put into a list, a search, a candidate or an export.
What the machine needs of it, an age on a day, is computed inside and leaves as a number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import deriving, rules, sight
from casework.people.labels import said
from casework.people.models import Attribution, Birth, Candidate, Person, PersonName, PersonRole, VaultEntry, WatchEntry
from casework.people.rules import AccessClass, IdentifierKind, NameKind, Script, VaultKind


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One part of an identity, opened."""

    kind: VaultKind
    words: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The identity of a protected person, opened for one account."""

    code: str
    parts: tuple[Opened, ...]


@transaction.atomic
def unmask(*, acting: accounts.Account, person: Person, case: UUID, purpose: str) -> Identity:
    """Return the identity, with the purpose on record.

    Raises:
        AbsentError: The account does not know the person through the case, or has no right to the identity.
    """
    person = Person.objects.get(pk=person.pk)
    known = check_may_unmask(acting, person, case, purpose)
    if not person.is_shut_away:
        raise RefusedError("open", "The identity of this person stands open; nothing is shut away.")
    parts = [_opened(row) for row in person.vault.filter(withdrawn_at=None).order_by("kind", "created_at")]
    birth = _newest_birth(person)
    if birth is not None and birth.sealed:
        days_told = [date_format(date.fromisoformat(day), "j M Y") for day in dict.fromkeys(birth.sealed.split("/"))]
        parts.append(Opened(kind=VaultKind.BIRTH, words=" – ".join(days_told), hint=said(birth.proof)))
    parts += _named_twins(acting, person)
    subject = audit.Subject(kind="person", id=str(person.pk), case=str(case))
    fields: audit.Fields = {"access": sorted(known), "parts": len(parts)}
    audit.append(
        actor=accounts.actor(acting),
        act="people.identity_opened",
        subject=subject,
        purpose=purpose.strip(),
        fields=fields,
    )
    return Identity(code=person.code, parts=tuple(parts))


def check_may_unmask(acting: accounts.Account, person: Person, case: UUID, purpose: str) -> frozenset[AccessClass]:
    """Return the access classes of the person; pass only for who may open the identity through this case."""
    capacity = accounts.check_may_read(acting, case)
    here = PersonRole.objects.filter(person=person).values_list("case", "access")
    if case not in {each for each, _access in here}:
        raise AbsentError("person")
    known = frozenset({AccessClass(access) for _case, access in here} | {AccessClass(person.access)})
    knower = rules.Knower(
        leads=capacity is accounts.Capacity.LEAD,
        supports_victims=accounts.Role.VICTIM_SUPPORT in accounts.standing_of(acting).roles,
    )
    rules.check_unmask(knower, known, purpose)
    return known


def may_unmask(account: accounts.Account, person: Person, case: UUID | None = None) -> bool:
    """Tell whether the account may open the identity through the case, or through any of its cases."""
    for one in [case] if case else sight.cases_of(account, person.pk):
        try:
            check_may_unmask(account, person, one, "to tell whether")
        except AbsentError:
            continue
        return True
    return False


@transaction.atomic
def add_to_vault(
    *, acting: accounts.Account, person: Person, kind: VaultKind, words: str, case: UUID | None = None
) -> None:
    """Put a part of an identity into the vault: an address, a school, the family, whatever else would disclose it."""
    through = sight.working_case(acting, person.pk, case)
    if not person.is_shut_away:
        raise RefusedError("open", "The identity of this person stands open; enter it on the page of the person.")
    if kind in (VaultKind.NAME, VaultKind.BIRTH):
        raise RefusedError("vault", "Names and births have forms of their own, and go into the vault from there.")
    rules.check_said(words, "words", "Say what is kept.")
    _keep(acting, person, kind, {"words": words.strip()})
    subject = audit.Subject(kind="person", id=str(person.pk), case=str(through))
    audit.append(actor=accounts.actor(acting), act="people.vault_filled", subject=subject, fields={"kind": kind.value})


def shut_away(acting: accounts.Account, person: Person, access: AccessClass, case: UUID) -> None:
    """Move the identity of a person into the vault; inside the transaction of the verb that needs it."""
    for name in PersonName.objects.filter(person=person):
        if name.withdrawn_at is None:
            keep_name(
                acting,
                person,
                text=name.text,
                kind=NameKind(name.kind),
                script=Script(name.script),
                romanised=name.romanised,
            )
        name.delete()
    for birth in Birth.objects.filter(person=person).exclude(born_from=None):
        assert birth.born_from is not None
        assert birth.born_to is not None
        Birth.objects.filter(pk=birth.pk).update(
            sealed=days(birth.born_from, birth.born_to), born_from=None, born_to=None
        )
    homes = Attribution.objects.select_related("identifier").filter(
        person=person, withdrawn_at=None, identifier__kind=IdentifierKind.ADDRESS
    )
    for home in homes:
        _keep(acting, person, VaultKind.ADDRESS, {"words": home.identifier.value})
        Attribution.objects.filter(pk=home.pk).update(withdrawn_at=clock.now(), withdrawn_reason="moved into the vault")
    WatchEntry.objects.filter(person=person, removed_at=None).update(
        removed_at=clock.now(), removed_by=acting, removed_reason="the identity was shut away"
    )
    # That the machine once took the person for somebody who has a name would be the name.
    pairs = Candidate.objects.filter(Q(one=person) | Q(other=person))
    pairs.update(score=0, criteria=[], scored_at=clock.now())
    Person.objects.filter(pk=person.pk).update(access=access)
    person.access = access
    deriving.refresh(person)
    subject = audit.Subject(kind="person", id=str(person.pk), case=str(case))
    audit.append(
        actor=accounts.actor(acting), act="people.identity_shut_away", subject=subject, fields={"access": access.value}
    )


def keep_name(
    acting: accounts.Account, person: Person, *, text: str, kind: NameKind, script: Script, romanised: str
) -> None:
    """Put a name into the vault."""
    content = {"words": text, "kind": kind.value, "script": script.value, "romanised": romanised}
    _keep(acting, person, VaultKind.NAME, content)


def days(first: date, last: date) -> str:
    """Return two days as they are sealed."""
    return f"{first.isoformat()}/{last.isoformat()}"


def born(person: Person) -> tuple[date, date] | None:
    """Return between which days the person was born; for the machine's own use, never shown of a protected one."""
    birth = _newest_birth(person)
    if birth is None:
        return None
    if birth.sealed:
        first, last = birth.sealed.split("/")
        return date.fromisoformat(first), date.fromisoformat(last)
    return (birth.born_from, birth.born_to) if birth.born_from and birth.born_to else None


def _named_twins(acting: accounts.Account, person: Person) -> list[Opened]:
    """Return under which names those stand whom somebody judged the same: to say so is to say who the person is."""
    twins = list(Person.objects.filter(cluster=person.cluster, access=AccessClass.ORDINARY).order_by("created_at")[:50])
    known = sight.visible(acting, [twin.pk for twin in twins])
    titles = sight.titles_of(twin for twin in twins if twin.pk in known)
    codes = {twin.pk: twin.code for twin in twins}
    return [
        Opened(kind=VaultKind.OTHER, words=title, hint=f"{said('same')}: {codes[pk]}") for pk, title in titles.items()
    ]


def _newest_birth(person: Person) -> Birth | None:
    return Birth.objects.filter(person=person).order_by("-created_at", "-id").first()


def _keep(acting: accounts.Account, person: Person, kind: VaultKind, content: dict[str, str]) -> None:
    VaultEntry.objects.create(
        person=person, kind=kind, content=json.dumps(content, ensure_ascii=False), entered_by=acting
    )


def _opened(row: VaultEntry) -> Opened:
    content = json.loads(row.content)
    hint = " · ".join(said(content[key]) for key in ("kind", "romanised") if content.get(key))
    return Opened(kind=VaultKind(row.kind), words=content["words"], hint=hint)
