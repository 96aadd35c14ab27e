"""Seals: applied by who holds the exhibit, broken with a reason, each with its photograph; specimens for comparison."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.exhibits import rules
from casework.exhibits.ledger import told
from casework.exhibits.models import Exhibit, Mark, Photograph, Seal, Specimen
from casework.exhibits.numbers import next_number
from casework.exhibits.photographs import Prepared, kept
from casework.exhibits.reading import locked, party_of, state_of, whole_seal_of
from casework.exhibits.rules import SealKind
from casework.exhibits.storing import check_keeps_house
from casework.lib import clock
from casework.lib.errors import RefusedError


@transaction.atomic
def seal(
    *,
    acting: accounts.Account,
    exhibit: Exhibit,
    kind: SealKind,
    reason: str,
    mark: str = "",
    specimen: Specimen | None = None,
    picture: Prepared | None = None,
) -> Seal:
    """Close an exhibit with a seal of the next number; ``mark`` is what is printed on a bag."""
    exhibit = locked(exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(reason, "Say what the exhibit is sealed for.")
    rules.check_apply(state_of(exhibit), str(party_of(acting).pk))
    if kind is SealKind.TAMPER_BAG and not mark.strip():
        raise RefusedError("mark", "Write down the number printed on the bag.")
    if specimen is not None and (specimen.ended_at is not None or specimen.unit_id != acting.unit_id):
        raise RefusedError("specimen", "This specimen is not in use in your unit.")
    made = Seal(
        exhibit=exhibit,
        unit=acting.unit,
        number=next_number(f"seal/{acting.unit_id}"),
        kind=kind.value,
        mark=mark.strip(),
        specimen=specimen,
        applied_at=clock.now(),
        applied_by=acting,
        reason=reason.strip(),
        photograph=_kept(acting, exhibit, picture, f"{kind.value} seal applied"),
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "mark" not in str(error) and "bag" not in str(error):
            raise
        raise RefusedError("mark", "A bag of this number was used before; look at the number again.") from error
    for value in {rules.folded(made.mark), rules.folded(str(made))} - {""}:
        Mark.objects.get_or_create(exhibit=exhibit, kind="seal", value=value)
    fields: audit.Fields = {"seal": str(made), "kind": kind.value, "photograph": picture is not None}
    told(acting, "sealed", "exhibit", exhibit.pk, exhibit.case_id, fields, purpose=reason.strip())
    return made


@transaction.atomic
def break_seal(*, acting: accounts.Account, exhibit: Exhibit, reason: str, picture: Prepared | None = None) -> Seal:
    """Break the seal of an exhibit one holds, for a reason that stays on record."""
    exhibit = locked(exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_reason(reason, "Say why the seal is broken.")
    rules.check_seal(state_of(exhibit), str(party_of(acting).pk))
    broken = whole_seal_of(exhibit)
    if broken is None:
        raise RefusedError("unsealed", "The exhibit is not sealed.")
    broken.broken_at, broken.broken_by = clock.now(), acting
    broken.broken_reason = reason.strip()
    broken.broken_photograph = _kept(acting, exhibit, picture, f"{broken} broken")
    broken.save(update_fields=["broken_at", "broken_by", "broken_reason", "broken_photograph"])
    fields: audit.Fields = {"seal": str(broken), "photograph": picture is not None}
    told(acting, "seal_broken", "exhibit", exhibit.pk, exhibit.case_id, fields, purpose=reason.strip())
    return broken


@transaction.atomic
def keep_specimen(*, acting: accounts.Account, name: str, text: str, kept_by: str) -> Specimen:
    """Put a seal of the unit on record: what stands on it, and who keeps it."""
    check_keeps_house(acting)
    rules.check_reason(name, "Give the seal a name.")
    specimen = Specimen(unit=acting.unit, name=name.strip(), text=text.strip(), kept_by=kept_by.strip())
    try:
        with transaction.atomic():
            specimen.save()
    except IntegrityError as error:
        raise RefusedError("name", "There is a seal of this name in the unit.") from error
    subject = audit.Subject(kind="specimen", id=str(specimen.pk))
    audit.append(actor=accounts.actor(acting), act="exhibits.specimen_kept", subject=subject, fields={"name": name})
    return specimen


def _kept(acting: accounts.Account, exhibit: Exhibit, picture: Prepared | None, caption: str) -> Photograph | None:
    return kept(acting, exhibit, picture, caption) if picture else None
