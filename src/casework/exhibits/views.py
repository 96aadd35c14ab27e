"""The pages of the register: lists, one exhibit with its line of custody, registering, correcting, photographs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from casework.accounts import api as accounts
from casework.accounts.api import account_of
from casework.audit import api as audit
from casework.cases import api as cases
from casework.exhibits import photographs, practice, reading, registering
from casework.exhibits.asking import ask, both, filled
from casework.exhibits.forms import (
    CorrectForm,
    CourtNumberForm,
    DetailsForm,
    FilterForm,
    PaperForm,
    PhotographForm,
    PurposeForm,
    ReasonForm,
    RegisterForm,
    SeizureForm,
    chosen,
)
from casework.exhibits.models import Exhibit, Forwarding, Photograph, Seal, Seizure, ViewingOrder
from casework.exhibits.rules import shown_offset
from casework.lib import clock
from casework.lib.errors import RefusedError
from casework.lib.paging import Pager
from casework.papers import api as papers

_SHOWN = 200


@require_safe
def exhibits(request: HttpRequest) -> HttpResponse:
    """List the exhibits of all cases a person may know, newest first."""
    person = account_of(request)
    reading.check_works_on_cases(person)
    form = FilterForm(request.GET)
    rows = reading.exhibits_open_to(person).select_related(
        "case", "holder__account", "parent__holder__account", "place"
    )
    if form.is_valid():
        rows = _filtered(rows, person, form.cleaned_data)
    page = Pager("exhibits", "created_at").of(request, rows)
    return render(request, "exhibits/exhibits.html", {"page": page, "form": form})


@require_safe
def case(request: HttpRequest, case: UUID) -> HttpResponse:
    """List the exhibits of one case, with its memos, forwardings and orders."""
    person = account_of(request)
    shown = cases.get_case(case, person=person)
    page = Pager(f"exhibits of {case}", "created_at").of(request, reading.exhibits_of(case, person=person))
    forwardings = Forwarding.objects.filter(case=case).select_related("laboratory").order_by("-created_at", "-id")
    orders = ViewingOrder.objects.filter(case=case).select_related("package").order_by("-created_at", "-id")
    context = {
        "shown": shown,
        "page": page,
        "seizures": Seizure.objects.filter(case=case).order_by("memo")[:_SHOWN],
        "forwardings": forwardings[:_SHOWN],
        "orders": orders[:_SHOWN],
        "works": accounts.check_may_read(person, case) is not accounts.Capacity.READER,
        "paper": PaperForm(),
    }
    return render(request, "exhibits/case.html", context)


@both
def record_seizure(request: HttpRequest, case: UUID) -> HttpResponse:
    """Record a seizure memo."""
    person = account_of(request)
    accounts.check_may_work(person, case)
    form, back = filled(request, SeizureForm), reverse("exhibits:case", args=[case])

    def act() -> str:
        registering.record_seizure(acting=person, case=case, **form.verb_arguments())
        return reverse("exhibits:register", args=[case])

    return ask(request, form, act, title=_("Seizure memo"), button=_("Record"), back=back)


@both
def register(request: HttpRequest, case: UUID) -> HttpResponse:
    """Register an exhibit."""
    person = account_of(request)
    accounts.check_may_work(person, case)
    seizures = Seizure.objects.filter(case=case).order_by("-created_at")[:_SHOWN]
    sources = Exhibit.objects.filter(case=case, withdrawn_at=None).defer("passcode").order_by("case_no", "part_no")
    places = reading.places_of(person.unit)
    form = filled(request, RegisterForm, seizures=seizures, places=places, exhibits=sources[:_SHOWN])

    def act() -> str:
        exhibit = registering.register_exhibit(
            acting=person,
            case=case,
            details=form.details(),
            seizure=chosen(form, "seizure"),
            memo_line=form.cleaned_data["memo_line"],
            received_from=form.received_from(),
            place=chosen(form, "place"),
            taken_from=chosen(form, "taken_from"),
        )
        return _page_of(exhibit)

    back = reverse("exhibits:case", args=[case])
    return ask(request, form, act, title=_("Register an exhibit"), button=_("Register"), back=back)


@require_safe
def exhibit(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Show one exhibit: what it is, who holds it, its whole line of custody, and what can be done next."""
    person = account_of(request)
    shown = reading.get_exhibit(exhibit, person=person)
    return render(request, "exhibits/exhibit.html", _exhibit_context(shown, person))


@both
def register_part(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Register a part of an exhibit."""
    person = account_of(request)
    whole = _to_work(exhibit, person)
    form = filled(request, DetailsForm)

    def act() -> str:
        part = registering.register_part(acting=person, whole=whole, details=form.details())
        return _page_of(part)

    told = _("It moves with %(whole)s until it is separated.") % {"whole": whole.number}
    return ask(request, form, act, title=_("Register a part"), button=_("Register"), back=_page_of(whole), told=told)


@both
def correct(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Correct what was written down."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    names = [name for name in DetailsForm.base_fields if name not in ("passcode", "clock_offset")]
    initial: dict[str, Any] = {name: getattr(shown, name) for name in names}
    initial["clock_offset"] = shown_offset(shown.clock_offset)
    form = filled(request, CorrectForm, initial=initial)

    def act() -> str:
        changes = {name: getattr(form.details(), name) for name in DetailsForm.base_fields}
        if not changes["passcode"]:
            # An empty field leaves the code that is on record; it is not shown here.
            del changes["passcode"]
        reason = form.cleaned_data["reason"]
        registering.correct(acting=person, exhibit=shown, changes=changes, reason=reason)
        return _page_of(shown)

    return ask(request, form, act, title=_("Correct"), button=_("Correct"), back=_page_of(shown))


@both
def withdraw(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Withdraw an exhibit registered in error."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, ReasonForm)

    def act() -> str:
        registering.withdraw(acting=person, exhibit=shown, reason=form.cleaned_data["reason"])
        return _page_of(shown)

    told = _("Its number stays taken, and the entry stays on record.")
    return ask(
        request, form, act, title=_("Withdraw from the register"), button=_("Withdraw"), back=_page_of(shown), told=told
    )


@both
def court_number(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Write down the court's property number."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, CourtNumberForm, initial={"number": shown.court_number})

    def act() -> str:
        registering.give_court_number(acting=person, exhibit=shown, number=form.cleaned_data["number"])
        return _page_of(shown)

    return ask(request, form, act, title=_("Court property number"), button=_("Keep"), back=_page_of(shown))


@both
def passcode(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Ask for the passcode with a purpose, and show it once."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form, code, status = filled(request, PurposeForm), "", 200
    if request.method == "POST":
        if form.is_valid():
            try:
                code = registering.read_passcode(acting=person, exhibit=shown, purpose=form.cleaned_data["purpose"])
            except RefusedError as refusal:
                form.add_error(None, refusal.reason)
        status = 422 if form.errors else 200
    context = {"shown": shown, "form": form, "code": code, "back": _page_of(shown)}
    return render(request, "exhibits/passcode.html", context, status=status)


@both
def add_photograph(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Add a photograph."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, PhotographForm)

    def act() -> str:
        prepared, caption = photographs.prepare(form.cleaned_data["picture"]), form.cleaned_data["caption"]
        photographs.add_photograph(acting=person, exhibit=shown, prepared=prepared, caption=caption)
        return _page_of(shown)

    return ask(request, form, act, title=_("Add a photograph"), button=_("Add"), back=_page_of(shown))


@require_safe
def photograph(request: HttpRequest, exhibit: UUID, photograph: UUID) -> HttpResponse:
    """Return one photograph."""
    shown = reading.get_exhibit(exhibit, person=account_of(request))
    found = photographs.photograph_of(shown, photograph)
    response = HttpResponse(bytes(found.content), content_type=found.kind)
    response.headers["Content-Disposition"] = f'inline; filename="{found.pk}"'
    return response


def _filtered(rows: Any, person: accounts.Account, given: dict[str, str]) -> Any:
    if given["which"] == "mine":
        rows = rows.filter(holder=reading.party_of(person))
    if given["which"] == "outside":
        rows = rows.filter(holder__account=None, holder__isnull=False, returned_at=None)
    return rows.filter(kind=given["kind"]) if given["kind"] else rows


def _to_work(exhibit: UUID, person: accounts.Account) -> Exhibit:
    found = reading.get_exhibit(exhibit, person=person)
    accounts.check_may_work(person, found.case_id)
    return found


def _page_of(exhibit: Exhibit) -> str:
    return reverse("exhibits:exhibit", args=[exhibit.pk])


def _exhibit_context(shown: Exhibit, person: accounts.Account) -> dict[str, Any]:
    whole, seal = reading.whole_of(shown), reading.whole_seal_of(reading.whole_of(shown))
    works = accounts.check_may_read(person, shown.case_id) is not accounts.Capacity.READER
    offer = reading.open_offer_of(whole)
    holder = whole.holder
    seals = Seal.objects.filter(exhibit=shown).select_related("applied_by", "broken_by", "specimen")
    images = list(reading.images_of(shown).prefetch_related("digests__by"))
    subject = audit.Subject(kind="exhibit", id=str(shown.pk))
    return {
        "shown": shown,
        "whole": whole,
        "holder": holder,
        "line": reading.custody_line(shown),
        "seal": seal,
        "seals": seals.order_by("-applied_at"),
        "offer": offer,
        "for_me": offer is not None and offer.receiver_id == person.pk,
        "mine": holder is not None and holder.account_id == person.pk,
        "works": works and shown.withdrawn_at is None and shown.returned_at is None,
        "images": images,
        "differs": any(row.result == "differed" for image in images for row in image.digests.all()),
        "photographs": Photograph.objects.filter(exhibit=shown).defer("content").order_by("created_at"),
        "parts": Exhibit.objects.filter(parent=shown).defer("passcode").order_by("part_no"),
        "has_passcode": shown.passcode_state == "given",
        "offset": reading.offset_shown(shown),
        "locker": reading.last_locker_entry_of(shown) if shown.is_material else None,
        "orders": ViewingOrder.objects.filter(package=shown) if shown.is_material else [],
        "paper": PaperForm(),
        "papers": papers.shown(papers.of_subject(acting=person, case=shown.case_id, subject=subject).rows),
        "practices": practice.practices_on(clock.today()) if shown.is_material else [],
    }
