"""SquashFS 4: the packed read-only file system of Linux appliances, routers and live media.

Read with dissect.squashfs, bounded here: blocks unpack to no more than their size, tables stay inside the image. Times
are seconds and of one kind (modified). Extended attributes and versions before 4 are not read.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS


@FILESYSTEMS.register
class Squashfs:
    """Lists a SquashFS image."""

    name: ClassVar[str] = "squashfs"
    title: ClassVar[str] = "SquashFS"
    rank: ClassVar[int] = 43
    requires: ClassVar[tuple[str, ...]] = ("dissect.squashfs",)

    def probe(self, source: ByteSource) -> bool:
        return source.read_at(0, 4) in (b"hsqs", b"sqsh")

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree.

        Raises:
            CorruptStructureError: The superblock or its tables make no sense.
            UnsupportedError: The version is older than 4, or the compression is unknown.
        """
        from kaval.filesystems.squashfs.tree import open_tree

        return open_tree(source)
