"""XFS: the file system of Linux servers and of many network storage boxes.

Read by our own code after *XFS Algorithms & Data Structures* (3rd edition). Of deleted files the kernel forgets name
and size, not where they lay: both are put together again, and what is concluded is called assumed. Not read: the log
(changes of the last seconds before a crash), the realtime device, directories of version 1.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS


@FILESYSTEMS.register
class Xfs:
    """Lists XFS of version 4 and 5, with what is left of deleted files."""

    name: ClassVar[str] = "xfs"
    title: ClassVar[str] = "XFS"
    rank: ClassVar[int] = 42
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource) -> bool:
        return source.read_at(0, 4) == b"XFSB"

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree of the data device.

        Raises:
            CorruptStructureError: The superblock makes no sense.
        """
        from kaval.filesystems.xfs.tree import open_tree

        return open_tree(source)
