"""The forms: which words hold on a day, seeding the packaged ones, and the legal officer's verbs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.law import api as law
from casework.lib.errors import RefusedError
from casework.papers.models import Form
from casework.papers.rules import Kind, Language

_FOLDER = Path(__file__).parent / "data" / "forms"
_SEED = audit.Actor(id="kaval-unit", name="the command line of the machine")
_HOLE = re.compile(r"\{[a-z_]+\}")
LONGEST_WORDING = 6000


class NoFormError(RefusedError):
    """No form of that kind and language holds on that day."""

    def __init__(self, kind: Kind, language: Language, day: date) -> None:
        super().__init__("no-form", f"There is no form {kind.value} in {language.value} for {day:%d-%m-%Y}.")


def form_for(kind: Kind, language: Language, day: date) -> Form:
    """Return the current form of that kind and language that holds on ``day``."""
    held = Form.objects.filter(law.in_force(day), kind=kind, language=language)
    found = held.order_by("-valid_from").first()
    if found is None:
        raise NoFormError(kind, language, day)
    return found


@transaction.atomic
def seed() -> int:
    """Add the packaged forms that are not there; forms that are there, or were superseded, are left alone."""
    packaged, made = hashlib.sha256(), 0
    for path in sorted(_FOLDER.glob("*.json")):
        text = path.read_bytes()
        packaged.update(text)
        rows = (_row(edition, language) for edition in json.loads(text)["editions"] for language in Language)
        for row in rows:
            if not _is_there(row):
                row.save()
                made += 1
    if made:
        fields: audit.Fields = {"sha256": packaged.hexdigest(), "rows": made}
        subject = audit.Subject(kind="papers.form", id="packaged")
        audit.append(actor=_SEED, act="papers.forms_seeded", subject=subject, fields=fields)
    return made


def _row(edition: Mapping[str, Any], language: Language) -> Form:
    said = edition["languages"][language.value]
    return Form(
        kind=Kind(edition["kind"]),
        language=language,
        version=edition["version"],
        valid_from=date.fromisoformat(edition["valid_from"]),
        valid_to=date.fromisoformat(edition["valid_to"]) if edition["valid_to"] else None,
        words=said["words"],
        source=said["source"],
        status=law.Status(said["status"]),
        note=said["note"],
    )


def _is_there(row: Form) -> bool:
    same = {name: getattr(row, name) for name in ("kind", "language", "version", "valid_from")}
    return Form.objects.filter(**same).exists()


def check_reword(standing: accounts.Standing, old: Mapping[str, str], new: Mapping[str, str], reason: str) -> None:
    """A legal officer, with a reason, and every hole that the layout fills is still there."""
    if not standing.active or accounts.Role.LEGAL not in standing.roles:
        raise RefusedError("role", "Only a legal officer verifies or changes a form.")
    if not reason.strip():
        raise RefusedError("reason", "Say against what you have checked the words.")
    if set(old) != set(new):
        raise RefusedError("words", "A form keeps its parts; only their wording changes.")
    for name, text in new.items():
        if sorted(_HOLE.findall(text)) != sorted(_HOLE.findall(old[name])):
            holes = ", ".join(_HOLE.findall(old[name])) or "no braces"
            raise RefusedError("holes", f"{name}: the places to fill have to stay as they are: {holes}.")
        if len(text) > LONGEST_WORDING or not text.strip():
            raise RefusedError("words", f"{name}: between 1 and {LONGEST_WORDING} characters.")


@transaction.atomic
def supersede_form(*, acting: accounts.Account, form: Form, words: Mapping[str, str], source: str, reason: str) -> Form:
    """Return the form that holds in the place of ``form`` from now on, with the officer's name to it."""
    check_reword(accounts.standing_of(acting), form.words, words, reason)
    if not source.strip():
        raise RefusedError("source", "Name the source: Gazette, page, day.")
    changes = {"words": dict(words), "source": source.strip(), "version": _next_version(form.version)}
    return law.supersede(acting=acting, row=form, changes=changes, reason=reason)


def confirm_form(*, acting: accounts.Account, form: Form, reason: str) -> Form:
    """Return the same form with the officer's name to it."""
    return supersede_form(acting=acting, form=form, words=form.words, source=form.source, reason=reason)


def _next_version(version: str) -> str:
    base, _, count = version.partition(".")
    return f"{base}.{int(count or 0) + 1}"
