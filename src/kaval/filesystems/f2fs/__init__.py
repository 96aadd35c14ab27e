"""F2FS: the file system of the user data of current Android phones.

Read by our own code after the kernel's ``include/linux/f2fs_fs.h`` and Documentation/filesystems/f2fs.rst. A deleted
file leaves its old inode in a segment of nodes until that is cleaned; such inodes are found and told. Not read, and
told so: contents and names under fscrypt, compressed files, further devices, what was synced after the last checkpoint.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS

SUPERBLOCK_OFFSETS = (0x400, 0x1400)
MAGIC = b"\x10\x20\xf5\xf2"


@FILESYSTEMS.register
class F2fs:
    """Lists F2FS, with the deleted files whose inodes are still there."""

    name: ClassVar[str] = "f2fs"
    title: ClassVar[str] = "Flash-Friendly File System"
    rank: ClassVar[int] = 44
    requires: ClassVar[tuple[str, ...]] = ("numpy",)

    def probe(self, source: ByteSource) -> bool:
        return any(source.read_at(offset, 4) == MAGIC for offset in SUPERBLOCK_OFFSETS)

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree as of the last checkpoint.

        Raises:
            CorruptStructureError: Neither superblock, or neither checkpoint, makes sense.
        """
        from kaval.filesystems.f2fs.tree import open_tree

        return open_tree(source)
