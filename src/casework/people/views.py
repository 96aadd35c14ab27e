"""The pages of persons: the list of one's cases, one person, and the forms on it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from casework.accounts import api as accounts
from casework.law import api as law
from casework.lib.errors import AbsentError
from casework.lib.paging import Pager
from casework.people import judging, naming, persons, reading, sight, vault, watching
from casework.people.asking import ask, case_choices, me
from casework.people.forms import (
    BirthForm,
    DescribeForm,
    EndRoleForm,
    EnterPersonForm,
    FilterForm,
    NameForm,
    PurposeForm,
    ReasonForm,
    RoleForm,
    VaultForm,
)
from casework.people.matching import candidates as matching
from casework.people.models import Attribution, Birth, Person, PersonName, PersonRole
from casework.people.rules import AccessClass, Alive, RoleKind, VaultKind

_both = require_http_methods(["GET", "HEAD", "POST"])
_pager = Pager("persons of my cases", "created_at")


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """List who is in the account's cases, the newest entries first."""
    account = me(request)
    roles = PersonRole.objects.select_related("person").filter(case__in=accounts.case_ids_open_to(account))
    form = FilterForm(request.GET or None)
    if form.is_valid() and form.cleaned_data["role"]:
        roles = roles.filter(role=form.cleaned_data["role"])
    page = _pager.of(request, roles)
    names = naming.names_of(account, {role.case for role in page.rows})
    rows = [(shown, names.get(shown.role.case)) for shown in reading.shown(page.rows)]
    context = {"rows": rows, "page": page, "form": form, "keeps_watch": _keeps_watch(account)}
    return render(request, "people/people.html", context)


@_both
@sensitive_post_parameters()
def enter(request: HttpRequest) -> HttpResponse:
    """Enter a person in a case."""
    cases = case_choices(request)
    if not cases:
        raise AbsentError("case")
    form = EnterPersonForm(request.POST or None, cases=cases)

    def act() -> str:
        person = persons.enter_person(acting=me(request), **form.entered())
        matching.seek(person.pk)
        return reverse("people:person", args=[person.pk])

    return ask(request, form, act, title=_("Enter a person"), button=_("Enter"), back=reverse("people:people"))


@require_safe
def person(request: HttpRequest, person: UUID) -> HttpResponse:
    """Show a person, and whoever was judged the same, as far as the account may know them."""
    account = me(request)
    shown = sight.get_person(account, person)
    cluster = judging.cluster_of(account, shown)
    ids = [member.pk for member in cluster]
    open_cases = set(accounts.case_ids_open_to(account))
    roles = [role for role in _rows(PersonRole, ids, "created_at") if role.case in open_cases]
    case_names = naming.names_of(account, {role.case for role in roles})
    said = Attribution.objects.select_related("identifier").filter(person__in=ids, withdrawn_at=None)
    context = {
        "shown": shown,
        "title": sight.subject_title(shown),
        "others": [(member, title) for member, title in _titled(cluster) if member.pk != shown.pk],
        "names": [row for row in _rows(PersonName, ids, "created_at") if row.withdrawn_at is None],
        "births": list(Birth.objects.filter(person__in=ids).order_by("-created_at")[:10]),
        "roles": [(role, case_names.get(role.case)) for role in roles],
        "attributions": [row for row in said.order_by("created_at")[:100] if row.case in open_cases],
        "may_unmask": shown.is_shut_away and vault.may_unmask(account, shown),
        "watches": watching.running_of(account, shown),
        "keeps_watch": _keeps_watch(account) and not shown.is_shut_away,
    }
    return render(request, "people/person.html", context)


@_both
@sensitive_post_parameters()
def add_name(request: HttpRequest, person: UUID) -> HttpResponse:
    """Add a name."""
    form = NameForm(request.POST or None)

    def act(shown: Person) -> None:
        persons.add_name(acting=me(request), person=shown, name=form.name())
        matching.seek(shown.pk)

    return _on_person(request, person, form, act, title=_("Add a name"), button=_("Add"))


@_both
@sensitive_post_parameters()
def record_birth(request: HttpRequest, person: UUID) -> HttpResponse:
    """Record when the person was born."""
    form = BirthForm(request.POST or None)

    def act(shown: Person) -> None:
        persons.record_birth(acting=me(request), person=shown, born=form.born())
        matching.seek(shown.pk)

    return _on_person(request, person, form, act, title=_("Record the birth"), button=_("Record"))


@_both
def describe(request: HttpRequest, person: UUID) -> HttpResponse:
    """Say of which sex the person is, and whether they live."""
    known = sight.get_person(me(request), person)
    form = DescribeForm(request.POST or None, initial={"sex": known.sex, "alive": known.alive})

    def act(shown: Person) -> None:
        data = form.cleaned_data
        sex = law.Sex(data["sex"]) if data["sex"] else None
        persons.describe(acting=me(request), person=shown, sex=sex, alive=Alive(data["alive"]))

    return _on_person(request, person, form, act, title=_("Describe the person"), button=_("Keep"))


@_both
def give_role(request: HttpRequest, person: UUID) -> HttpResponse:
    """Give the person a role in a case."""
    form = RoleForm(request.POST or None, cases=case_choices(request))

    def act(shown: Person) -> None:
        data = form.cleaned_data
        access = AccessClass.PROTECTED if data["shut_away"] else None
        persons.give_role(
            acting=me(request),
            person=shown,
            case=data["case"],
            role=RoleKind(data["role"]),
            access=access,
            since=data["since"],
        )

    return _on_person(request, person, form, act, title=_("Give a role"), button=_("Give"))


@_both
@sensitive_post_parameters()
def add_to_vault(request: HttpRequest, person: UUID) -> HttpResponse:
    """Put a part of the identity into the vault."""
    form = VaultForm(request.POST or None)

    def act(shown: Person) -> None:
        data = form.cleaned_data
        vault.add_to_vault(acting=me(request), person=shown, kind=VaultKind(data["kind"]), words=data["words"])

    return _on_person(request, person, form, act, title=_("Put something into the vault"), button=_("Put away"))


@_both
def unmask(request: HttpRequest, person: UUID) -> HttpResponse:
    """Ask for the purpose, then show the identity in the answer itself: it has no address of its own."""
    account = me(request)
    shown = sight.get_person(account, person)
    cases = [case for case in sight.cases_of(account, person) if vault.may_unmask(account, shown, case)]
    if not cases:
        raise AbsentError("identity")
    form = PurposeForm(request.POST or None, cases=case_choices(request, cases))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        identity = vault.unmask(acting=account, person=shown, case=data["case"], purpose=data["purpose"])
        return render(request, "people/identity.html", {"identity": identity, "shown": shown})
    context = {
        "form": form,
        "title": _("Open the identity of %(code)s") % {"code": shown.code},
        "told": _("What you open is on record with your name and the purpose."),
        "button": _("Open"),
        "back": reverse("people:person", args=[person]),
    }
    return render(request, "lib/ask.html", context, status=422 if form.errors else 200)


@_both
def withdraw_name(request: HttpRequest, person_name: UUID) -> HttpResponse:
    """Withdraw a name."""
    name = persons.get_name(me(request), person_name)
    form = ReasonForm(request.POST or None)
    back = reverse("people:person", args=[name.person_id])

    def act() -> str:
        persons.withdraw_name(acting=me(request), name=name, reason=form.cleaned_data["reason"])
        return back

    return ask(request, form, act, title=_("Withdraw a name"), button=_("Withdraw"), back=back, told=name.text)


@_both
def end_role(request: HttpRequest, person_role: UUID) -> HttpResponse:
    """End a role."""
    role = persons.get_role(me(request), person_role)
    form = EndRoleForm(request.POST or None)
    back = reverse("people:person", args=[role.person_id])

    def act() -> str:
        data = form.cleaned_data
        persons.end_role(acting=me(request), role=role, until=data["until"], reason=data["reason"])
        return back

    return ask(request, form, act, title=_("End a role"), button=_("End"), back=back)


def _on_person(
    request: HttpRequest,
    person: UUID,
    form: NameForm | BirthForm | DescribeForm | RoleForm | VaultForm,
    act: Callable[[Person], None],
    *,
    title: str,
    button: str,
) -> HttpResponse:
    shown = sight.get_person(me(request), person)
    back = reverse("people:person", args=[person])

    def act_and_return() -> str:
        act(shown)
        return back

    return ask(request, form, act_and_return, title=title, button=button, back=back, told=sight.subject_title(shown))


def _rows(table: type, persons_wanted: list[UUID], order: str) -> list:  # type: ignore[type-arg]  # of that table
    return list(table.objects.filter(person__in=persons_wanted).order_by(order)[:200])  # type: ignore[attr-defined]


def _titled(members: list[Person]) -> list[tuple[Person, str]]:
    titles = sight.titles_of(members)
    return [(member, titles[member.pk]) for member in members]


def _keeps_watch(account: accounts.Account) -> bool:
    return bool(accounts.standing_of(account).roles & watching.KEEPERS)
