"""Making a set from what a person found: entries of a reviewed examination, or values she names.

Every entry carries where it comes from: exhibit, examination, locator, who took it in, why. The set is written in
Kaval's own form and then imported like any other, so its version is the SHA-256 of a file that can be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kaval.core.errors import UsageError
from kaval.folder.views import open_folder
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.formats.own import entry_line, header_line
from kaval.knownsets.statements import Statement

_DIGESTS = ("md5", "sha1", "sha256")


def entries_of_examination(
    folder: Path, locators: Sequence[str], *, category: str | None = None
) -> Iterator[tuple[Statement, dict[str, Any]]]:
    """Yield what an examination knows of entries, with their provenance.

    Raises:
        UsageError: The examination lists no such entry, or never read it.
        FolderError: The folder is no finished examination.
    """
    manifest, connection = open_folder(folder)
    for locator in dict.fromkeys(locators):
        row = connection.execute(
            "SELECT md5, sha1, sha256, read_size, media_type, state, content FROM entries WHERE locator = ?", [locator]
        ).fetchone()
        if row is None or row[2] is None:
            reason = "lists no entry" if row is None else "has no digest of"
            raise UsageError(f"the examination {folder} {reason} {locator}")
        if not row[3]:
            raise UsageError(f"{locator} is of no bytes; its digest names every empty file")
        values = {name: value for name, value in zip(_DIGESTS, row[:3], strict=True) if value}
        for quality, pdq in connection.execute(
            "SELECT pdq_quality, pdq FROM media WHERE locator = ? AND frame = 0 AND at_ms IS NULL", [locator]
        ).fetchall():
            if pdq and quality >= manifest["plan"]["quality_floor"]:
                values["pdq"] = pdq
        statement = Statement(
            category=category,
            values=values,
            size=row[3],
            notes={"media type": row[4]} if row[4] else {},
        )
        yield (
            statement,
            {
                "exhibit": manifest["exhibit"],
                "examination": manifest["examination"],
                "facts_digest": manifest["facts_digest"],
                "locator": locator,
                "state": row[5],
                "content": row[6],
            },
        )


def write_set(
    target: Path,
    entries: Iterable[tuple[Statement, Mapping[str, Any]]],
    *,
    by: str,
    reason: str,
    onto: CompiledSet | None = None,
) -> int:
    """Write a set in Kaval's own form, behind the entries of an earlier version; return how many entries it has.

    Raises:
        UsageError: Person or reason are missing, or nothing is to be written.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("a set that is made here names the person who makes it, and why")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    count = 0
    with target.open("wb") as file:
        file.write(header_line({"by": by, "at": at, "why": reason}))
        if onto is not None:
            for statement in onto.every_statement():
                file.write(entry_line(statement))
                count += 1
        before = count
        for statement, provenance in entries:
            file.write(entry_line(statement, {**provenance, "taken in by": by, "taken in at": at, "why": reason}))
            count += 1
    if count == before:
        target.unlink()
        raise UsageError("there is nothing to make a set from")
    return count
