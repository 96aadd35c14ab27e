"""The pages of custody: hand over, acknowledge, give outside, take back, move, separate; seals; several at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from casework.accounts import api as accounts
from casework.accounts.api import account_of
from casework.exhibits import custody, photographs, reading, seals
from casework.exhibits.asking import ask, both, colleagues_in, filled, offers_by, offers_to, received_arguments
from casework.exhibits.forms import (
    BackForm,
    BreakForm,
    MoveForm,
    OfferForm,
    OutsideForm,
    ReasonForm,
    ReceivedForm,
    SealForm,
    chosen,
)
from casework.exhibits.models import Exhibit, Specimen
from casework.exhibits.rules import Condition, OfferState, Office, Purpose, SealKind
from casework.lib.errors import AbsentError

_TOGETHER_AT_MOST = 100


@both
def offer(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Offer one exhibit to a colleague."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    return _offer(request, person, shown.case_id, [shown], _page_of(shown))


@both
def offer_several(request: HttpRequest, case: UUID) -> HttpResponse:
    """Offer the exhibits that were ticked on the page of the case."""
    person = account_of(request)
    accounts.check_may_work(person, case)
    back = reverse("exhibits:case", args=[case])
    wanted = request.POST.getlist("exhibit") or request.GET.getlist("exhibit")
    picked = [one for one in _mine(case, person) if str(one.pk) in set(wanted)][:_TOGETHER_AT_MOST]
    if not picked:
        return render(request, "exhibits/pick.html", {"held": _mine(case, person), "back": back, "case": case})
    return _offer(request, person, case, picked, back)


def _offer(
    request: HttpRequest, person: accounts.Account, case: UUID, picked: list[Exhibit], back: str
) -> HttpResponse:
    form = filled(request, OfferForm, receivers=colleagues_in(case, person))

    def act() -> str:
        given = form.cleaned_data
        custody.offer(
            acting=person,
            exhibits=picked,
            to=chosen(form, "to").account,
            purpose=Purpose(given["purpose"]),
            note=given["note"],
            condition=Condition(given["condition"]),
            condition_note=given["condition_note"],
            document=given["document"],
        )
        messages.success(request, _("Offered. It stays with you until the receiver acknowledges."))
        return back

    told = ", ".join(one.number for one in picked)
    more = {"picked": picked}
    return ask(
        request, form, act, title=_("Hand over"), button=_("Offer"), back=back, told=told,
        template="exhibits/offer.html", more=more,
    )  # fmt: skip


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """List what waits to be acknowledged by this person, and what this person offered."""
    person = account_of(request)
    reading.check_works_on_cases(person)
    cases = accounts.case_ids_open_to(person)
    to_me, offered = offers_to(person, cases), offers_by(person, cases)
    context = {"to_me": to_me[:_TOGETHER_AT_MOST], "offered": offered[:_TOGETHER_AT_MOST]}
    return render(request, "exhibits/waiting.html", context)


@both
def acknowledge(request: HttpRequest, offer: UUID) -> HttpResponse:
    """Take what was offered; everything of one batch together, where it is ticked so."""
    person = account_of(request)
    shown = reading.get_offer(offer, person=person)
    if shown.receiver_id != person.pk or shown.state != OfferState.OPEN:
        raise AbsentError("hand-over")
    cases = accounts.case_ids_open_to(person)
    together = list(offers_to(person, cases).filter(batch=shown.batch)[:_TOGETHER_AT_MOST])
    things = [one.exhibit for one in together]
    arguments = received_arguments(things, person, sealed=any(one.seal_id for one in together))
    form = filled(request, ReceivedForm, **arguments)

    def act() -> str:
        custody.acknowledge(acting=person, offers=together, received=form.received())
        return _page_of(things[0]) if len(things) == 1 else reverse("exhibits:waiting")

    more = {"offers": together, "offer": shown}
    return ask(
        request, form, act, title=_("Acknowledge"), button=_("I have received it"), back=reverse("exhibits:waiting"),
        template="exhibits/acknowledge.html", more=more,
    )  # fmt: skip


@both
def withdraw_offer(request: HttpRequest, offer: UUID) -> HttpResponse:
    """Take back an offer."""
    person = account_of(request)
    shown = reading.get_offer(offer, person=person)
    accounts.check_may_work(person, shown.exhibit.case_id)
    form = filled(request, ReasonForm)

    def act() -> str:
        custody.withdraw_offer(acting=person, offer=shown, reason=form.cleaned_data["reason"])
        return _page_of(shown.exhibit)

    back = _page_of(shown.exhibit)
    return ask(request, form, act, title=_("Withdraw the hand-over"), button=_("Withdraw"), back=back)


@both
def decline(request: HttpRequest, offer: UUID) -> HttpResponse:
    """Refuse to take what was offered."""
    person = account_of(request)
    shown = reading.get_offer(offer, person=person)
    form = filled(request, ReasonForm)

    def act() -> str:
        custody.decline(acting=person, offer=shown, reason=form.cleaned_data["reason"])
        return reverse("exhibits:waiting")

    back = reverse("exhibits:waiting")
    return ask(request, form, act, title=_("Decline the hand-over"), button=_("Decline"), back=back)


@both
def give(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Give an exhibit to someone outside, or record that someone outside passed it on."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, OutsideForm)

    def act() -> str:
        given = form.cleaned_data
        to = custody.Outside(
            name=given["name"],
            office=Office(given["office"]),
            office_name=given["office_name"],
            document=given["document"],
        )
        custody.hand_over_outside(
            acting=person,
            exhibits=[shown],
            to=to,
            purpose=Purpose(given["purpose"]),
            note=given["note"],
            final=given["final"],
        )
        return _page_of(shown)

    return ask(request, form, act, title=_("Give outside the house"), button=_("Record"), back=_page_of(shown))


@both
def take_back(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Take an exhibit back from outside."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    sealed = reading.whole_seal_of(shown) is not None
    form = filled(request, BackForm, **received_arguments([shown], person, sealed=sealed))

    def act() -> str:
        given = form.cleaned_data
        custody.receive_from_outside(
            acting=person,
            exhibits=[shown],
            document=given["document"],
            purpose=Purpose(given["purpose"]),
            received=form.received(),
        )
        return _page_of(shown)

    return ask(request, form, act, title=_("Take back"), button=_("I have received it"), back=_page_of(shown))


@both
def move(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Put an exhibit into another storage place."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, MoveForm, places=reading.places_of(person.unit))

    def act() -> str:
        custody.move(acting=person, exhibit=shown, place=chosen(form, "place"), note=form.cleaned_data["note"])
        return _page_of(shown)

    return ask(request, form, act, title=_("Put elsewhere"), button=_("Record"), back=_page_of(shown))


@both
def separate(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Take a part out of its whole."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, ReasonForm)

    def act() -> str:
        custody.separate(acting=person, part=shown, reason=form.cleaned_data["reason"])
        return _page_of(shown)

    told = _("From then on it has custody, seals and papers of its own.")
    return ask(request, form, act, title=_("Separate"), button=_("Separate"), back=_page_of(shown), told=told)


@both
def seal(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Put a seal on an exhibit."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    specimens = Specimen.objects.filter(unit=person.unit, ended_at=None).order_by("name")
    form = filled(request, SealForm, specimens=specimens)

    def act() -> str:
        given = form.cleaned_data
        seals.seal(
            acting=person,
            exhibit=shown,
            kind=SealKind(given["kind"]),
            mark=given["mark"],
            specimen=chosen(form, "specimen"),
            reason=given["reason"],
            picture=_prepared(given["picture"]),
        )
        return _page_of(shown)

    return ask(request, form, act, title=_("Seal"), button=_("Sealed"), back=_page_of(shown))


@both
def break_seal(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Break the seal of an exhibit."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    form = filled(request, BreakForm)

    def act() -> str:
        given = form.cleaned_data
        picture = _prepared(given["picture"])
        seals.break_seal(acting=person, exhibit=shown, reason=given["reason"], picture=picture)
        return _page_of(shown)

    return ask(request, form, act, title=_("Break the seal"), button=_("Broken"), back=_page_of(shown))


def _prepared(content: bytes) -> photographs.Prepared | None:
    return photographs.prepare(content) if content else None


def _mine(case: UUID, person: accounts.Account) -> list[Any]:
    rows = reading.exhibits_of(case, person=person).filter(holder__account=person, returned_at=None, withdrawn_at=None)
    return list(rows.order_by("case_no", "part_no")[:_TOGETHER_AT_MOST])


def _to_work(exhibit: UUID, person: accounts.Account) -> Exhibit:
    found = reading.get_exhibit(exhibit, person=person)
    accounts.check_may_work(person, found.case_id)
    return found


def _page_of(exhibit: Exhibit) -> str:
    return reverse("exhibits:exhibit", args=[exhibit.pk])
