"""What members of a case may see of its papers; to everyone else there are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib.errors import AbsentError, RefusedError
from casework.lib.paging import Page, Pager
from casework.papers import rules
from casework.papers.issuing import keeps_the_ledger
from casework.papers.models import Document, Paper, Withdrawal
from casework.papers.rules import Kind, State

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A paper, and what it is today."""

    paper: Paper
    state: State


def of_case(*, acting: accounts.Account, case: UUID, cursor: str = "") -> Page[Paper]:
    """Return the papers of a case, newest first, page by page."""
    accounts.check_may_read(acting, case)
    return _page(f"papers of case {case}", Paper.objects.filter(case=case), cursor)


def of_subject(*, acting: accounts.Account, case: UUID, subject: audit.Subject, cursor: str = "") -> Page[Paper]:
    """Return the papers about one record of a case, newest first."""
    accounts.check_may_read(acting, case)
    rows = Paper.objects.filter(case=case, subject_kind=subject.kind, subject_id=subject.id)
    return _page(f"papers of {subject.kind} {subject.id}", rows, cursor)


def heads(*, acting: accounts.Account, cursor: str = "") -> Page[Paper]:
    """Return the printed heads of the ledger, newest first."""
    if not keeps_the_ledger(acting):
        raise AbsentError("paper")
    return _page("heads of the ledger", Paper.objects.filter(kind=Kind.AUDIT_HEAD), cursor)


def issued_by(*, acting: accounts.Account, cursor: str = "") -> Page[Paper]:
    """Return the papers this account issued, in the cases it may still see."""
    open_to = accounts.case_ids_open_to(acting)
    mine = Q(case__in=open_to) | Q(case=None) if keeps_the_ledger(acting) else Q(case__in=open_to)
    return _page("papers of mine", Paper.objects.filter(mine, issued_by=acting), cursor)


def may_work(acting: accounts.Account, paper: Paper) -> bool:
    """Tell whether the account may do more with the paper than look at it."""
    if paper.case is None:
        return keeps_the_ledger(acting)
    try:
        accounts.check_may_work(acting, paper.case)
    except (AbsentError, RefusedError):
        return False
    return True


def get_paper(paper: UUID, *, acting: accounts.Account) -> Paper:
    """Return one paper.

    Raises:
        AbsentError: There is none, or none for this account.
    """
    found = (
        Paper.objects.select_related("form", "issued_by", "supersedes", "unit", "withdrawal").filter(pk=paper).first()
    )
    if found is None:
        raise AbsentError("paper")
    check_may_see(acting, found)
    return found


def check_may_see(acting: accounts.Account, paper: Paper) -> None:
    """Pass for members of the case, and for a head of the ledger those who keep it."""
    if paper.case is not None:
        accounts.check_may_read(acting, paper.case)
    elif not keeps_the_ledger(acting):
        raise AbsentError("paper")


@transaction.atomic
def take_out(*, acting: accounts.Account, paper: Paper) -> bytes:
    """Return the file of a paper; who takes it stands in the ledger."""
    check_may_see(acting, paper)
    content = bytes(Document.objects.get(paper=paper).content)
    subject = audit.Subject(kind="paper", id=str(paper.pk), case=str(paper.case or ""))
    fields: audit.Fields = {"number": paper.number, "file": paper.file_digest}
    audit.append(actor=accounts.actor(acting), act="papers.paper_taken_out", subject=subject, fields=fields)
    return content


def shown(papers: Iterable[Paper]) -> tuple[Shown, ...]:
    """Return papers with their states, in two questions to the database."""
    listed = list(papers)
    ids = [paper.pk for paper in listed]
    gone = set(Withdrawal.objects.filter(paper__in=ids).values_list("paper_id", flat=True))
    replaced = set(Paper.objects.filter(supersedes__in=ids).values_list("supersedes_id", flat=True))
    return tuple(
        Shown(paper=paper, state=rules.state_of(withdrawn=paper.pk in gone, superseded=paper.pk in replaced))
        for paper in listed
    )


def _page(name: str, rows: QuerySet[Paper], cursor: str) -> Page[Paper]:
    light = rows.select_related("form", "issued_by").defer("frozen")
    return Pager(name, "issued_at", size=PAGE_SIZE).page(light, cursor)
