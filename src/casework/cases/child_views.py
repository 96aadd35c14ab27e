"""The pages of a child's path."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from casework.cases import child_paths, reading
from casework.cases.access import check_leads, get_case
from casework.cases.answering import ask, me
from casework.cases.forms import ChildForm, ClassForm, ErasureForm, ReasonForm
from casework.cases.models import Charge, Deadline
from casework.cases.views import both, persons_for
from casework.law import api as law
from casework.lib import clock


@both
def open_path(request: HttpRequest, case: UUID) -> HttpResponse:
    """Put a person on a child's path."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> str:
        given["person"] = UUID(given["person"])
        path = child_paths.open_child_path(acting=me(request), case=case, **given)
        return reverse("cases:child", args=[case, path.pk])

    told = _(
        "The identity goes into the vault, and a pseudonym stands on every page (JJ Act 74). No arrest is counted."
    )
    form = ChildForm(
        request.POST or None, persons=persons_for(request, case), initial={"person": request.GET.get("person", "")}
    )
    back = reverse("cases:case", args=[case])
    return ask(
        request, form, verb, title=_("A child who is suspected"), button=_("Open the path"), back=back, told=told
    )


@require_safe
def child(request: HttpRequest, case: UUID, child_path: UUID) -> HttpResponse:
    """Show the path of one child."""
    shown = child_paths.get_path(child_path, case=case, person=me(request))
    found = get_case(case, person=me(request))
    mine = {"case": found, "person": shown.person_id} if shown.person_id else {"pk__in": []}
    context = {
        "case": found,
        "path": shown,
        "today": clock.today(),
        "unclassified": shown.jj_class not in (law.JjClass.HEINOUS, law.JjClass.SERIOUS, law.JjClass.PETTY),
        "charges": Charge.objects.select_related("offence").filter(**mine).order_by("created_at"),
        "clocks": Deadline.objects.select_related("rule", "event").filter(**mine).order_by("due_at"),
        "events": reading.events_of(found).filter(person=shown.person_id).order_by("-at") if shown.person_id else [],
    }
    return render(request, "cases/child.html", context)


@require_POST
def no_lockup(request: HttpRequest, case: UUID, child_path: UUID) -> HttpResponse:
    """Confirm that the child was in no lock-up."""
    child_paths.confirm_no_lockup(acting=me(request), case=case, path=child_path)
    return redirect("cases:child", case, child_path)


@both
def board_class(request: HttpRequest, case: UUID, child_path: UUID) -> HttpResponse:
    """Write down the class the Board gave."""
    shown = child_paths.get_path(child_path, case=case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        given["jj_class"] = law.JjClass(given["jj_class"])
        child_paths.class_by_board(acting=me(request), case=case, path=child_path, **given)

    title = _("The Board gave the class: %(child)s") % {"child": shown.pseudonym}
    form = ClassForm(request.POST or None)
    return ask(request, form, verb, title=title, button=_("Write it down"), back=_page(case, child_path))


@both
def erasure(request: HttpRequest, case: UUID, child_path: UUID) -> HttpResponse:
    """Say from when the records are destroyed."""
    shown = child_paths.get_path(child_path, case=case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        child_paths.set_erasure(acting=me(request), case=case, path=child_path, **given)

    title = _("When the records are destroyed: %(child)s") % {"child": shown.pseudonym}
    form = ErasureForm(request.POST or None)
    return ask(request, form, verb, title=title, button=_("Set the day"), back=_page(case, child_path))


@both
def erase(request: HttpRequest, case: UUID, child_path: UUID) -> HttpResponse:
    """Erase who the child was."""
    check_leads(me(request), case)
    shown = child_paths.get_path(child_path, case=case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        child_paths.erase_child_path(acting=me(request), case=case, path=child_path, **given)

    told = _(
        "This cannot be undone. Events, charges and clocks lose the person; age, class and course stay to be counted."
    )
    title = _("Erase the records of %(child)s") % {"child": shown.pseudonym}
    form = ReasonForm(request.POST or None)
    return ask(request, form, verb, title=title, button=_("Erase"), back=_page(case, child_path), told=told)


def _page(case: UUID, path: UUID) -> str:
    return reverse("cases:child", args=[case, path])
