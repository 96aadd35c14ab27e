"""VMDK images, by VMware's Virtual Disk Format 5.0: descriptors with their extents, sparse and stream-optimised files.

Also read: COW extents of ESX (``COWD``), and space-efficient ones as QEMU's block/vmdk.c describes them. Differencing
disks are read with their parent beside them. Raw device mappings hold no bytes of the disk and are told.
"""

from __future__ import annotations

import re
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.sources import ByteSource

MAGICS = (b"KDMV", b"COWD", b"\xbe\xba\xfe\xca")
DESCRIPTOR = re.compile(rb"\s*# ?disk descriptorfile", re.IGNORECASE)


@CONTAINERS.register
class Vmdk:
    """A VMDK image."""

    name: ClassVar[str] = "vmdk"
    title: ClassVar[str] = "VMDK image"
    rank: ClassVar[int] = 120
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        head = source.read_at(0, 64)
        if head[:4] == MAGICS[2]:
            return head[4:8] == bytes(4)
        return head[:4] in MAGICS or DESCRIPTOR.match(head) is not None

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        from kaval.containers.vmdk.image import open_image

        return open_image(source, name, siblings)
