"""Issuing a paper, showing it before, and withdrawing it.

Printing is slow, and a lock that waits for it would hold up the unit. So the paper is printed, and signed, with the
number that is next, outside of any lock; then, in one short transaction, the number is taken and the paper kept. When
somebody else took the number meanwhile, it is printed again. After some such losses it is printed under the lock.
Call `issue` outside of a transaction to have the benefit; inside one it is right as well, and others wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.papers import numbering, rendering, rules, signing, wording
from casework.papers.models import Document, Form, Paper, Withdrawal
from casework.papers.printing import Printed
from casework.papers.rules import INDIA, Kind, Language, State
from casework.papers.shapes import Shape, checked

PREVIEW_NUMBER = "–"
_PRINTS_WITHOUT_LOCK = 4


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What is to be issued, checked."""

    acting: accounts.Account
    kind: Kind
    case: UUID | None
    language: Language
    values: Mapping[str, Any]
    subject: audit.Subject
    form: Form
    at: datetime
    supersedes: Paper | None
    reason: str


def issue(
    *,
    acting: accounts.Account,
    kind: Kind,
    case: UUID | None,
    language: Language,
    values: Mapping[str, Any] | Shape,
    subject: audit.Subject,
    supersedes: Paper | None = None,
    reason: str = "",
) -> Paper:
    """Return a new paper: values checked and frozen, numbered without gaps, printed, signed where that is set up.

    Raises:
        AbsentError: The account does not know the case.
        RefusedError: It may only read; the values have not the shape of the kind; no form holds on the day; the paper
            it is to supersede is another's or was superseded.
    """
    order = _checked_order(acting, kind, case, language, values, subject, supersedes, reason)
    for _attempt in range(_PRINTS_WITHOUT_LOCK):
        number = numbering.next_number(acting.unit_id, kind, order.at.astimezone(INDIA).year)
        frozen, printed, signed = _printed(order, number)
        try:
            with transaction.atomic():
                numbering.take_number(acting.unit_id, kind, order.at.astimezone(INDIA).year, number)
                return _kept(order, number, frozen, printed, signed)
        except numbering.NumberTakenError:
            continue
    with transaction.atomic():
        number = numbering.take_number(acting.unit_id, kind, order.at.astimezone(INDIA).year)
        return _kept(order, number, *_printed(order, number))


def issue_head(*, acting: accounts.Account, language: Language) -> Paper:
    """Return the head of the ledger of today on paper; the head stands from the first asking on."""
    if not keeps_the_ledger(acting):
        raise AbsentError("paper")
    head = audit.close_day(clock.now().astimezone(INDIA).date())
    values = {
        "unit": acting.unit.name,
        "day": head.day.isoformat(),
        "row": head.seq,
        "digest": head.digest,
        "made_at": instant(head.made_at),
    }
    subject = audit.Subject(kind="audit.head", id=head.day.isoformat())
    return issue(acting=acting, kind=Kind.AUDIT_HEAD, case=None, language=language, values=values, subject=subject)


def preview(
    *,
    acting: accounts.Account,
    kind: Kind,
    case: UUID | None,
    language: Language,
    values: Mapping[str, Any] | Shape,
) -> Printed:
    """Return the PDF as it would be, marked as not issued, without a number; nothing is kept."""
    order = _checked_order(acting, kind, case, language, values, audit.Subject(kind="", id=""), None, "")
    frozen = _frozen(order, PREVIEW_NUMBER, "")
    return rendering.render(frozen, address=settings.CHECK_ADDRESS, preview=True)


@transaction.atomic
def withdraw(*, acting: accounts.Account, paper: Paper, reason: str) -> Withdrawal:
    """Say that the paper no longer counts; it stays on record and its check says so."""
    _check_right(acting, Kind(paper.kind), paper.case)
    rules.check_withdraw(state_of(paper), reason)
    try:
        with transaction.atomic():
            gone = Withdrawal.objects.create(paper=paper, reason=reason.strip(), withdrawn_by=acting)
    except IntegrityError as error:
        raise RefusedError("withdrawn", "The paper was withdrawn meanwhile.") from error
    # The reason stays out of the ledger: it may name a person, and the ledger is kept for ever.
    audit.append(actor=accounts.actor(acting), act="papers.paper_withdrawn", subject=_subject(paper), fields={})
    return gone


def instant(at: datetime) -> str:
    """Return an instant as the shapes want it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def state_of(paper: Paper) -> State:
    """Return what the paper is now."""
    withdrawn = Withdrawal.objects.filter(paper=paper).exists()
    return rules.state_of(withdrawn=withdrawn, superseded=Paper.objects.filter(supersedes=paper).exists())


def _checked_order(
    acting: accounts.Account,
    kind: Kind,
    case: UUID | None,
    language: Language,
    values: Mapping[str, Any] | Shape,
    subject: audit.Subject,
    supersedes: Paper | None,
    reason: str,
) -> _Order:
    _check_right(acting, kind, case)
    plain = checked(kind, values)
    rules.check_size(plain)
    rendering.check_letters(plain)
    at = clock.now()
    form = wording.form_for(kind, language, rules.form_day(kind, plain, at.astimezone(INDIA).date()))
    order = _Order(
        acting=acting, kind=kind, case=case, language=language, values=plain, subject=subject, form=form, at=at,
        supersedes=supersedes, reason=reason,
    )  # fmt: skip
    _check_supersedes(order)
    return order


def _check_right(acting: accounts.Account, kind: Kind, case: UUID | None) -> None:
    if (case is None) != (kind is Kind.AUDIT_HEAD):
        raise RefusedError("case", "Every paper but the head of the ledger belongs to a case.")
    if case is not None:
        accounts.check_may_work(acting, case)
    elif not keeps_the_ledger(acting):
        raise AbsentError("paper")


def keeps_the_ledger(account: accounts.Account) -> bool:
    """Tell whether the account prints the heads of the ledger: who runs the machine, and who supervises."""
    standing = accounts.standing_of(account)
    return standing.active and bool(standing.roles & {accounts.Role.ADMINISTRATOR, accounts.Role.SUPERVISOR})


def _check_supersedes(order: _Order) -> None:
    if order.supersedes is not None:
        rules.check_supersede(
            state_of(order.supersedes),
            same_kind=order.supersedes.kind == order.kind,
            same_case=order.supersedes.case == order.case,
            reason=order.reason,
        )


def _frozen(order: _Order, number: str, signed_by: str) -> dict[str, Any]:
    form = order.form
    return {
        "kind": order.kind.value,
        "language": order.language.value,
        "number": number,
        "unit": order.acting.unit.name,
        "day": order.at.astimezone(INDIA).date().isoformat(),
        "supersedes": order.supersedes.number if order.supersedes else "",
        "signed_by": signed_by,
        "form": {
            "version": form.version,
            "source": form.source,
            "status": form.status,
            "verified_by": form.verified_by,
            "verified_on": f"{form.verified_on:%d-%m-%Y}" if form.verified_on else "",
            "words": form.words,
        },
        "values": dict(order.values),
    }


def _printed(order: _Order, number: str) -> tuple[str, Printed, signing.Signed]:
    hand = signing.configured()
    frozen = _frozen(order, number, hand.name if hand else "")
    printed = rendering.render(frozen, address=settings.CHECK_ADDRESS)
    return rules.canonical(frozen), printed, signing.sign(hand, printed.content)


def _kept(order: _Order, number: str, frozen: str, printed: Printed, signed: signing.Signed) -> Paper:
    # Both may have changed while the press ran.
    _check_right(order.acting, order.kind, order.case)
    _check_supersedes(order)
    paper = Paper(
        kind=order.kind,
        language=order.language,
        number=number,
        unit_id=order.acting.unit_id,
        case=order.case,
        subject_kind=order.subject.kind,
        subject_id=order.subject.id,
        form=order.form,
        frozen=frozen,
        digest=rules.digest_of(frozen),
        file_digest=hashlib.sha256(signed.content).hexdigest(),
        pages=printed.pages,
        size=len(signed.content),
        issued_by=order.acting,
        issued_at=order.at,
        signed_by=signed.name,
        supersedes=order.supersedes,
        reason=order.reason.strip(),
    )
    try:
        with transaction.atomic():
            paper.save(force_insert=True)
    except IntegrityError as error:
        raise RefusedError("superseded", "The paper was superseded meanwhile; open the newest one.") from error
    Document.objects.create(paper=paper, content=signed.content)
    fields: audit.Fields = {"number": number, "kind": paper.kind, "digest": paper.digest, "file": paper.file_digest}
    if order.supersedes is not None:
        fields = {**fields, "supersedes": order.supersedes.number}
    audit.append(actor=accounts.actor(order.acting), act="papers.paper_issued", subject=_subject(paper), fields=fields)
    return paper


def _subject(paper: Paper) -> audit.Subject:
    return audit.Subject(kind="paper", id=str(paper.pk), case=str(paper.case or ""))
