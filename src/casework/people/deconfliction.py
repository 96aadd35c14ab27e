"""*Seen before*: whether an identifier or a person came up in other cases, without a word of what is in them.

Cases the asker may know are named. Of every other case the answer is whom to talk to: who leads it, of which unit.
Both sides have it on record: the asker's case that it was asked, the other case who asked; and its leads are told.
Who is excluded from a case is not led to it: the answer leaves it out, and its leads are told all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import rules
from casework.people.models import Candidate, Enquiry, Identifier, Person, PersonRole, Sighting
from casework.people.rules import Verdict

# Below this a candidate is too weak a reason to lead two officers to one another.
STRONG = 0.9


@dataclass(frozen=True, kw_only=True)
class TalkTo:
    """Whom to ask: empty where nobody leads the case now, and a supervisor has to be asked."""

    name: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """The answer: the other cases the asker may open, and whom to talk to about the rest."""

    cases: tuple[UUID, ...]
    talk_to: tuple[TalkTo, ...]


@transaction.atomic
def identifier_seen_before(*, acting: accounts.Account, identifier: Identifier, case: UUID, purpose: str) -> SeenBefore:
    """Return where else an identifier of this case came up."""
    accounts.check_may_read(acting, case)
    cases = set(Sighting.objects.filter(identifier=identifier).values_list("case", flat=True))
    if case not in cases:
        raise AbsentError("identifier")
    return _answer(acting, case, cases - {case}, purpose, identifier=identifier)


@transaction.atomic
def person_seen_before(*, acting: accounts.Account, person: Person, case: UUID, purpose: str) -> SeenBefore:
    """Return in which other cases there is somebody judged the same as this person, or a strong candidate for it."""
    accounts.check_may_read(acting, case)
    persons = set(Person.objects.filter(cluster=person.cluster).values_list("pk", flat=True))
    if not PersonRole.objects.filter(person__in=persons, case=case).exists():
        raise AbsentError("person")
    likely = Candidate.objects.filter(Q(one=person) | Q(other=person), score__gte=STRONG)
    for one, other in likely.exclude(verdict=Verdict.DIFFERENT).values_list("one", "other"):
        persons |= {one, other}
    # Each case is told of its own person: the asker's is none of its business.
    theirs = dict(PersonRole.objects.filter(person__in=persons).exclude(case=case).values_list("case", "person"))
    return _answer(acting, case, set(theirs), purpose, person=person, theirs=theirs)


def enquiries_into(account: accounts.Account, cases: Collection[UUID]) -> list[Enquiry]:
    """Return who asked about something that is in these cases, and was not yet acknowledged; newest first."""
    open_cases = set(accounts.case_ids_open_to(account)) & set(cases)
    rows = Enquiry.objects.select_related("asked_by__unit", "identifier", "person")
    return list(rows.filter(other_case__in=open_cases, acknowledged_at=None).order_by("-created_at")[:50])


@transaction.atomic
def acknowledge(*, acting: accounts.Account, enquiry: UUID) -> None:
    """Take note that somebody asked."""
    found = Enquiry.objects.filter(pk=enquiry).first()
    if found is None:
        raise AbsentError("enquiry")
    accounts.check_may_work(acting, found.other_case)
    changed = Enquiry.objects.filter(pk=enquiry, acknowledged_at=None).update(
        acknowledged_at=clock.now(), acknowledged_by=acting
    )
    if not changed:
        raise RefusedError("acknowledged", "A colleague has taken note of it already.")
    subject = audit.Subject(kind="enquiry", id=str(enquiry), case=str(found.other_case))
    audit.append(actor=accounts.actor(acting), act="people.enquiry_acknowledged", subject=subject)


def _answer(
    acting: accounts.Account,
    case: UUID,
    others: set[UUID],
    purpose: str,
    *,
    identifier: Identifier | None = None,
    person: Person | None = None,
    theirs: Mapping[UUID, UUID] | None = None,
) -> SeenBefore:
    rules.check_said(purpose, "purpose", "Say what you ask for.")
    known = [one for one in accounts.case_ids_open_to(acting) if one in others]
    hidden = sorted(others - set(known))
    closed = accounts.cases_closed_to(acting, hidden)
    leads = accounts.leads_of(hidden)
    talk_to: dict[TalkTo, None] = {}
    for other in hidden:
        if other not in closed:
            for lead in leads.get(other, []):
                talk_to[TalkTo(name=lead.name, unit=lead.unit.name)] = None
            if not leads.get(other):
                talk_to[TalkTo(name="", unit="")] = None
    thing = identifier or person
    assert thing is not None
    kind = "identifier" if identifier else "person"
    fields: audit.Fields = {"open": len(known), "talk_to": len(talk_to)}
    _record(acting, "people.seen_before_asked", kind, thing.pk, case, purpose, fields)
    for other in hidden:
        about = (theirs or {}).get(other, thing.pk)
        _tell_other_side(acting, case, other, kind, about, answered=other not in closed)
        _record(acting, "people.seen_before_enquired", kind, about, other, "", {"from": str(case)})
    return SeenBefore(cases=tuple(known), talk_to=tuple(talk_to))


def _tell_other_side(
    acting: accounts.Account, case: UUID, other: UUID, kind: str, about: UUID, *, answered: bool
) -> None:
    told = Enquiry.objects.filter(asked_by=acting, asked_case=case, other_case=other, acknowledged_at=None)
    where = {f"{kind}_id": about}
    if not told.filter(answered=answered, **where).exists():
        Enquiry.objects.create(asked_by=acting, asked_case=case, other_case=other, answered=answered, **where)


def _record(
    acting: accounts.Account, act: str, kind: str, pk: UUID, case: UUID, purpose: str, fields: audit.Fields
) -> None:
    subject = audit.Subject(kind=kind, id=str(pk), case=str(case))
    audit.append(actor=accounts.actor(acting), act=act, subject=subject, purpose=purpose.strip(), fields=fields)
