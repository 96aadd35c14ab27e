"""PDF by its cross-references (ISO 32000-1, 7.5): ``startxref`` has to lead to a table or stream in the file.

A document may have been added to: each addition ends in its own ``%%EOF``. The last one is taken that still belongs to
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from kaval.core.sources import ByteSource
from kaval.recovery.carvers import CARVERS, Carved, Pattern, broken, complete
from kaval.recovery.carvers.reading import Steps

MEDIA_TYPE, EXTENSION = "application/pdf", "pdf"
MAXIMUM_SIZE = 512 << 20
BLOCK_SIZE = 1 << 20
_OVERLAP = 64
_END = re.compile(rb"startxref[ \r\n\t]+(\d{1,12})[ \r\n\t]+%%EOF(?:\r\n|\n|\r)?")
_HEAD = re.compile(rb"%PDF-[12]\.\d")
_OBJECT = re.compile(rb"\s*\d{1,10}\s+\d{1,5}\s+obj\b")
_MORE = re.compile(rb"\s*(\d{1,10}\s+\d{1,5}\s+obj\b|xref\b|%[^%])")
_ROWS = re.compile(rb"(\d{10}) (\d{5}) ([nf])")


@CARVERS.register
class Pdf:
    """PDF documents."""

    name: ClassVar[str] = "carve-pdf"
    title: ClassVar[str] = "PDF documents by their cross-references"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    patterns: ClassVar[tuple[Pattern, ...]] = (Pattern(b"%PDF-"),)

    def carve(self, view: ByteSource) -> Carved | None:
        steps = Steps(view)
        if not _HEAD.match(steps.take(0, 16)):
            return None
        found = None
        for offset, place in _ends(steps):
            if place == 0 and found is None:
                continue
            if not _leads_somewhere(steps, place, offset):
                if found is None:
                    return broken(offset, "its cross-references lead nowhere", MEDIA_TYPE, EXTENSION)
                break
            found = offset
            if not _MORE.match(steps.take(offset, 64)):
                break
        if found is None:
            return broken(_reach(steps), "its end is missing", MEDIA_TYPE, EXTENSION)
        return complete(found, MEDIA_TYPE, EXTENSION)


def _ends(steps: Steps) -> Iterator[tuple[int, int]]:
    """Yield, for each end of file in a view, where it ends and the place its ``startxref`` names."""
    offset, carried = 0, b""
    while offset < min(steps.size, MAXIMUM_SIZE):
        block = steps.view.read_at(offset, BLOCK_SIZE)
        if not block:
            return
        text = carried + block
        base = offset - len(carried)
        for match in _END.finditer(text):
            if match.end() > len(carried):
                yield base + match.end(), int(match[1])
        if offset == 0 and not _OBJECT.search(text[:4096]) and b"obj" not in text[:8192]:
            return
        carried = text[-_OVERLAP:]
        offset += len(block)


def _leads_somewhere(steps: Steps, place: int, end: int) -> bool:
    """Whether a cross-reference stands at a place, and the objects it names stand where it says."""
    if not 0 < place < end:
        return False
    head = steps.view.read_at(place, 4096)
    if _OBJECT.match(head):
        return True
    if not head.lstrip().startswith(b"xref"):
        return False
    wrong = right = 0
    for row in list(_ROWS.finditer(head))[:64]:
        offset = int(row[1])
        if row[3] == b"n" and offset:
            stands = offset < end and _OBJECT.match(steps.view.read_at(offset, 32)) is not None
            right, wrong = right + stands, wrong + (not stands)
    return (right > 0 and wrong == 0) or right + wrong == 0


def _reach(steps: Steps) -> int:
    """Return how far a document without an end is told: its first block."""
    return min(steps.size, BLOCK_SIZE)
