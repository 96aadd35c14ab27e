"""The pages of images, of the laboratory, and of papers on exhibits."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from casework.accounts import api as accounts
from casework.accounts.api import account_of
from casework.exhibits import acquiring, documents, practice, reading
from casework.exhibits import forwarding as forwarding_verbs
from casework.exhibits.asking import ask, both, colleagues_in, expected_digests, filled, received_arguments
from casework.exhibits.forms import PaperForm, ReasonForm, chosen
from casework.exhibits.laboratory_forms import (
    CertificateForm,
    ForwardForm,
    ImageForm,
    LaboratoryBackForm,
    LaboratoryReceiptForm,
    SendForm,
    VerifyForm,
)
from casework.exhibits.models import Exhibit, Forwarding, Laboratory, Seal, Specimen
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.papers import api as papers

_SHOWN = 200


@both
def image(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Record an image of an exhibit."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    carriers = Exhibit.objects.filter(case=shown.case_id, withdrawn_at=None).exclude(pk=shown.pk).defer("passcode")
    form = filled(request, ImageForm, carriers=carriers.order_by("case_no", "part_no")[:_SHOWN])

    def act() -> str:
        acquiring.record_acquisition(acting=person, exhibit=shown, made=form.made(), computed=form.computed())
        return _page_of(shown)

    return ask(request, form, act, title=_("Record an image"), button=_("Record"), back=_page_of(shown))


@both
def verify(request: HttpRequest, exhibit: UUID, image: UUID) -> HttpResponse:
    """Enter digests that were computed again."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    found = acquiring.image_of(shown, str(image))
    form = filled(request, VerifyForm, expected=expected_digests([found]))

    def act() -> str:
        tool = form.cleaned_data["tool"]
        acquiring.verify_image(acting=person, acquisition=found, computed=form.computed(), tool=tool)
        return _page_of(shown)

    title = _("Verify image %(image)s") % {"image": found}
    return ask(request, form, act, title=title, button=_("Compare"), back=_page_of(shown))


@both
def forward(request: HttpRequest, case: UUID) -> HttpResponse:
    """Draft a forwarding to a laboratory."""
    person = account_of(request)
    accounts.check_may_work(person, case)
    held = reading.exhibits_of(case, person=person).filter(holder__account=person, returned_at=None, withdrawn_at=None)
    form = filled(
        request,
        ForwardForm,
        exhibits=held.order_by("case_no", "part_no")[:_SHOWN],
        laboratories=Laboratory.objects.order_by("name")[:_SHOWN],
        signers=colleagues_in(case, person, without_me=False),
        specimens=Specimen.objects.filter(unit=person.unit, ended_at=None).order_by("name"),
    )

    def act() -> str:
        given = form.cleaned_data
        wanted = set(given["exhibits"])
        made = forwarding_verbs.draft_forwarding(
            acting=person,
            case=case,
            exhibits=list(held.filter(pk__in=wanted)),
            laboratory=chosen(form, "laboratory"),
            questions=given["questions"].splitlines(),
            history=given["history"],
            authority=given["authority"],
            signed_by=chosen(form, "signed_by").account,
            specimen=chosen(form, "specimen"),
            enclosures=form.enclosed(),
        )
        return _page_of_forwarding(made)

    more = {"practice": practice.practice_on(clock.today(), "forwarding-rank")}
    back = reverse("exhibits:case", args=[case])
    return ask(
        request, form, act, title=_("Forward to a laboratory"), button=_("Draft the note"), back=back,
        template="exhibits/forward.html", more=more,
    )  # fmt: skip


@require_safe
def forwarding_page(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Show one forwarding, and what comes next."""
    person = account_of(request)
    shown = reading.get_forwarding(forwarding, person=person)
    works = accounts.check_may_read(person, shown.case_id) is not accounts.Capacity.READER
    subject = documents.subject_of("forwarding", shown.pk, shown.case_id)
    context = {
        "shown": shown,
        "lines": shown.lines.select_related("exhibit", "seal").order_by("line"),
        "works": works and shown.withdrawn_at is None and shown.returned_at is None,
        "paper": PaperForm(),
        "papers": papers.shown(papers.of_subject(acting=person, case=shown.case_id, subject=subject).rows),
    }
    return render(request, "exhibits/forwarding.html", context)


@both
def send(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Give the parcels to the messenger."""
    person, shown, back = _forwarding_to_work(request, forwarding)
    form = filled(request, SendForm)

    def act() -> str:
        forwarding_verbs.send_forwarding(acting=person, forwarding=shown, **form.cleaned_data)
        return back

    return ask(request, form, act, title=_("Give to the messenger"), button=_("Given"), back=back)


@both
def laboratory_receipt(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Record the receipt of the laboratory."""
    person, shown, back = _forwarding_to_work(request, forwarding)
    form = filled(request, LaboratoryReceiptForm)

    def act() -> str:
        given = form.cleaned_data
        forwarding_verbs.record_laboratory_receipt(
            acting=person,
            forwarding=shown,
            number=given["number"],
            document=given["document"],
            seals_intact=given["seals_intact"] == "yes",
            note=given["note"],
        )
        return back

    return ask(request, form, act, title=_("Receipt of the laboratory"), button=_("Record"), back=back)


@both
def laboratory_back(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Take the exhibits back from the laboratory."""
    person, shown, back = _forwarding_to_work(request, forwarding)
    things = [line.exhibit for line in shown.lines.select_related("exhibit").order_by("line")]
    sealed = Seal.objects.filter(exhibit__in=things, broken_at=None).exists()
    form = filled(request, LaboratoryBackForm, **received_arguments(things, person, sealed=sealed))

    def act() -> str:
        forwarding_verbs.take_back_from_laboratory(
            acting=person, forwarding=shown, document=form.cleaned_data["document"], received=form.received()
        )
        return back

    return ask(request, form, act, title=_("Back from the laboratory"), button=_("I have received them"), back=back)


@both
def withdraw_forwarding(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Withdraw a forwarding that was not sent."""
    person, shown, back = _forwarding_to_work(request, forwarding)
    form = filled(request, ReasonForm)

    def act() -> str:
        reason = form.cleaned_data["reason"]
        forwarding_verbs.withdraw_forwarding(acting=person, forwarding=shown, reason=reason)
        return back

    return ask(request, form, act, title=_("Withdraw the forwarding"), button=_("Withdraw"), back=back)


# ---- papers -------------------------------------------------------------------------------------------------------


@both
def certificate(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Issue a certificate for an electronic record."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    kinds = documents.certificates_for(shown, person=person)
    form = filled(request, CertificateForm, kinds=kinds, initial={"name": person.name, "address": person.unit.name})

    def act() -> str:
        given = form.cleaned_data
        paper = documents.issue_certificate(
            acting=person,
            exhibit=shown,
            kind=papers.Kind(given["kind"]),
            language=papers.Language(given["language"]),
            certifier=form.certifier(),
            submission=form.submission(),
            place=given["place"],
        )
        return _page_of_paper(paper)

    told = _("One certificate for each record and each submission.")
    return ask(request, form, act, title=_("Certificate"), button=_("Issue"), back=_page_of(shown), told=told)


@require_POST
def custody_paper(request: HttpRequest, exhibit: UUID) -> HttpResponse:
    """Issue the sequence of custody."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    return _issued(
        request,
        lambda language, place: documents.issue_custody_sequence(
            acting=person, exhibit=shown, language=language, place=place
        ),
    )


@require_POST
def receipt(request: HttpRequest, exhibit: UUID, event: UUID) -> HttpResponse:
    """Issue the receipt of one hand-over."""
    person = account_of(request)
    shown = _to_work(exhibit, person)
    found = next((one for one in reading.custody_line(shown) if one.pk == event), None)
    if found is None:
        raise AbsentError("event")
    return _issued(
        request,
        lambda language, place: documents.issue_receipt(acting=person, event=found, language=language, place=place),
    )


@require_POST
def seizure_list(request: HttpRequest, seizure: UUID) -> HttpResponse:
    """Issue the seizure list of a memo."""
    person = account_of(request)
    shown = reading.get_seizure(seizure, person=person)
    return _issued(
        request,
        lambda language, place: documents.issue_seizure_list(
            acting=person, seizure=shown, language=language, place=place
        ),
    )


@require_POST
def forwarding_note(request: HttpRequest, forwarding: UUID) -> HttpResponse:
    """Issue the forwarding note."""
    person = account_of(request)
    shown = reading.get_forwarding(forwarding, person=person)
    return _issued(
        request,
        lambda language, place: documents.issue_forwarding_note(
            acting=person, forwarding=shown, language=language, place=place
        ),
    )


def _issued(request: HttpRequest, issue: Callable[[papers.Language, str], papers.Paper]) -> HttpResponse:
    form = PaperForm(request.POST)
    if not form.is_valid():
        raise RefusedError("language", _("Choose a language."))
    paper = issue(papers.Language(form.cleaned_data["language"]), form.cleaned_data["place"])
    return redirect(_page_of_paper(paper))


def _page_of_paper(paper: papers.Paper) -> str:
    return reverse("papers:paper", args=[paper.pk])


def _page_of(exhibit: Exhibit) -> str:
    return reverse("exhibits:exhibit", args=[exhibit.pk])


def _page_of_forwarding(made: Forwarding) -> str:
    return reverse("exhibits:forwarding", args=[made.pk])


def _to_work(exhibit: UUID, person: accounts.Account) -> Exhibit:
    found = reading.get_exhibit(exhibit, person=person)
    accounts.check_may_work(person, found.case_id)
    return found


def _forwarding_to_work(request: HttpRequest, forwarding: UUID) -> tuple[accounts.Account, Forwarding, str]:
    person = account_of(request)
    shown = reading.get_forwarding(forwarding, person=person)
    accounts.check_may_work(person, shown.case_id)
    return person, shown, _page_of_forwarding(shown)
