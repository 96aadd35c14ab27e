"""What the views share: a form that is shown, or acted upon; who may be named in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from casework.accounts import api as accounts
from casework.exhibits.models import HandOver, HashRecord
from casework.exhibits.reading import images_of, places_of
from casework.exhibits.rules import OfferState
from casework.lib.errors import RefusedError

Asked = TypeVar("Asked", bound=Form)
both = require_http_methods(["GET", "HEAD", "POST"])


def filled(request: HttpRequest, kind: type[Asked], **more: Any) -> Asked:
    """Return the form with what was sent, or empty."""
    if request.method == "POST":
        return kind(request.POST, request.FILES, **more)
    return kind(**more)


def ask(
    request: HttpRequest,
    form: Form,
    act: Callable[[], str],
    *,
    title: str,
    button: str,
    back: str,
    told: str = "",
    template: str = "lib/ask.html",
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Show the form; when it was sent and is right, do the act and go where it says. A rule's no stands above it."""
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(act())
        except RefusedError as refusal:
            form.add_error(None, refusal.reason)
    context = {"form": form, "title": title, "button": button, "back": back, "told": told, **(more or {})}
    return render(request, template, context, status=422 if form.errors else 200)


class Colleague:
    """A member of the case as a choice of a form."""

    def __init__(self, account: accounts.Account) -> None:
        self.pk = account.pk
        self.account = account

    def __str__(self) -> str:
        rank = "" if self.account.rank == accounts.Rank.NONE else f", {self.account.get_rank_display()}"
        return f"{self.account.name}{rank}"


def colleagues_in(case: UUID, person: accounts.Account, *, without_me: bool = True) -> list[Colleague]:
    """Return who works on the case, as choices; an excluded or closed account is refused by the verb."""
    members = accounts.members_of(person, case)
    working = [member.account for member in members if member.capacity != accounts.Capacity.READER]
    return [Colleague(one) for one in working if not (without_me and one.pk == person.pk)]


def expected_digests(images: Any) -> list[HashRecord]:
    """Return the digests first recorded of these images, which later ones are held against."""
    if not images:
        return []
    rows = HashRecord.objects.filter(acquisition__in=images, compared_with=None).select_related("acquisition__exhibit")
    seen: dict[tuple[UUID, str, str], HashRecord] = {}
    for row in rows.order_by("at", "pk"):
        seen.setdefault((row.acquisition_id, row.of, row.algorithm), row)
    return list(seen.values())


def received_arguments(exhibits: list[Any], person: accounts.Account, *, sealed: bool) -> dict[str, Any]:
    """Return what a form on received exhibits has to know: places, seals, images and their digests."""
    images = [image for one in exhibits for image in images_of(one)]
    return {
        "places": places_of(person.unit),
        "sealed": sealed,
        "images": images,
        "expected": expected_digests(images),
    }


def offers_to(person: accounts.Account, cases: Sequence[UUID]) -> QuerySet[HandOver]:
    """Return the hand-overs of these cases that wait for the person, oldest first."""
    rows = HandOver.objects.filter(receiver=person, state=OfferState.OPEN, exhibit__case_id__in=cases)
    return _for_a_list(rows).select_related("exhibit__case", "offered_by", "seal")


def offers_by(person: accounts.Account, cases: Sequence[UUID]) -> QuerySet[HandOver]:
    """Return the hand-overs of these cases that the person offered and nobody took, oldest first."""
    rows = HandOver.objects.filter(offered_by=person, state=OfferState.OPEN, exhibit__case_id__in=cases)
    return _for_a_list(rows).select_related("exhibit", "receiver")


def _for_a_list(rows: QuerySet[HandOver]) -> QuerySet[HandOver]:
    return rows.defer("exhibit__passcode").order_by("offered_at")
