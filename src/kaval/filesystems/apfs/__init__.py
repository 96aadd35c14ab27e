"""APFS: the file system of Apple's computers and phones since 2017; several volumes share one container.

Trees, extents and the space manager are read by our own code after Apple's *Apple File System Reference* (2020-06-22);
keybags are unwrapped and compressed files unpacked with dissect.apfs. Not read, and told so: volumes whose keys lie in
hardware, files with keys of their own (iOS), the second device of a Fusion drive, the contents of snapshots.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS

_MAGIC_OFFSET = 32


@FILESYSTEMS.register
class Apfs:
    """Lists all volumes of an APFS container as one tree, each below its name."""

    name: ClassVar[str] = "apfs"
    title: ClassVar[str] = "Apple File System"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ("numpy", "dissect.apfs")

    def probe(self, source: ByteSource) -> bool:
        return source.read_at(_MAGIC_OFFSET, 4) == b"NXSB"

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree of a container; a volume that stays locked is told by a notice.

        Raises:
            LockedError: Every volume is encrypted and nothing on the keyring opens one.
            CorruptStructureError: No superblock of the container makes sense.
        """
        from kaval.filesystems.apfs.tree import open_tree

        return open_tree(source, keyring)
