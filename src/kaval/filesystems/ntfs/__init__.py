"""NTFS, read from its master file table: every record, living or deleted, with all its names and streams.

By the layout the linux-ntfs project documented and ``libfsntfs`` describes (Microsoft published none). The table is
read once from its first record to its last, so that damage to an index hides nothing. Not read: names left over in the
slack of directory indexes, the journals ``$LogFile`` and ``$UsnJrnl`` (they are listed as files), EFS keys, files
compressed by the overlay of Windows 10 (WOF) with LZX.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.copies import another_starts
from kaval.filesystems.ntfs.boot import has_copy, read_boot, starts_ntfs
from kaval.filesystems.ntfs.tree import NtfsTree


@FILESYSTEMS.register
class NtfsFileSystem:
    """NTFS of Windows NT and later."""

    name: ClassVar[str] = "ntfs"
    title: ClassVar[str] = "NTFS"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ("numpy",)

    def probe(self, source: ByteSource) -> bool:
        """Say whether an NTFS starts here, or did before its boot sector was damaged."""
        return starts_ntfs(source) or (has_copy(source) and not another_starts(source, self.name))

    def starts(self, source: ByteSource) -> bool:
        """Say whether the first boot sector is that of an NTFS."""
        return starts_ntfs(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree; raises where neither boot sector nor the first record of the table can be used."""
        return NtfsTree(source, read_boot(source))
