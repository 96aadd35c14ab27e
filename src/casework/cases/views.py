"""The register and the page of a case: list, open, rename, end, reopen, report, events, links, boards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import api as accounts
from casework.cases import clocks as counting
from casework.cases import happening, persons, queues, reading, registering, rules
from casework.cases.access import check_leads, get_case
from casework.cases.answering import ask, me
from casework.cases.forms import (
    CaseForm,
    EndForm,
    EventForm,
    FilterForm,
    FirForm,
    LinkForm,
    OpenForm,
    ReasonForm,
    RenameForm,
)
from casework.cases.next_steps import next_step
from casework.cases.vocabulary import Classification, Happened, LinkKind, State
from casework.law import api as law
from casework.lib import clock
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager
from casework.people import api as people

both = require_http_methods(["GET", "HEAD", "POST"])
_REGISTER = Pager("cases", "created_at")
_CLOCKS = Pager("clocks", "due_at", descending=False)
_BAIL = Pager("default bail", "due_at", descending=False)


def check_works_on_cases(request: HttpRequest) -> None:
    """To an administrator, a counsellor, an account without roles there is no register."""
    if not accounts.colleagues(me(request)):
        raise AbsentError("register")


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """List the cases a person may know, newest first."""
    check_works_on_cases(request)
    form = FilterForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    rows = reading.cases_open_to(
        me(request),
        state=State(given["state"]) if given.get("state") else None,
        classification=Classification(given["classification"]) if given.get("classification") else None,
        words=given.get("words", ""),
    )
    opens = accounts.standing_of(me(request)).roles & rules.MAY_OPEN
    context = {"form": form, "page": _REGISTER.of(request, rows), "opens": opens, "filtered": any(given.values())}
    return render(request, "cases/cases.html", context)


@both
def open_case(request: HttpRequest) -> HttpResponse:
    """Open a case."""
    rules.check_open(accounts.standing_of(me(request)), "–")

    def verb(given: dict[str, Any]) -> str:
        given["classification"] = Classification(given["classification"])
        return reverse("cases:case", args=[registering.open_case(acting=me(request), **given).pk])

    form = OpenForm(request.POST or None)
    return ask(request, form, verb, title=_("Open a case"), button=_("Open"), back=reverse("cases:cases"))


@require_safe
def case(request: HttpRequest, case: UUID) -> HttpResponse:
    """Show one case."""
    stand = reading.stand_of(case, person=me(request))
    procedure = law.procedure_of(stand.case.begun_on) if stand.case.begun_on else None
    context = {"stand": stand, "case": stand.case, "titles": stand.titles, "procedure": procedure}
    return render(request, "cases/case.html", {**context, "next": next_step(stand, clock.now())})


@require_POST
def count_anew(request: HttpRequest, case: UUID) -> HttpResponse:
    """Count the clocks by the law as it stands now."""
    counting.count_anew(acting=me(request), case=case)
    return redirect("cases:case", case)


@both
def rename(request: HttpRequest, case: UUID) -> HttpResponse:
    """Change what the register says."""
    found = get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        given["classification"] = Classification(given["classification"])
        registering.rename_case(acting=me(request), case=case, **given)

    initial = {name: getattr(found, name) for name in CaseForm.base_fields}
    form = RenameForm(request.POST or None, initial=initial)
    return ask(request, form, verb, title=_("Change the register"), button=_("Change"), back=_page(case))


@both
def end(request: HttpRequest, case: UUID) -> HttpResponse:
    """Close, hand over or withdraw a case."""
    check_leads(me(request), case)

    def verb(given: dict[str, Any]) -> None:
        registering.end_case(acting=me(request), case=case, **{**given, "how": Happened(given["how"])})

    told = _("Nothing is removed: the case stays in the register, with its reason, and can be reopened.")
    form = EndForm(request.POST or None)
    return ask(request, form, verb, title=_("End the case"), button=_("End it"), back=_page(case), told=told)


@both
def reopen(request: HttpRequest, case: UUID) -> HttpResponse:
    """Take an ended case up again."""
    check_leads(me(request), case)

    def verb(given: dict[str, Any]) -> None:
        registering.reopen_case(acting=me(request), case=case, **given)

    form = ReasonForm(request.POST or None)
    return ask(request, form, verb, title=_("Reopen the case"), button=_("Reopen"), back=_page(case))


@both
def fir(request: HttpRequest, case: UUID) -> HttpResponse:
    """Enter a first information report, or what a transfer made of it."""
    found = get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        registering.register_fir(acting=me(request), case=case, **given)

    told = ""
    if found.begun_on:
        told = _(
            "There is a report already: the new one is its number after a transfer. The matter does not begin again."
        )
    form = FirForm(request.POST or None, initial={"year": clock.today().year})
    title = _("First information report")
    return ask(request, form, verb, title=title, button=_("Enter"), back=_page(case), told=told)


@require_safe
def events(request: HttpRequest, case: UUID) -> HttpResponse:
    """List everything that happened in a case, newest first."""
    found = get_case(case, person=me(request))
    page = Pager(f"events of {case}", "at").of(request, reading.events_of(found))
    titles = dict(persons_for(request, case))
    return render(request, "cases/events.html", {"case": found, "page": page, "titles": titles})


@both
def add_event(request: HttpRequest, case: UUID) -> HttpResponse:
    """Write down what happened."""
    found = get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        given["person"] = UUID(given["person"]) if given["person"] else None
        given["happened"] = Happened(given["happened"])
        happening.record(acting=me(request), case=case, **given)

    form = EventForm(
        request.POST or None,
        persons=persons_for(request, case),
        initial={"happened": request.GET.get("happened", ""), "person": request.GET.get("person", "")},
    )
    told = _("Clocks start by themselves. What a court did is entered on its own page.")
    title = _("What happened in case %(number)s") % {"number": found.register_no}
    return ask(request, form, verb, title=title, button=_("Write it down"), back=_page(case), told=told)


@both
def strike(request: HttpRequest, case: UUID, event: UUID) -> HttpResponse:
    """Strike a wrong entry."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        happening.strike(acting=me(request), case=case, event=event, **given)

    told = _("The entry stays readable, struck through; clocks it started are void, those it ended run again.")
    form = ReasonForm(request.POST or None)
    back = reverse("cases:events", args=[case])
    return ask(request, form, verb, title=_("Strike an entry"), button=_("Strike it"), back=back, told=told)


@both
def add_link(request: HttpRequest, case: UUID) -> HttpResponse:
    """Tie the case to a thing."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        registering.link(acting=me(request), case=case, **{**given, "kind": LinkKind(given["kind"])})

    form = LinkForm(request.POST or None)
    return ask(request, form, verb, title=_("Tie something to the case"), button=_("Tie"), back=_page(case))


@both
def end_link(request: HttpRequest, case: UUID, link: UUID) -> HttpResponse:
    """End a tie."""
    get_case(case, person=me(request))

    def verb(given: dict[str, Any]) -> None:
        registering.unlink(acting=me(request), case=case, link=link, **given)

    form = ReasonForm(request.POST or None)
    return ask(request, form, verb, title=_("End a tie"), button=_("End it"), back=_page(case))


@require_safe
def clocks(request: HttpRequest) -> HttpResponse:
    """Show which clocks are late or run out next, across the cases a person may know."""
    check_works_on_cases(request)
    page = _CLOCKS.of(request, reading.clocks_open_to(me(request)))
    return render(request, "cases/clocks.html", {"page": page, "rows": reading.board_rows(me(request), page.rows)})


@require_safe
def default_bail(request: HttpRequest) -> HttpResponse:
    """Show the day of default bail of each accused, beside what of the case waits at the laboratory."""
    check_works_on_cases(request)
    page = _BAIL.of(request, reading.clocks_open_to(me(request), key="default-bail"))
    rows = reading.board_rows(me(request), page.rows, with_queue=True)
    context = {"page": page, "rows": rows, "connected": queues.is_connected(), "now": clock.now()}
    return render(request, "cases/default_bail.html", context)


def persons_for(request: HttpRequest, case: UUID) -> list[tuple[UUID, str]]:
    """Return the persons of a case for a form."""
    return persons.offered(people.persons_in_case(me(request), case), persons.pseudonyms(case))


def _page(case: UUID) -> str:
    return reverse("cases:case", args=[case])
