"""AFF4 images, by the AFF4 Standard 1.0: a ZIP file with streams of compressed chunks, and maps that lay them out.

What was not acquired (``UnknownData``) and what could not be read then (``UnreadableData``) is unreadable here too, and
told. Where the container stores a digest of each chunk, it is checked whenever the chunk is read. Not read: logical
containers (AFF4-L), encrypted streams, containers from before the standard.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.sources import ByteSource


@CONTAINERS.register
class Aff4:
    """An AFF4 image."""

    name: ClassVar[str] = "aff4"
    title: ClassVar[str] = "AFF4 image"
    rank: ClassVar[int] = 105
    requires: ClassVar[tuple[str, ...]] = ("isal", "pyarrow")

    def probe(self, source: ByteSource, name: str) -> bool:
        from kaval.containers.zip import is_aff4

        head = source.read_at(0, 64)
        return head[:4] == b"PK\x03\x04" and is_aff4(source, head)

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        from kaval.containers.aff4.image import open_image

        return open_image(source, name, siblings)
