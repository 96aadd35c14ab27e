"""Expert Witness images: E01, S01 and their segments (EWF version 1), Ex01 (version 2).

Read by the format description of libewf (Expert Witness Compression Format, and version 2 of it). Bytes come from
chunks, each with its own checksum: one that does not match is unreadable, never zeros. What the acquisition itself
could not read (error2) is told as notices. Logical evidence files (L01, Lx01) and encrypted Ex01 are not read here.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.sources import ByteSource

SIGNATURE_1 = b"EVF\x09\x0d\x0a\xff\x00"
SIGNATURE_2 = b"EVF2\x0d\x0a\x81\x00"


@CONTAINERS.register
class Ewf:
    """An EWF image: all its segments as one disk."""

    name: ClassVar[str] = "ewf"
    title: ClassVar[str] = "Expert Witness image (E01, S01, Ex01)"
    rank: ClassVar[int] = 100
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.read_at(0, 8) in (SIGNATURE_1, SIGNATURE_2)

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        from kaval.containers.ewf.image import open_image

        return open_image(source, name, siblings)
