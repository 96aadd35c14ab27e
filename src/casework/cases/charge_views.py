"""The pages of charges: the picker, one charge with its elements and steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from casework.cases import charging, clocks, persons
from casework.cases.access import get_case
from casework.cases.answering import ask, me
from casework.cases.forms import ElementForm, PickForm, ReasonForm, StepForm, SupportForm
from casework.cases.models import Charge, Element
from casework.cases.views import both
from casework.cases.vocabulary import Outcome, Stage
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.people import api as people

_ACCUSED = (people.RoleKind.SUSPECT, people.RoleKind.ACCUSED, people.RoleKind.CHILD_IN_CONFLICT)


@both
def pick(request: HttpRequest, case: UUID) -> HttpResponse:
    """GET: the offences that stand open for the days and the victim. POST: lay the chosen one."""
    found = get_case(case, person=me(request))
    given = request.POST if request.method == "POST" else request.GET
    standing, pseudonyms = people.persons_in_case(me(request), case), persons.pseudonyms(case)
    form = PickForm(
        given if "first" in given else None,
        accused=persons.offered(standing, pseudonyms, _ACCUSED),
        victims=persons.offered(standing, pseudonyms, (people.RoleKind.VICTIM,)),
    )
    picks = None
    if form.is_bound and form.is_valid():
        try:
            if request.method == "POST":
                return redirect("cases:charge", case, _lay(request, case, form.cleaned_data).pk)
            picks = _picks(request, case, form.cleaned_data)
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
    context = {"case": found, "form": form, "picks": picks, "asked": form.cleaned_data if picks else {}}
    return render(request, "cases/pick.html", context, status=422 if form.is_bound and form.errors else 200)


@require_safe
def charge(request: HttpRequest, case: UUID, charge: UUID) -> HttpResponse:
    """Show one charge: its law, its steps, what has to be proved and by what."""
    found = get_case(case, person=me(request))
    shown = _get(case, charge)
    elements = Element.objects.filter(charge=shown).order_by("position").prefetch_related("supports__entered_by")
    [offence] = clocks.offences_of([shown])
    context = {
        "case": found,
        "charge": shown,
        "offence": offence if offence.created_at and shown.offence_id else None,
        "jj_class": law.jj_class_of(offence.jj_class),
        "titles": persons.titles(me(request), found, [shown.person_id, shown.victim_id]),
        "elements": [(one, [each for each in one.supports.all() if each.ended_at is None]) for one in elements],
        "steps": shown.steps.select_related("entered_by").order_by("created_at"),
        "regime_ends": law.regime_on(shown.last_day),
    }
    return render(request, "cases/charge.html", context)


@both
def step(request: HttpRequest, case: UUID, charge: UUID) -> HttpResponse:
    """Write down the next step of a charge."""
    get_case(case, person=me(request))
    shown = _get(case, charge)

    def verb(given: dict[str, Any]) -> None:
        outcome = Outcome(given["outcome"]) if given["outcome"] else None
        given |= {"stage": Stage(given["stage"]), "outcome": outcome}
        charging.step_charge(acting=me(request), case=case, charge=charge, **given)

    form = StepForm(request.POST or None, initial={"stage": shown.stage, "on": clock.today()})
    title = _("Next step: %(charge)s") % {"charge": shown}
    return ask(request, form, verb, title=title, button=_("Write it down"), back=_page(case, charge))


@both
def withdraw(request: HttpRequest, case: UUID, charge: UUID) -> HttpResponse:
    """Withdraw a charge laid by mistake."""
    get_case(case, person=me(request))
    shown = _get(case, charge)

    def verb(given: dict[str, Any]) -> str:
        charging.withdraw_charge(acting=me(request), case=case, charge=charge, **given)
        return reverse("cases:case", args=[case])

    title = _("Withdraw: %(charge)s") % {"charge": shown}
    form = ReasonForm(request.POST or None)
    return ask(request, form, verb, title=title, button=_("Withdraw"), back=_page(case, charge))


@both
def add_element(request: HttpRequest, case: UUID, charge: UUID) -> HttpResponse:
    """Add what has to be proved."""
    get_case(case, person=me(request))
    _get(case, charge)

    def verb(given: dict[str, Any]) -> None:
        charging.add_element(acting=me(request), case=case, charge=charge, **given)

    form = ElementForm(request.POST or None)
    return ask(request, form, verb, title=_("Add an element"), button=_("Add"), back=_page(case, charge))


@both
def support(request: HttpRequest, case: UUID, element: UUID) -> HttpResponse:
    """Put a finding to an element."""
    get_case(case, person=me(request))
    proved = Element.objects.filter(pk=element, charge__case=case).first()
    if proved is None:
        raise AbsentError("element")

    def verb(given: dict[str, Any]) -> None:
        charging.support(acting=me(request), case=case, element=element, **given)

    form = SupportForm(request.POST or None)
    back = _page(case, proved.charge_id)
    return ask(request, form, verb, title=_("Add a finding"), button=_("Add"), back=back, told=proved.text)


@both
def end_support(request: HttpRequest, case: UUID, support: UUID) -> HttpResponse:
    """Take a finding away from an element."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        charging.end_support(acting=me(request), case=case, support=support, **given)

    form = ReasonForm(request.POST or None)
    back = reverse("cases:case", args=[case])
    return ask(request, form, verb, title=_("Take the finding away"), button=_("Take away"), back=back)


def _picks(request: HttpRequest, case: UUID, given: dict[str, Any]) -> charging.Picks:
    victim = UUID(given["victim"]) if given["victim"] else None
    return charging.picks_for(asking=me(request), case=case, victim=victim, first=given["first"], last=given["last"])


def _lay(request: HttpRequest, case: UUID, given: dict[str, Any]) -> Charge:
    try:
        offence = UUID(request.POST["offence"]) if request.POST.get("offence") else None
    except ValueError as error:
        raise RefusedError("offence", _("Choose an offence.")) from error
    return charging.lay_charge(
        acting=me(request), case=case, person=UUID(given["person"]),
        victim=UUID(given["victim"]) if given["victim"] else None, first=given["first"], last=given["last"],
        offence=offence, old_section=request.POST.get("old_section", ""),
    )  # fmt: skip


def _get(case: UUID, charge: UUID) -> Charge:
    found = Charge.objects.select_related("offence").filter(pk=charge, case=case).first()
    if found is None:
        raise AbsentError("charge")
    return found


def _page(case: UUID, charge: UUID) -> str:
    return reverse("cases:charge", args=[case, charge])
