"""Verbs of the legal officer: supersede a row of law, or confirm it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.law.models import LawRow
from casework.law.rules import INDIA
from casework.lib import clock
from casework.lib.errors import RefusedError

Row = TypeVar("Row", bound=LawRow)
_OURS = frozenset({"id", "created_at", "supersedes", "reason", "verified_by", "verified_on"})


def check_supersede(standing: accounts.Standing, changes: Mapping[str, Any], reason: str) -> None:
    """Refuse all but a legal officer with a reason."""
    if not standing.active or accounts.Role.LEGAL not in standing.roles:
        raise RefusedError("role", "Only a legal officer changes the law tables.")
    if not reason.strip():
        raise RefusedError("reason", "Say why, with the source.")
    if _OURS & set(changes):
        raise RefusedError("fields", "These columns are written by the system.")


@transaction.atomic
def supersede(*, acting: accounts.Account, row: Row, changes: Mapping[str, Any], reason: str) -> Row:
    """Return the row that stands in the place of ``row`` from now on; the change carries the officer's name."""
    check_supersede(accounts.standing_of(acting), changes, reason)
    model = type(row)
    columns = [field.name for field in model._meta.concrete_fields if field.name not in _OURS]
    if unknown := set(changes) - set(columns):
        raise RefusedError("fields", f"There are no columns {', '.join(sorted(unknown))}.")
    values = {name: changes.get(name, getattr(row, name)) for name in columns}
    today = clock.now().astimezone(INDIA).date()
    successor = model(**values, supersedes=row, reason=reason.strip(), verified_by=str(acting), verified_on=today)
    successor.full_clean(exclude=["supersedes"])
    try:
        with transaction.atomic():
            successor.save()
    except IntegrityError as error:
        raise RefusedError("superseded", "The row was superseded meanwhile; open the newest one.") from error
    subject = audit.Subject(kind=model._meta.label_lower, id=str(successor.pk))
    told = {name: str(value) for name, value in changes.items() if str(getattr(row, name)) != str(value)}
    fields: audit.Fields = {"supersedes": str(row.pk), "changed": [f"{name}={value}" for name, value in told.items()]}
    audit.append(actor=accounts.actor(acting), act="law.row_superseded", subject=subject, purpose=reason, fields=fields)
    return successor


def confirm(*, acting: accounts.Account, row: Row, reason: str) -> Row:
    """Return the same row with the officer's name to it."""
    return supersede(acting=acting, row=row, changes={}, reason=reason)
