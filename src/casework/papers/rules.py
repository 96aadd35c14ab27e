"""What a paper is made of, and whether it may be issued; pure.

A paper is frozen as one JSON text: sorted keys, no spaces, UTF-8, no escapes of letters. Its digest is SHA-256 over
that text. The QR on each page is an address with the number and the first 32 hex digits of the digest, so a person
without this program can compute it from the frozen text and compare.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

from casework.lib.errors import RefusedError

INDIA = ZoneInfo("Asia/Kolkata")
SHOWN_DIGITS = 32
MOST_LINES = 10_000
LARGEST_VALUES = 16 * 1024 * 1024
LARGEST_UPLOAD = 64 * 1024 * 1024
_NUMBER = re.compile(r"[A-Z]{2}/\d{2,4}/\d{4}/\d{4,8}\Z")
_DIGEST = re.compile(r"[0-9a-f]{32,64}\Z")


class Kind(StrEnum):
    """The papers this house can make."""

    SEIZURE_LIST = "seizure-list"
    CUSTODY_SEQUENCE = "custody-sequence"
    CERTIFICATE_63_A = "certificate-63-a"
    CERTIFICATE_63_B = "certificate-63-b"
    CERTIFICATE_65B = "certificate-65b"
    FORWARDING_NOTE = "forwarding-note"
    RECEIPT = "receipt"
    AUDIT_HEAD = "audit-head"
    LABEL_SHEET = "label-sheet"


class Language(StrEnum):
    """The languages a paper can be written in."""

    ENGLISH = "en"
    HINDI = "hi"
    MALAYALAM = "ml"


class Verdict(StrEnum):
    """What a check says of a paper or a file somebody holds in their hand."""

    GENUINE = "genuine"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    OTHER_DIGEST = "other-digest"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What a paper is today; it never stops being on record."""

    GENUINE = "genuine"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


CODES: Mapping[Kind, str] = {
    Kind.SEIZURE_LIST: "SL",
    Kind.CUSTODY_SEQUENCE: "CS",
    Kind.CERTIFICATE_63_A: "CA",
    Kind.CERTIFICATE_63_B: "CB",
    Kind.CERTIFICATE_65B: "CE",
    Kind.FORWARDING_NOTE: "FN",
    Kind.RECEIPT: "RC",
    Kind.AUDIT_HEAD: "AH",
    Kind.LABEL_SHEET: "QL",
}


def number_of(kind: Kind, office: int, year: int, serial: int) -> str:
    """Return the number as it is printed: kind, office, year, serial."""
    return f"{CODES[kind]}/{office:02d}/{year}/{serial:04d}"


def canonical(frozen: Mapping[str, Any]) -> str:
    """Return the one JSON text of what a paper says."""
    return json.dumps(dict(frozen), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest_of(text: str) -> str:
    """Return the digest of a canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def form_day(kind: Kind, values: Mapping[str, Any], today: date) -> date:
    """Return the day whose form holds: of a seizure the day it happened, of all else the day of issue."""
    if kind is Kind.SEIZURE_LIST and values["seized_at"]:
        return datetime.fromisoformat(values["seized_at"]).astimezone(INDIA).date()
    return today


def check_address(base: str, number: str, digest: str) -> str:
    """Return what the QR holds."""
    return f"{base}?{urlencode({'number': number, 'digest': digest[:SHOWN_DIGITS]}, safe='/')}"


def read_check(number: str, digest: str) -> tuple[str, str]:
    """Return number and digest as typed or scanned; a scanner may put the whole address into the first field."""
    number, digest = number.strip(), digest.strip()
    if "?" in number:
        asked = parse_qs(urlsplit(number).query)
        number, digest = asked.get("number", [""])[0], asked.get("digest", [""])[0]
    number, digest = number.upper().replace(" ", ""), digest.lower().replace(" ", "")
    if not _NUMBER.match(number):
        raise RefusedError("number", "A number reads like SL/01/2026/0001; it stands at the foot of each page.")
    if not _DIGEST.match(digest):
        raise RefusedError("digest", "The digest has at least 32 digits and letters a to f; it stands at the foot.")
    return number, digest


def state_of(*, withdrawn: bool, superseded: bool) -> State:
    """Return the state; who withdraws says so after all else."""
    if withdrawn:
        return State.WITHDRAWN
    return State.SUPERSEDED if superseded else State.GENUINE


def check_supersede(state: State, *, same_kind: bool, same_case: bool, reason: str) -> None:
    """A paper is superseded once, by one of its own kind and case, with a reason."""
    if not same_kind or not same_case:
        raise RefusedError("other-paper", "A paper is superseded by one of the same kind in the same case.")
    if state is not State.GENUINE:
        raise RefusedError(state.value, f"The paper is {state.value} already; open the newest one.")
    check_reason(reason)


def check_withdraw(state: State, reason: str) -> None:
    """A paper is withdrawn once, with a reason; a superseded one may still be withdrawn."""
    if state is State.WITHDRAWN:
        raise RefusedError("withdrawn", "The paper is withdrawn already.")
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Refuse to do it without saying why."""
    if not reason.strip():
        raise RefusedError("reason", "Say why; the reason stays with the paper.")


def check_size(values: Mapping[str, Any]) -> None:
    """Refuse a paper nobody could bind."""
    longest = max((len(value) for value in values.values() if isinstance(value, list | tuple)), default=0)
    if longest > MOST_LINES:
        raise RefusedError(
            "too-large",
            f"The paper would have {longest:,} lines, and {MOST_LINES:,} is the most: issue it in parts.",
        )
    if len(canonical(values)) > LARGEST_VALUES:
        raise RefusedError("too-large", "The texts of the paper are longer than a paper can hold: issue it in parts.")
