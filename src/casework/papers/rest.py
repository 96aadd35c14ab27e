"""Papers for programs: those of a case, one, its file, its check, its withdrawal; and the forms.

A program cannot issue a paper: what a paper says comes from the records of the contexts above, not from who asks.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from casework.accounts import api as accounts
from casework.papers import checking, issuing, reading
from casework.papers.models import Form, Paper
from casework.papers.rules import State, Verdict
from casework.papers.views import pdf_answer

router = Router(tags=["papers"])


class PaperOut(Schema):
    """A paper, and what it is today; ``verified_by`` is empty where its form was not verified."""

    id: UUID
    number: str
    kind: str
    language: str
    case: UUID | None
    state: State
    issued_at: datetime
    issued_by: str
    pages: int
    size: int
    digest: str
    file_digest: str
    signed_by: str
    form: UUID
    verified_by: str


class PapersOut(Schema):
    """A page of papers, newest first; ``older`` is the cursor of the next, empty at the end."""

    papers: list[PaperOut]
    older: str


class CheckIn(Schema):
    """What stands at the foot of a sheet; a scanned address may stand in ``number``."""

    number: str = Field(max_length=500)
    digest: str = Field(default="", max_length=100)


class CheckOut(Schema):
    """What a check says; ``paper`` is absent where there is none for who asks."""

    verdict: Verdict
    paper: PaperOut | None


class WithdrawIn(Schema):
    """Why the paper no longer counts."""

    reason: str = Field(min_length=1, max_length=500)


class FormOut(Schema):
    """The words of a kind of paper in one language."""

    id: UUID
    kind: str
    language: str
    version: str
    valid_from: date
    valid_to: date | None
    words: dict[str, str]
    source: str
    status: str
    verified_by: str
    verified_on: date | None


@router.get("/cases/{case}", response=PapersOut)
def of_case(request: HttpRequest, case: UUID, page: str = "") -> PapersOut:
    """The papers of a case."""
    found = reading.of_case(acting=accounts.account_of(request), case=case, cursor=page)
    return PapersOut(papers=[_told(one.paper, one.state) for one in reading.shown(found.rows)], older=found.older)


@router.get("/check", response=CheckOut)
def check(request: HttpRequest, asked: Query[CheckIn]) -> CheckOut:
    """What the number and the digest at the foot of a sheet are worth."""
    found = checking.check(acting=accounts.account_of(request), number=asked.number, digest=asked.digest)
    paper = _told(found.paper, issuing.state_of(found.paper)) if found.paper else None
    return CheckOut(verdict=found.verdict, paper=paper)


@router.get("/forms", response=list[FormOut])
def forms(request: HttpRequest) -> list[Form]:
    """The current forms."""
    return list(Form.objects.filter(superseded_by=None).order_by("kind", "-valid_from", "language"))


@router.get("/{paper}", response=PaperOut)
def paper(request: HttpRequest, paper: UUID) -> PaperOut:
    """One paper."""
    found = reading.get_paper(paper, acting=accounts.account_of(request))
    return _told(found, issuing.state_of(found))


@router.post(
    "/{paper}/file",
    openapi_extra={"responses": {200: {"description": "The PDF.", "content": {"application/pdf": {}}}}},
)
def take_out(request: HttpRequest, paper: UUID) -> HttpResponse:
    """The file of a paper; that it was taken out stands in the ledger, so it is a POST."""
    acting = accounts.account_of(request)
    found = reading.get_paper(paper, acting=acting)
    return pdf_answer(reading.take_out(acting=acting, paper=found), found.number)


@router.post("/{paper}/withdraw", response=PaperOut)
def withdraw(request: HttpRequest, paper: UUID, given: WithdrawIn) -> PaperOut:
    """Say that a paper no longer counts."""
    acting = accounts.account_of(request)
    found = reading.get_paper(paper, acting=acting)
    issuing.withdraw(acting=acting, paper=found, reason=given.reason)
    return _told(found, issuing.state_of(found))


def _told(paper: Paper, state: State) -> PaperOut:
    return PaperOut(
        **{name: getattr(paper, name) for name in ("id", "number", "kind", "language", "case", "issued_at", "pages")},
        **{name: getattr(paper, name) for name in ("size", "digest", "file_digest", "signed_by")},
        state=state,
        issued_by=paper.issued_by.name,
        form=paper.form_id,
        verified_by=paper.form.verified_by,
    )
