"""Btrfs: subvolumes and snapshots of one file system over one or more devices.

Trees and extents are read by our own code after the *On-disk Format* pages of btrfs.readthedocs.io; compressed extents
are unpacked with dissect.btrfs. Not read, and told so: what lies on other devices of the file system, and the log tree
of a crash (its last seconds).
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS

SUPERBLOCK_OFFSETS = (0x10000, 0x4000000, 0x4000000000)
_MAGIC_OFFSET = 64


@FILESYSTEMS.register
class Btrfs:
    """Lists all subvolumes and snapshots as one tree."""

    name: ClassVar[str] = "btrfs"
    title: ClassVar[str] = "Btrfs"
    rank: ClassVar[int] = 41
    requires: ClassVar[tuple[str, ...]] = ("numpy", "dissect.btrfs")

    def probe(self, source: ByteSource) -> bool:
        return source.read_at(SUPERBLOCK_OFFSETS[0] + _MAGIC_OFFSET, 8) == b"_BHRfS_M"

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree of all subvolumes.

        Raises:
            CorruptStructureError: No superblock, or the trees it names, make sense.
        """
        from kaval.filesystems.btrfs.tree import open_tree

        return open_tree(source)
