"""Signatures: fixed bytes at fixed places, and what they say; the shared notation of the families.

A family is a table of ``Signature``; what needs more than fixed bytes has a ``check`` on the head.
Sources: the specifications of the formats themselves (ITU-T T.81, PNG, GIF89a, RIFF, ISO/IEC 14496-12,
APPNOTE.TXT, SQLite file format, ...), as far as their first bytes go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kaval.filetypes import FileType


@dataclass(frozen=True, slots=True)
class Signature:
    """``pattern`` at byte ``offset`` means ``type``, where ``check`` (head, size) agrees."""

    pattern: bytes
    type: FileType
    offset: int = 0
    check: Callable[[bytes, int], bool] | None = None

    def fits(self, head: bytes, size: int) -> bool:
        """Whether a stream of ``size`` bytes that starts with ``head`` carries this signature."""
        if not head.startswith(self.pattern, self.offset):
            return False
        return self.check is None or self.check(head, size)


def first_fit(signatures: tuple[Signature, ...], head: bytes, size: int) -> FileType | None:
    """Return the type of the first signature that fits."""
    for signature in signatures:
        if signature.fits(head, size):
            return signature.type
    return None


def kind(media_type: str, title: str, *extensions: str) -> FileType:
    """Return a type; extensions in lower case, without the dot."""
    return FileType(media_type=media_type, extensions=extensions, title=title)


def types_of(signatures: tuple[Signature, ...], *more: FileType) -> tuple[FileType, ...]:
    """Return every type of a table once, in its order."""
    return tuple(dict.fromkeys([*(signature.type for signature in signatures), *more]))
