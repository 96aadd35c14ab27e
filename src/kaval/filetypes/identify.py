"""Identification: the type of a stream over all families, and whether its name says otherwise."""

from __future__ import annotations

from functools import cache

from kaval.filetypes import FILETYPES, FileType, FileTypeFamily
from kaval.filetypes.archives import APK, DOCX, EPUB, JAR, ODP, ODS, ODT, PPTX, XLSX, ZIP

_PACKED = frozenset(file_type.media_type for file_type in (ZIP, JAR, APK, EPUB, DOCX, XLSX, PPTX, ODT, ODS, ODP))
_COMPATIBLE = (
    frozenset({"video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"}),
    _PACKED,
    frozenset({"video/x-matroska", "video/webm"}),
    frozenset({"image/heic", "image/avif"}),
    frozenset({"text/plain", "text/html", "application/xml", "application/json", "message/rfc822", "image/svg+xml"}),
)
"""Types whose extensions are used for one another by ordinary software."""


@cache
def _families() -> tuple[FileTypeFamily, ...]:
    return tuple(FILETYPES.available())


@cache
def _types_by_extension() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for family in _families():
        for file_type in family.types:
            for extension in file_type.extensions:
                found.setdefault(extension, set()).add(file_type.media_type)
    return {extension: frozenset(types) for extension, types in found.items()}


def identify(head: bytes, size: int) -> FileType | None:
    """Return the type of a stream of ``size`` bytes that starts with ``head``; ``None`` where none is recognised."""
    for family in _families():
        found = family.identify(head, size)
        if found is not None:
            return found
    return None


def mismatch(file_type: FileType, name: str) -> bool:
    """Return whether a name carries the extension of another type; an unknown extension says nothing."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    expected = _types_by_extension().get(extension)
    if expected is None or file_type.media_type in expected or extension in file_type.extensions:
        return False
    return not any(file_type.media_type in group and group & expected for group in _COMPATIBLE)
