"""What a ZIP is used for, told by the names of its first members and, last, by its own name."""

from __future__ import annotations

from collections.abc import Iterable

_BY_MEMBER = (
    ("word/document.xml", "Word document"),
    ("xl/workbook.xml", "Excel workbook"),
    ("ppt/presentation.xml", "PowerPoint presentation"),
    ("META-INF/container.xml", "EPUB book"),
    ("AndroidManifest.xml", "Android package"),
    ("content.xml", "OpenDocument"),
    ("META-INF/MANIFEST.MF", "Java archive"),
    ("report.xml", "Report of a phone extraction (UFDR)"),
)
_BY_PREFIX = (
    ("word/", "Word document"),
    ("xl/", "Excel workbook"),
    ("ppt/", "PowerPoint presentation"),
    ("private/var/", "File system of a phone (iOS)"),
    ("filesystem1/private/var/", "File system of a phone (iOS)"),
    ("filesystem2/", "File system of a phone (iOS)"),
    ("data/data/", "File system of a phone (Android)"),
    ("data/app/", "File system of a phone (Android)"),
    ("Dump/data/", "File system of a phone (Android)"),
)
_BY_EXTENSION = {
    "ufdr": "Report of a phone extraction (UFDR)",
    "ufdx": "Report of a phone extraction (UFDX)",
    "clbx": "Extraction of a phone (CLBX)",
}


def kind_of_archive(members: Iterable[str], name: str) -> str:
    """Return what the archive is, in words."""
    names = [member.replace("\\", "/").lstrip("/") for member in members]
    present = frozenset(names)
    by_extension = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    if by_extension:
        return by_extension
    for member, kind in _BY_MEMBER:
        if member in present:
            return kind
    for prefix, kind in _BY_PREFIX:
        if any(member.startswith(prefix) for member in names):
            return kind
    return "ZIP archive"
