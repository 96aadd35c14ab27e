"""The pages of identifiers: those of one's cases, one of them, whose it is, seen before, and who asked."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager
from casework.people import deconfliction, identifying, naming, sight
from casework.people.asking import ask, case_choices, me
from casework.people.forms import AttributionForm, IdentifierForm, PurposeForm, ReasonForm
from casework.people.matching import candidates as matching
from casework.people.models import Attribution, Identifier, Person, PersonRole, Sighting
from casework.people.rules import Basis, Confidence

_both = require_http_methods(["GET", "HEAD", "POST"])
_pager = Pager("identifiers of my cases", "created_at")
_MOST_PERSONS = 300


@require_safe
def identifiers(request: HttpRequest) -> HttpResponse:
    """List what came up in the account's cases, the newest first."""
    account = me(request)
    sightings = Sighting.objects.select_related("identifier").filter(case__in=accounts.case_ids_open_to(account))
    page = _pager.of(request, sightings)
    names = naming.names_of(account, {row.case for row in page.rows})
    holders = _holders({row.identifier_id for row in page.rows}, list(names))
    rows = [(row, names.get(row.case), holders.get(row.identifier_id, [])) for row in page.rows]
    return render(request, "people/identifiers.html", {"rows": rows, "page": page})


@_both
@sensitive_post_parameters()
def enter(request: HttpRequest) -> HttpResponse:
    """Enter an identifier that came up in a case."""
    cases = case_choices(request)
    if not cases:
        raise AbsentError("case")
    form = IdentifierForm(request.POST or None, cases=cases)

    def act() -> str:
        data = form.cleaned_data
        sighting = identifying.enter_identifier(acting=me(request), case=data["case"], given=form.given())
        return reverse("people:identifier", args=[sighting.identifier_id])

    back = reverse("people:identifiers")
    return ask(request, form, act, title=_("Enter an identifier"), button=_("Enter"), back=back)


@require_safe
def identifier(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Show an identifier: where it came up, and whose it is said to be."""
    shown = identifying.get_identifier(me(request), identifier)
    cases = identifying.cases_of(me(request), identifier)
    form = PurposeForm(cases=case_choices(request, cases))
    return render(request, "people/identifier.html", _told(request, shown, cases, form))


@_both
def attribute(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Say whose an identifier is."""
    account = me(request)
    shown = identifying.get_identifier(account, identifier)
    cases = identifying.cases_of(account, identifier)
    roles = PersonRole.objects.select_related("person").filter(case__in=cases).order_by("-created_at")[:_MOST_PERSONS]
    members = {(role.person_id, role.case): role.person for role in roles}
    titles = sight.titles_of(members.values())
    names = naming.names_of(account, cases)
    choices = [
        (f"{person} {case}", f"{titles[person]} · {names[case].title}") for person, case in members if case in names
    ]
    form = AttributionForm(request.POST or None, persons=choices)

    def act() -> str:
        data = form.cleaned_data
        person, case = map(UUID, data["person"].split())
        identifying.attribute(
            acting=account,
            identifier=shown,
            person=Person.objects.get(pk=person),
            case=case,
            basis=Basis(data["basis"]),
            confidence=Confidence(data["confidence"]),
            valid_from=data["valid_from"],
            valid_to=data["valid_to"],
        )
        matching.seek(person)
        return back

    back = reverse("people:identifier", args=[identifier])
    title = _("Whose is it?")
    return ask(request, form, act, title=title, button=_("Say so"), back=back, told=str(shown))


@require_POST
def seen(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Answer whether the identifier came up elsewhere; asking is on record on both sides."""
    account = me(request)
    shown = identifying.get_identifier(account, identifier)
    cases = identifying.cases_of(account, identifier)
    form = PurposeForm(request.POST, cases=case_choices(request, cases))
    context = _told(request, shown, cases, form)
    if form.is_valid():
        data = form.cleaned_data
        answer = deconfliction.identifier_seen_before(
            acting=account, identifier=shown, case=data["case"], purpose=data["purpose"]
        )
        context |= {"answer": answer, "known": list(naming.names_of(account, answer.cases).values())}
    return render(request, "people/identifier.html", context, status=422 if form.errors else 200)


@_both
def contest(request: HttpRequest, attribution: UUID) -> HttpResponse:
    """Mark that somebody says the identifier is not that person's."""
    row, form = identifying.get_attribution(me(request), attribution), ReasonForm(request.POST or None)
    back = reverse("people:identifier", args=[row.identifier_id])

    def act() -> str:
        identifying.contest(acting=me(request), attribution=row, reason=form.cleaned_data["reason"])
        return back

    told = _attribution_told(row)
    return ask(request, form, act, title=_("It is contested"), button=_("Mark it"), back=back, told=told)


@_both
def withdraw(request: HttpRequest, attribution: UUID) -> HttpResponse:
    """Take back whose an identifier is."""
    row, form = identifying.get_attribution(me(request), attribution), ReasonForm(request.POST or None)
    back = reverse("people:identifier", args=[row.identifier_id])

    def act() -> str:
        identifying.withdraw_attribution(acting=me(request), attribution=row, reason=form.cleaned_data["reason"])
        return back

    told = _attribution_told(row)
    return ask(request, form, act, title=_("Take it back"), button=_("Take back"), back=back, told=told)


@require_safe
def enquiries(request: HttpRequest) -> HttpResponse:
    """List who asked about something in the account's cases."""
    account = me(request)
    found = deconfliction.enquiries_into(account, accounts.case_ids_open_to(account))
    names = naming.names_of(account, {row.other_case for row in found})
    titles = sight.titles_of(row.person for row in found if row.person is not None)
    rows = [(row, names.get(row.other_case), titles.get(row.person_id) if row.person_id else "") for row in found]
    return render(request, "people/enquiries.html", {"rows": rows})


@require_POST
def acknowledge(request: HttpRequest, enquiry: UUID) -> HttpResponse:
    """Take note that somebody asked."""
    deconfliction.acknowledge(acting=me(request), enquiry=enquiry)
    return redirect("people:enquiries")


def _told(request: HttpRequest, shown: Identifier, cases: list[UUID], form: PurposeForm) -> dict[str, object]:
    names = naming.names_of(me(request), cases)
    sightings = Sighting.objects.filter(identifier=shown, case__in=cases).order_by("-created_at")[:100]
    said = Attribution.objects.select_related("person", "entered_by").filter(identifier=shown, case__in=cases)
    rows = list(said.filter(withdrawn_at=None).order_by("created_at")[:100])
    titles = sight.titles_of(row.person for row in rows)
    return {
        "shown": shown,
        "sightings": [(row, names.get(row.case)) for row in sightings],
        "attributions": [(row, titles[row.person_id]) for row in rows],
        "form": form,
    }


def _attribution_told(row: Attribution) -> str:
    return f"{row.identifier} · {sight.subject_title(row.person)}"


def _holders(shown: set[UUID], cases: list[UUID]) -> dict[UUID, list[str]]:
    said = Attribution.objects.select_related("person").filter(identifier__in=shown, case__in=cases, withdrawn_at=None)[
        :500
    ]
    rows = list(said)
    titles = sight.titles_of(row.person for row in rows)
    holders: dict[UUID, list[str]] = {}
    for row in rows:
        holders.setdefault(row.identifier_id, []).append(titles[row.person_id])
    return holders
