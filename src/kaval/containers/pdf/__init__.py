"""PDF documents: the pictures and files embedded in them (ISO 32000-2).

Listed: JPEG and JPEG 2000 pictures as they are stored, 8-bit RGB pictures packed by Flate as PNGs made of their pixels,
embedded files with their names and times; also those of revisions that were replaced and are still in the file. Not
listed: grey, indexed and CMYK pixels, fax and JBIG2 pictures, pictures drawn inline in a page, vector drawings, text.
Of an encrypted document that the empty passphrase opens everything is read; another is told as locked.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.pdf.encryption import is_encrypted, unlock
from kaval.containers.pdf.tree import PdfTree
from kaval.core.contracts import Opened, Siblings
from kaval.core.sources import ByteSource

_MARK = b"%PDF-"
_FARTHEST = 1024


@CONTAINERS.register
class Pdf:
    """PDF document."""

    name: ClassVar[str] = "pdf"
    title: ClassVar[str] = "PDF document"
    rank: ClassVar[int] = 240
    requires: ClassVar[tuple[str, ...]] = ("isal", "pypdf")

    def probe(self, source: ByteSource, name: str) -> bool:
        head = source.read_at(0, _FARTHEST)
        return head.startswith(_MARK) or (_MARK in head and name.lower().endswith(".pdf"))

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        head = source.read_at(0, _FARTHEST)
        place = head.find(_MARK) + len(_MARK)
        facts = {"version": head[place : place + 3].decode("ascii", "replace")}
        locked = is_encrypted(source)
        unlocked = unlock(source) if locked else None
        if locked:
            facts["encrypted"] = "yes, opened by the empty passphrase" if unlocked else "yes"
        tree = PdfTree(source, facts, is_encrypted=locked, unlocked=unlocked)
        return Opened(tree=tree, facts=facts)
