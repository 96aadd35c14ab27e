"""Writing what was done to exhibits into the ledger of the unit."""

from __future__ import annotations

from uuid import UUID

from casework.accounts import api as accounts
from casework.audit import api as audit


def told(
    acting: accounts.Account,
    act: str,
    kind: str,
    subject: UUID,
    case: UUID,
    fields: audit.Fields | None = None,
    *,
    purpose: str = "",
) -> None:
    """Append ``exhibits.act`` on one record of a case."""
    audit.append(
        actor=accounts.actor(acting),
        act=f"exhibits.{act}",
        subject=audit.Subject(kind=kind, id=str(subject), case=str(case)),
        purpose=purpose,
        fields=fields,
    )
