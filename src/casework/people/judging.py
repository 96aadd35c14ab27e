"""A person's word on a pair: the same, different, or taken back; and the clusters that follow from what stands.

Nothing is merged: both rows stay with all they hold, and reading goes through the cluster, which is computed from the
standing judgements each time one is added. Two of one cluster are never at the same time judged different.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib.errors import AbsentError, RefusedError
from casework.people import rules, sight, vault
from casework.people.models import Candidate, Judgement, Person
from casework.people.rules import Verdict

Pair = tuple[UUID, UUID]


@transaction.atomic
def judge(*, acting: accounts.Account, one: Person, other: Person, verdict: Verdict, reason: str) -> Judgement:
    """Put one's word to a pair, both of whom one knows; it becomes the newest, and those before stay on record."""
    cases = _through(acting, one, other)
    check_may_pair(acting, one, other)
    first, second = pair_of(one.pk, other.pk)
    list(Person.objects.select_for_update().filter(pk__in=(first, second)).order_by("pk"))
    standing = _standing_around({first, second})
    number, stands = _newest(first, second)
    others_say = {pair: word for pair, word in standing.items() if pair != (first, second)}
    mine, theirs = _component(first, others_say), _component(second, others_say)
    parted = any(
        word is Verdict.DIFFERENT and len({*pair} & mine) == 1 and len({*pair} & theirs) == 1
        for pair, word in others_say.items()
    )
    rules.check_judge(verdict, reason, stands=stands, joined=second in mine, parted=parted)
    judgement = Judgement.objects.create(
        one_id=first, other_id=second, number=number + 1, verdict=verdict, reason=reason.strip(), judged_by=acting
    )
    Candidate.objects.filter(one=first, other=second).update(verdict=verdict)
    _write_clusters(mine | theirs, others_say | {(first, second): verdict})
    for person, another, case in ((one, other, cases[0]), (other, one, cases[1])):
        subject = audit.Subject(kind="person", id=str(person.pk), case=str(case))
        fields: audit.Fields = {"pair": str(another.pk), "verdict": verdict.value}
        audit.append(
            actor=accounts.actor(acting),
            act="people.pair_judged",
            subject=subject,
            purpose=reason.strip(),
            fields=fields,
        )
    return judgement


def pair_of(one: UUID, other: UUID) -> Pair:
    """Return two ids in the order pairs are kept in."""
    if one == other:
        raise RefusedError("pair", "A pair is of two persons.")
    return (one, other) if one < other else (other, one)


def cluster_of(asking: accounts.Account, person: Person) -> list[Person]:
    """Return those judged the same as a person, and the person, as far as the account may know them; oldest first.

    Who has a name and who is shut away do not stand beside one another: that is told where the identity is opened.
    """
    members = list(Person.objects.filter(cluster=person.cluster).order_by("created_at")[:200])
    known = sight.visible(asking, [member.pk for member in members])
    return [each for each in members if each.pk in known and each.is_shut_away == person.is_shut_away]


def judgements_on(asking: accounts.Account, person: Person) -> list[Judgement]:
    """Return what was said of pairs with a person, newest first, where the account may know both."""
    rows = Judgement.objects.select_related("one", "other", "judged_by").filter(Q(one=person) | Q(other=person))
    said = list(rows.order_by("-created_at")[:100])
    known = sight.visible(asking, {pk for row in said for pk in (row.one_id, row.other_id)})
    return [
        row for row in said if {row.one_id, row.other_id} <= known and row.one.is_shut_away == row.other.is_shut_away
    ]


def check_may_pair(asking: accounts.Account, one: Person, other: Person) -> None:
    """Who holds somebody with a name against somebody who is shut away must have the right to that identity."""
    for person, against in ((one, other), (other, one)):
        if person.is_shut_away and not against.is_shut_away and not vault.may_unmask(asking, person):
            raise AbsentError("pair")


def _through(acting: accounts.Account, one: Person, other: Person) -> tuple[UUID, UUID]:
    """Return a case for each of the two; both must be known, and the account must work in one of the cases."""
    cases: list[UUID] = []
    refusal: RefusedError | None = None
    works = False
    for person in (one, other):
        known = sight.cases_of(acting, person.pk)
        if not known:
            raise AbsentError("person")
        try:
            cases.append(sight.working_case(acting, person.pk))
            works = True
        except RefusedError as error:
            refusal = error
            cases.append(known[0])
    if not works and refusal is not None:
        raise refusal
    return cases[0], cases[1]


def _newest(first: UUID, second: UUID) -> tuple[int, Verdict | None]:
    row = Judgement.objects.filter(one=first, other=second).order_by("-number").first()
    return (row.number, Verdict(row.verdict)) if row else (0, None)


def _standing_around(start: Collection[UUID]) -> dict[Pair, Verdict]:
    """Return the standing words on all pairs that touch the components of ``start``."""
    seen: set[UUID] = set()
    wave = set(start)
    standing: dict[Pair, Verdict] = {}
    while wave:
        rows = Judgement.objects.filter(Q(one__in=wave) | Q(other__in=wave)).order_by("number")
        touched = {(row.one_id, row.other_id): Verdict(row.verdict) for row in rows}
        standing |= touched
        seen |= wave
        wave = {pk for pair, word in touched.items() if word is Verdict.SAME for pk in pair} - seen
    return standing


def _component(start: UUID, standing: dict[Pair, Verdict]) -> set[UUID]:
    found, wave = {start}, {start}
    while wave:
        wave = {
            pk
            for pair, word in standing.items()
            if word is Verdict.SAME and wave & {*pair}
            for pk in pair
            if pk not in found
        }
        found |= wave
    return found


def _write_clusters(persons: set[UUID], standing: dict[Pair, Verdict]) -> None:
    left = set(persons)
    while left:
        component = _component(left.pop(), standing)
        Person.objects.filter(pk__in=component).update(cluster=min(component))
        left -= component
