"""Bringing the dated data of the package into the tables; rows that are there, or were superseded, are left alone."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from importlib.resources import files
from typing import Any

from django.db import transaction

from casework.audit import api as audit
from casework.law.models import ClockRule, Correspondence, Gap, LawRow, Offence, Statute
from casework.law.rules import NEW_CODES

EDITION = "india-2026-11-24.json"
_SEED = audit.Actor(id="kaval-unit", name="the command line of the machine")

_KEYS: tuple[tuple[type[LawRow], str, tuple[str, ...]], ...] = (
    (Statute, "statutes", ("code", "valid_from")),
    (Offence, "offences", ("act", "section", "valid_from")),
    (ClockRule, "clocks", ("key", "valid_from")),
    (Correspondence, "correspondences", ("ipc", "bns")),
    (Gap, "gaps", ("act", "section", "valid_from")),
)


@transaction.atomic
def seed() -> int:
    """Add what the packaged edition has and the tables have not; return the number of new rows."""
    text = (files("casework.law") / "data" / EDITION).read_bytes()
    edition = json.loads(text)
    made = 0
    for model, name, key in _KEYS:
        for given in edition[name]:
            values = _values(name, given, edition["sources"])
            if not model._default_manager.filter(**{part: values[part] for part in key}).exists():
                model(**values).save()
                made += 1
    if made:
        fields: audit.Fields = {"edition": EDITION, "sha256": hashlib.sha256(text).hexdigest(), "rows": made}
        audit.append(actor=_SEED, act="law.seeded", subject=audit.Subject(kind="law", id=EDITION), fields=fields)
    return made


def _values(name: str, given: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    values = dict(given)
    if name == "gaps":
        values |= {"missing": values.pop("reason"), "status": "D"}
    if name == "correspondences":
        values["valid_from"] = NEW_CODES.isoformat()
    values.setdefault("source", sources[values["status"]])
    for part in ("valid_from", "valid_to"):
        if values.get(part):
            values[part] = date.fromisoformat(values[part])
    return values
