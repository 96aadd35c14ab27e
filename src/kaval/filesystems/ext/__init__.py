"""ext2, ext3 and ext4: the file systems of Linux, and of Android until F2FS.

Read by our own code after the kernel's *ext4 Data Structures and Algorithms* (Documentation/filesystems/ext4).
Not read, and told so: contents under fscrypt, compressed files of ext2 (``e2compr``), an external journal.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.ext.superblock import find_superblock


@FILESYSTEMS.register
class Ext:
    """Lists ext2, ext3 and ext4; asked late, since copies of an old superblock outlive a new file system."""

    name: ClassVar[str] = "ext"
    title: ClassVar[str] = "ext2, ext3, ext4"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ("numpy",)

    def probe(self, source: ByteSource) -> bool:
        return find_superblock(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree as it stood after the last commit of the journal.

        Raises:
            CorruptStructureError: Neither the superblock nor a copy of it makes sense.
            UnsupportedError: The bytes are an external journal.
        """
        from kaval.filesystems.ext.tree import open_tree

        return open_tree(source)
