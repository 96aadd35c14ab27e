"""The pages of papers: those of a case, one paper, its file, its check."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.accounts import api as accounts
from casework.lib.errors import RefusedError
from casework.papers import checking, issuing, reading
from casework.papers.forms import CheckForm, FileForm, LanguageForm, WithdrawForm
from casework.papers.models import Paper
from casework.papers.rules import Kind, State
from casework.papers.uploads import DigestingHandler
from casework.papers.words import verdict_text

_both = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List the papers this person issued and may still see."""
    page = reading.issued_by(acting=_me(request), cursor=request.GET.get("page", ""))
    context = {"page": page, "rows": reading.shown(page.rows), "keeps": issuing.keeps_the_ledger(_me(request))}
    return render(request, "papers/mine.html", context)


@require_safe
def of_case(request: HttpRequest, case: UUID) -> HttpResponse:
    """List the papers of a case."""
    page = reading.of_case(acting=_me(request), case=case, cursor=request.GET.get("page", ""))
    return render(request, "papers/of_case.html", {"page": page, "rows": reading.shown(page.rows), "case": case})


@_both
def heads(request: HttpRequest) -> HttpResponse:
    """List the printed heads of the ledger; POST prints that of today."""
    page = reading.heads(acting=_me(request), cursor=request.GET.get("page", ""))
    form = LanguageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        head = issuing.issue_head(acting=_me(request), language=form.cleaned_data["language"])
        return redirect("papers:paper", head.pk)
    context = {"page": page, "rows": reading.shown(page.rows), "form": form}
    return render(request, "papers/heads.html", context, status=422 if form.errors else 200)


@require_safe
def paper(request: HttpRequest, paper: UUID) -> HttpResponse:
    """Show one paper: what it is, what it is worth today, where its file is."""
    found = reading.get_paper(paper, acting=_me(request))
    state = issuing.state_of(found)
    context = {
        "paper": found,
        "state": state,
        "is_genuine": state is State.GENUINE,
        "successor": Paper.objects.filter(supersedes=found).first() if state is not State.GENUINE else None,
        "withdrawal": getattr(found, "withdrawal", None),
        "can_withdraw": state is not State.WITHDRAWN and reading.may_work(_me(request), found),
        "is_head": found.kind == Kind.AUDIT_HEAD,
    }
    return render(request, "papers/paper.html", context)


@require_POST
def download(request: HttpRequest, paper: UUID) -> HttpResponse:
    """Give out the file; it is an act, so it is asked for with a button and stands in the ledger."""
    found = reading.get_paper(paper, acting=_me(request))
    return pdf_answer(reading.take_out(acting=_me(request), paper=found), found.number)


@require_safe
def signature(request: HttpRequest, paper: UUID) -> HttpResponse:
    """Say what the electronic signature in the file is worth."""
    found = reading.get_paper(paper, acting=_me(request))
    context = {"paper": found, "signature": checking.signature_of(acting=_me(request), paper=found)}
    return render(request, "papers/signature.html", context)


@_both
def withdraw(request: HttpRequest, paper: UUID) -> HttpResponse:
    """Ask why, and withdraw."""
    found = reading.get_paper(paper, acting=_me(request))
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        issuing.withdraw(acting=_me(request), paper=found, reason=form.cleaned_data["reason"])
        messages.success(request, _("The paper is withdrawn. Tell those who hold it."))
        return redirect("papers:paper", found.pk)
    context = {
        "form": form,
        "title": _("Withdraw %(number)s") % {"number": found.number},
        "told": _("The paper stays on record; its check says from now on that it is withdrawn."),
        "button": _("Withdraw"),
        "back": reverse("papers:paper", args=[found.pk]),
    }
    return render(request, "lib/ask.html", context, status=422 if form.errors else 200)


@csrf_exempt
@_both
def check(request: HttpRequest) -> HttpResponse:
    """Say what a sheet or a file is worth.

    The upload is digested as it comes in; its handler has to be set before anybody reads the form, and the token is
    tested right behind.
    """
    handler = DigestingHandler(request)
    request.upload_handlers = [handler]
    return _check(request, handler)


@csrf_protect
def _check(request: HttpRequest, handler: DigestingHandler) -> HttpResponse:
    asked = request.method != "POST" and "number" in request.GET
    typed = CheckForm(request.GET if asked else None)
    sent = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    found = None
    if handler.is_too_large:
        sent.add_error("file", _("The file is larger than any paper of this unit."))
    if request.method == "POST" and sent.is_valid():
        found = checking.check_file(acting=_me(request), file_digest=sent.cleaned_data["file"])
    elif asked and typed.is_valid():
        try:
            found = checking.check(
                acting=_me(request), number=typed.cleaned_data["number"], digest=typed.cleaned_data["digest"]
            )
        except RefusedError as refusal:
            typed.add_error(refusal.rule if refusal.rule in typed.fields else None, refusal.reason)
    context = {
        "typed": typed,
        "sent": sent,
        "found": found,
        "said": verdict_text(found.verdict) if found else "",
        "of_file": request.method == "POST",
    }
    return render(request, "papers/check.html", context, status=422 if typed.errors or sent.errors else 200)


def pdf_answer(content: bytes, name: str) -> HttpResponse:
    """Return a PDF as a file to keep, which no cache keeps and no page shows."""
    answer = HttpResponse(content, content_type="application/pdf")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    answer.headers["Content-Disposition"] = f'attachment; filename="{plain}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _me(request: HttpRequest) -> accounts.Account:
    return cast(accounts.Account, request.user)
