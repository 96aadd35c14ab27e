"""CSV: a row for each entry, for anyone."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from kaval.knownsets import SetInfo
from kaval.knownsets.exports import SET_EXPORTS, Written
from kaval.knownsets.statements import Statement

VALUES = ("md5", "sha1", "sha256", "pdq", "photodna")
FIELDS = ("category", "id", "source", "size", "series", "tags", "comments", "provenance")


@SET_EXPORTS.register
class Tables:
    """Writes CSV, UTF-8, with titles that are read again."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV table"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a row for each entry; columns that would stay empty throughout are written all the same."""
        count = 0
        with target.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*VALUES, *FIELDS])
            for entry in entries:
                count += 1
                writer.writerow([*(entry.values.get(name, "") for name in VALUES), *_said(entry)])
        return Written(entries=count, left_out=Counter())


def _said(entry: Statement) -> Iterator[str]:
    yield entry.category or ""
    yield entry.identity or ""
    yield entry.source or ""
    yield "" if entry.size is None else str(entry.size)
    for name in ("series", "tags", "comments"):
        yield _inert(entry.notes.get(name, ""))
    yield _inert("; ".join(f"{name}: {text}" for name, text in entry.notes.items() if name.startswith("provenance")))


def _inert(text: str) -> str:
    """Return a text of somebody else so that a spreadsheet does not take it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
