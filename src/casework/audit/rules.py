"""How the chain is made; pure, so that an expert can check it with nothing but this page and the exported rows.

A row's digest is SHA-256 over the JSON array (no spaces, ASCII escapes) of: seq, at (UTC, microseconds, ``Z``), actor
id, actor name, act, subject kind, subject id, case, purpose, fields, request, and the digest of the row before. The
first row follows 64 zeros. ``fields`` is itself JSON text with sorted keys and is hashed as that text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from casework.lib.keys import Key, KeyRing

NOTHING_BEFORE = "0" * 64
KEY_PURPOSE = "audit mark"

Value = str | int | bool | None
Fields = Mapping[str, Value | list[str]]

_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
_ACT = re.compile(r"[a-z]+\.[a-z][a-z_]+\Z")


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, as values."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is acted upon, as values; ``case`` where it belongs to one."""

    kind: str
    id: str
    case: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one entry says, before it is chained."""

    seq: int
    at: datetime
    actor_id: str
    actor_name: str
    act: str
    subject_kind: str
    subject_id: str
    case: str
    purpose: str
    fields: str
    request: str


def check_act(act: str) -> None:
    """Refuse the name of an act that is not ``context.what_was_done``."""
    if not _ACT.match(act):
        raise ValueError(f"An act is named context.what_was_done, not {act!r}.")


def canonical(fields: Fields) -> str:
    """Return the one JSON text of ``fields``."""
    return json.dumps(dict(fields), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def instant(at: datetime) -> str:
    """Return an instant as it is hashed."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def digest_of(row: Row, previous: str) -> str:
    """Return the digest of ``row`` behind the digest ``previous``."""
    said = (
        row.actor_id, row.actor_name, row.act, row.subject_kind, row.subject_id,
        row.case, row.purpose, row.fields, row.request,
    )  # fmt: skip
    return digest_of_values(row.seq, row.at, said, previous)


def digest_of_values(seq: int, at: datetime, said: Iterable[str], previous: str) -> str:
    """Return the same for the columns in their order; a walk of a million rows has no time to build rows."""
    return hashlib.sha256(_ENCODER.encode((seq, instant(at), *said, previous)).encode()).hexdigest()


def mark_entry(key: Key, seq: int, digest: str) -> str:
    """Return the unit's mark on an entry."""
    return _mark(key, f"entry|{seq}|{digest}")


def mark_head(key: Key, seq: int, digest: str) -> str:
    """Return the unit's mark on the end of the chain; no entry's mark can stand in its place."""
    return _mark(key, f"head|{seq}|{digest}")


def mark_day(key: Key, day: date, seq: int, digest: str) -> str:
    """Return the unit's mark on a daily head."""
    return _mark(key, f"day|{day.isoformat()}|{seq}|{digest}")


def marked_with(ring: KeyRing, mark: str) -> Key | None:
    """Return the key that a mark names, or None where the ring has no such key."""
    try:
        return ring.by_id(KEY_PURPOSE, bytes.fromhex(mark.partition(":")[0]))
    except ValueError:
        return None


def same(one: str, other: str) -> bool:
    """Compare two marks in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _mark(key: Key, text: str) -> str:
    return f"{key.key_id.hex()}:{hmac.digest(key.secret, text.encode(), 'sha256').hex()}"
