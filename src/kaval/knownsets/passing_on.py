"""Passing on: a set written for others, with a note beside it that says what it is and on whose permission.

Handling codes H1 to H3 (Europol) bind whoever received a set: without a permission on record nothing is written.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kaval.core.errors import UsageError
from kaval.folder.durable import flush_directory, place_json
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.exports import SET_EXPORTS, Written, entries_of

BINDING = ("H1", "H2", "H3")
"""Handling codes under which a set is passed on only with the permission of its owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """What was written, and the SHA-256 of it."""

    written: Written
    sha256: str


def pass_on(known: CompiledSet, form: str, target: Path, *, by: str, permission: str | None = None) -> Passed:
    """Write a set for others; the file is there whole or not at all, and so is the note beside it.

    Raises:
        UsageError: The file is there already, or the set may not be passed on without a permission.
    """
    info = known.info
    code = (info.handling or "").strip().upper()[:2]
    if code in BINDING and not (permission or "").strip():
        raise UsageError(
            f"{info.name!r} was received under handling code {info.handling}: it is passed on only with the permission "
            "of its owner; record it with --permission"
        )
    if target.exists():
        raise UsageError(f"{target} is there already")
    export = SET_EXPORTS.get(form)
    aside = target.with_name(f".{target.name}.part")
    aside.unlink(missing_ok=True)
    try:
        written = export.write(info, entries_of(known), aside)
        with aside.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        note = {
            "set": info.name,
            "version": info.version,
            "role_here": info.role.value,
            "owner": info.owner,
            "handling": info.handling,
            "format": export.name,
            "entries": written.entries,
            "left_out": dict(written.left_out),
            "permission": permission,
            "by": by,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": digest,
        }
        place_json(note, target.with_name(f"{target.name}.note.json"))
        aside.rename(target)
        flush_directory(target.parent)
    finally:
        aside.unlink(missing_ok=True)
    return Passed(written=written, sha256=digest)
