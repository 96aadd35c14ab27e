"""How the words of the vocabularies are said on a page, in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    # roles
    "suspect": _("suspect"), "accused": _("accused"), "victim": _("victim"),
    "child-in-conflict": _("child in conflict with law"), "witness": _("witness"), "reporter": _("reporter"),
    "informant": _("informant"), "guardian": _("guardian"), "panch": _("panch witness"), "officer": _("officer"),
    # access
    "ordinary": _("open to the case"), "protected": _("shut away: protected"), "source": _("shut away: source"),
    # names
    "full": _("full name"), "alias": _("alias"), "nickname": _("nickname"),
    "before-marriage": _("name before marriage"), "house": _("house name"), "parent": _("name of a parent"),
    # scripts
    "latin": _("Latin"), "malayalam": _("Malayalam"), "devanagari": _("Devanagari"), "tamil": _("Tamil"),
    "kannada": _("Kannada"), "telugu": _("Telugu"), "bengali": _("Bengali"), "other": _("other"),
    # births
    "day": _("to the day"), "month": _("to the month"), "year": _("to the year"),
    "estimate": _("estimated, two years either way"), "school-record": _("school record"),
    "birth-certificate": _("birth certificate"), "medical-test": _("medical test"),
    "identity-paper": _("identity paper"), "appearance": _("appearance"),
    # sex, life
    "female": _("female"), "male": _("male"), "transgender": _("transgender"), "alive": _("alive"), "dead": _("dead"),
    "unknown": _("not known"),
    # identifiers
    "phone": _("phone"), "e-mail": _("e-mail"), "account": _("account on a platform"), "ip": _("IP address"),
    "imei": _("IMEI"), "imsi": _("IMSI"), "serial": _("serial number of a device"), "upi": _("UPI id"),
    "wallet": _("wallet"), "vehicle": _("vehicle"), "address": _("address"),
    # attribution
    "subscriber-answer": _("subscriber answer"), "platform-answer": _("answer of the platform"), "device": _("device"),
    "statement": _("statement"), "document": _("document"), "observation": _("observation"),
    "assumption": _("assumption"), "confirmed": _("confirmed"), "probable": _("probable"), "possible": _("possible"),
    # vault
    "name": _("name"), "birth": _("birth"), "school": _("school"), "family": _("family"), "contact": _("contact"),
    # judgements and their criteria
    "same": _("the same person"), "different": _("different persons"), "open": _("taken back: open again"),
    "sex": _("sex"), "identifier": _("identifiers"), "equal": _("equal"), "sounds equal": _("sounds equal"),
    "near": _("near"), "far": _("far"), "initial": _("fits the initial"), "other initial": _("another initial"),
    "missing": _("a word is missing"), "same day": _("same day"), "day and month swapped": _("day and month swapped"),
    "same year": _("same year"), "and day or month": _("and day or month"), "same year only": _("same year only"),
    "a year apart": _("a year apart"), "some years apart": _("some years apart"), "none shared": _("none shared"),
    "shared": _("shared"),
}  # fmt: skip


# What a criterion found is said otherwise than what a person judges.
_FOUND: dict[str, Promise] = {"same": _("the same"), "different": _("not the same")}


def said(word: str) -> str:
    """Return a word of a vocabulary as it is said; a word without a label is said as it is."""
    return str(LABELS.get(word, word))


def found(finding: str) -> str:
    """Return what a criterion found, its parts in the language of the reader; a number before a part stays."""
    parts = []
    for part in finding.split(", "):
        number, _blank, rest = part.partition(" ")
        whole = str(_FOUND[part]) if part in _FOUND else said(part)
        parts.append(f"{number} {said(rest)}" if number.isdecimal() else whole)
    return ", ".join(parts)


def choices_of(vocabulary: Iterable[StrEnum], empty: Any = None) -> list[tuple[str, Any]]:
    """Return the choices of a form; ``empty`` is what stands for no choice."""
    first = [] if empty is None else [("", empty)]
    return first + [(word.value, LABELS.get(word.value, word.value)) for word in vocabulary]
