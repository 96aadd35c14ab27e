"""The pages of the store: places, seals of the unit, laboratories, labels; the locker's book, viewings."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from casework.accounts import api as accounts
from casework.accounts.api import account_of
from casework.exhibits import documents, forwarding, labels, locker, practice, reading, seals, storing
from casework.exhibits.asking import ask, both, colleagues_in, filled
from casework.exhibits.forms import LaboratoryForm, PaperForm, PlaceForm, ReasonForm, SpecimenForm, chosen
from casework.exhibits.laboratory_forms import LockerForm, OrderForm, ViewingForm
from casework.exhibits.models import Exhibit, Laboratory, LockerEntry, Seal, Specimen, StoragePlace, Viewing
from casework.exhibits.rules import Direction, LockerReason
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.lib.paging import Pager
from casework.papers import api as papers

_SHOWN = 200


@require_safe
def store(request: HttpRequest) -> HttpResponse:
    """Show the storage places, seals and laboratories of the unit."""
    person = account_of(request)
    roles = reading.check_works_on_cases(person)
    context = {
        "places": reading.places_of(person.unit)[:_SHOWN],
        "specimens": Specimen.objects.filter(unit=person.unit, ended_at=None).order_by("name")[:_SHOWN],
        "laboratories": Laboratory.objects.order_by("name")[:_SHOWN],
        "keeps": accounts.Role.SUPERVISOR in roles,
    }
    return render(request, "exhibits/store.html", context)


@require_safe
def place(request: HttpRequest, place: UUID) -> HttpResponse:
    """List what lies in a storage place, of the cases a person may know."""
    person = account_of(request)
    reading.check_works_on_cases(person)
    shown = get_object_or_404(StoragePlace, pk=place, unit=person.unit)
    rows = reading.exhibits_open_to(person).filter(place=shown, returned_at=None)
    page = Pager(f"place {place}", "created_at").of(request, rows)
    keeps = accounts.Role.SUPERVISOR in accounts.standing_of(person).roles
    return render(request, "exhibits/place.html", {"shown": shown, "page": page, "keeps": keeps})


@both
def open_place(request: HttpRequest) -> HttpResponse:
    """Add a storage place."""
    person, form = account_of(request), filled(request, PlaceForm)
    storing.check_keeps_house(person)

    def act() -> str:
        storing.open_place(acting=person, **form.cleaned_data)
        return reverse("exhibits:store")

    return ask(request, form, act, title=_("Add a storage place"), button=_("Add"), back=reverse("exhibits:store"))


@require_POST
def close_place(request: HttpRequest, place: UUID) -> HttpResponse:
    """Take an empty place out of use."""
    person = account_of(request)
    storing.check_keeps_house(person)
    storing.close_place(acting=person, place=get_object_or_404(StoragePlace, pk=place, unit=person.unit))
    return redirect("exhibits:store")


@both
def keep_specimen(request: HttpRequest) -> HttpResponse:
    """Put a seal of the unit on record."""
    person, form = account_of(request), filled(request, SpecimenForm)
    storing.check_keeps_house(person)

    def act() -> str:
        given = form.cleaned_data
        seals.keep_specimen(acting=person, name=given["name"], text=given["says"], kept_by=given["kept_by"])
        return reverse("exhibits:store")

    return ask(request, form, act, title=_("A seal of the unit"), button=_("Keep"), back=reverse("exhibits:store"))


@both
def keep_laboratory(request: HttpRequest) -> HttpResponse:
    """Put a laboratory on record."""
    person, form = account_of(request), filled(request, LaboratoryForm)
    storing.check_keeps_house(person)

    def act() -> str:
        forwarding.keep_laboratory(acting=person, **form.cleaned_data)
        return reverse("exhibits:store")

    return ask(request, form, act, title=_("A laboratory"), button=_("Keep"), back=reverse("exhibits:store"))


@require_safe
def label_sheet(request: HttpRequest, case: UUID) -> HttpResponse:
    """Show the labels of a case's exhibits, to be printed from the browser; a paper of them can be issued."""
    person = account_of(request)
    rows = reading.exhibits_of(case, person=person).filter(withdrawn_at=None).select_related("seizure")
    wanted = request.GET.getlist("exhibit")
    if wanted:
        known = {str(pk): pk for pk in rows.values_list("pk", flat=True)[:_SHOWN]}
        rows = rows.filter(pk__in=[known[one] for one in wanted if one in known])
    shown = list(rows.order_by("case_no", "part_no")[:_SHOWN])
    sheet = [labels.label(one, _address(request, one)) for one in shown]
    context = {"case": case, "sheet": sheet, "paper": PaperForm()}
    return render(request, "exhibits/labels.html", context)


@require_POST
def label_paper(request: HttpRequest, case: UUID) -> HttpResponse:
    """Issue the labels as a paper."""
    person, form = account_of(request), PaperForm(request.POST)
    rows = reading.exhibits_of(case, person=person).filter(withdrawn_at=None)
    shown = list(rows.order_by("case_no", "part_no")[:_SHOWN])
    if not form.is_valid():
        raise RefusedError("language", _("Choose a language."))
    paper = documents.issue_labels(
        acting=person,
        case=case,
        exhibits=shown,
        language=papers.Language(form.cleaned_data["language"]),
        place=form.cleaned_data["place"],
        addresses={one.pk: _address(request, one) for one in shown},
    )
    return redirect("papers:paper", paper.pk)


# ---- the material itself -------------------------------------------------------------------------------------------


@require_safe
def locker_book(request: HttpRequest) -> HttpResponse:
    """Show the book of the unit's lockers, of the packages a person may know."""
    person = account_of(request)
    reading.check_works_on_cases(person)
    lockers = list(reading.places_of(person.unit, for_material=True)[:_SHOWN])
    rows = LockerEntry.objects.filter(package__case_id__in=accounts.case_ids_open_to(person), place__in=lockers)
    rows = rows.select_related("package", "place", "officer", "witness", "seal")
    page = Pager("locker", "at").of(request, rows)
    practices = [row for row in practice.practices_on(clock.today()) if row.key != "forwarding-rank"]
    return render(request, "exhibits/locker.html", {"page": page, "lockers": lockers, "practices": practices})


@both
def book_locker(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Book a package into the locker, or out of it."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    if not shown.is_material:
        raise AbsentError("package")
    last = reading.last_locker_entry_of(shown)
    direction = Direction.OUT if last is not None and last.direction == Direction.IN else Direction.IN
    places = [last.place] if last is not None and direction is Direction.OUT else None
    form = filled(
        request,
        LockerForm,
        places=places or reading.places_of(person.unit, for_material=True),
        witnesses=colleagues_in(shown.case_id, person),
    )

    def act() -> str:
        given = form.cleaned_data
        locker.book_locker(
            acting=person,
            package=shown,
            direction=direction,
            place=chosen(form, "place"),
            reason=LockerReason(given["reason"]),
            carried_by=given["carried_by"],
            witness=chosen(form, "witness").account,
            document=given["document"],
            note=given["note"],
        )
        return _page_of(shown)

    title = _("Into the locker") if direction is Direction.IN else _("Out of the locker")
    return ask(request, form, act, title=title, button=_("Enter"), back=_page_of(shown), told=shown.number)


@both
def enter_order(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Enter a court's order of viewing."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    if not shown.is_material:
        raise AbsentError("package")
    form = filled(request, OrderForm)

    def act() -> str:
        made = locker.enter_order(acting=person, package=shown, **form.verb_arguments())
        return reverse("exhibits:order", args=[made.pk])

    return ask(request, form, act, title=_("Order of viewing"), button=_("Enter"), back=_page_of(shown))


@require_safe
def order(request: HttpRequest, order: UUID) -> HttpResponse:
    """Show an order, and the register of viewings under it."""
    person = account_of(request)
    shown = reading.get_order(order, person=person)
    works = accounts.check_may_read(person, shown.case_id) is not accounts.Capacity.READER
    rows = Viewing.objects.filter(order=shown).select_related("supervised_by", "seal_before", "seal_after")
    context = {
        "shown": shown,
        "viewings": rows.order_by("sequence")[:_SHOWN],
        "works": works and shown.withdrawn_at is None,
        "practice": practice.practice_on(clock.today(), "viewing"),
    }
    return render(request, "exhibits/order.html", context)


@both
def record_viewing(request: HttpRequest, order: UUID) -> HttpResponse:
    """Write a viewing down."""
    person = account_of(request)
    shown = reading.get_order(order, person=person)
    accounts.check_may_work(person, shown.case_id)
    broken = Seal.objects.filter(exhibit=shown.package).order_by("-applied_at")[:_SHOWN]
    form = filled(request, ViewingForm, ordered=shown.persons, seals=broken)
    back = reverse("exhibits:order", args=[shown.pk])

    def act() -> str:
        locker.record_viewing(acting=person, order=shown, **form.verb_arguments())
        return back

    return ask(request, form, act, title=_("A viewing"), button=_("Record"), back=back)


@both
def withdraw_order(request: HttpRequest, order: UUID) -> HttpResponse:
    """Mark an order as lifted."""
    person = account_of(request)
    shown = reading.get_order(order, person=person)
    accounts.check_may_work(person, shown.case_id)
    form, back = filled(request, ReasonForm), reverse("exhibits:order", args=[shown.pk])

    def act() -> str:
        locker.withdraw_order(acting=person, order=shown, reason=form.cleaned_data["reason"])
        return back

    return ask(request, form, act, title=_("The order holds no more"), button=_("Mark"), back=back)


def _address(request: HttpRequest, exhibit: Exhibit) -> str:
    return request.build_absolute_uri(_page_of(exhibit))


def _to_work(exhibit: UUID, person: accounts.Account) -> Exhibit:
    found = reading.get_exhibit(exhibit, person=person)
    accounts.check_may_work(person, found.case_id)
    return found


def _page_of(exhibit: Exhibit) -> str:
    return reverse("exhibits:exhibit", args=[exhibit.pk])
