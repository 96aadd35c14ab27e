"""VHDX images, by [MS-VHDX]: fixed, dynamic, differencing; a log that was not yet written back is applied in memory."""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.sources import ByteSource


@CONTAINERS.register
class Vhdx:
    """A VHDX image."""

    name: ClassVar[str] = "vhdx"
    title: ClassVar[str] = "VHDX image"
    rank: ClassVar[int] = 140
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.read_at(0, 8) == b"vhdxfile"

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        from kaval.containers.vhdx.image import open_image

        return open_image(source, name, siblings)
