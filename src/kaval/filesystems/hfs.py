"""HFS+ and HFSX, read by The Sleuth Kit; what is free is told by the allocation file.

Apple Technical Note TN1150. Deleted entries are not listed: the catalogue is a balanced tree that closes its gaps. Not
read: plain HFS, and files compressed with LZFSE.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.errors import CorruptStructureError
from kaval.core.keys import Keyring
from kaval.core.records import Extent
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.clusters import ClusterSet
from kaval.filesystems.sleuthkit import Clock, SleuthkitVolume
from kaval.filesystems.sleuthkit.tree import Customs, SleuthkitTree

HEADER_OFFSET = 1024
ALLOCATION_FILE = 6
_CUSTOMS = Customs(
    content_types=frozenset({1, 4352}),
    named_types={4353: "rsrc", 4354: "attribute"},
    system_names=frozenset(
        {b"$ExtentsFile", b"$CatalogFile", b"$BadBlockFile", b"$AllocationFile", b"$StartupFile", b"$AttributesFile"}
    ),
)


@FILESYSTEMS.register
class HfsFileSystem:
    """HFS+ of Mac OS X and older iPhones."""

    name: ClassVar[str] = "hfs"
    title: ClassVar[str] = "HFS+ and HFSX"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ("pytsk3", "numpy")

    def probe(self, source: ByteSource) -> bool:
        """Say whether a volume header, or an HFS wrapper around one, stands where it must."""
        header = source.read_at(HEADER_OFFSET, 162)
        if header[:4] in (b"H+\x00\x04", b"HX\x00\x05"):
            return True
        return header[:2] == b"BD" and header[124:126] in (b"H+", b"HX")

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree."""
        volume = SleuthkitVolume(source, "HFS+", Clock(zone="utc", resolution="1s"))
        header = source.read_at(HEADER_OFFSET, 162)
        facts = {
            "type": "HFS wrapper" if header[:2] == b"BD" else header[:2].decode("ascii"),
            "block size": str(volume.block_size),
            "blocks": str(volume.block_count),
            "last mounted by": header[8:12].decode("ascii", "replace"),
        }
        return SleuthkitTree(volume, _CUSTOMS, facts, partial(_unallocated, volume))


def _unallocated(volume: SleuthkitVolume) -> Iterator[Extent]:
    """Yield the extents the allocation file calls free: one bit a block, the highest first (TN1150)."""
    import numpy as np

    inode = volume.inode(ALLOCATION_FILE)
    stored = next((stored for stored in volume.streams(inode) if stored.extents is not None), None)
    if stored is None or stored.extents is None:
        raise CorruptStructureError("HFS+ allocation file", "it has no extents")
    size = (volume.block_count + 7) // 8
    if stored.size < size:
        raise CorruptStructureError("HFS+ allocation file", f"it has {stored.size} of {size} bytes")
    content = ExtentSource(volume.source, stored.extents, stored.size).read_at(0, size)
    bits = np.packbits(np.unpackbits(np.frombuffer(content, np.uint8)), bitorder="little").tobytes()
    for first, count in ClusterSet(volume.block_count, bits).inverted().runs():
        yield Extent(offset=first * volume.block_size, length=count * volume.block_size)
