"""exFAT, with what is left of deleted entries.

By Microsoft's *exFAT File System Specification* 1.00. Times carry the UTC offset they were written with. Not read: the
transaction-safe variant's second bitmap beyond its choice, vendor allocations, access control entries.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.copies import another_starts
from kaval.filesystems.exfat.boot import STRUCTURE, has_copy, read_boot, starts_exfat
from kaval.filesystems.exfat.tree import ExfatTree


@FILESYSTEMS.register
class ExfatFileSystem:
    """exFAT on cards and sticks."""

    name: ClassVar[str] = "exfat"
    title: ClassVar[str] = "exFAT"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ("numpy",)

    def probe(self, source: ByteSource) -> bool:
        """Say whether an exFAT starts here, or did before its boot sector was damaged."""
        return starts_exfat(source) or (has_copy(source) and not another_starts(source, self.name))

    def starts(self, source: ByteSource) -> bool:
        """Say whether the first boot sector is that of an exFAT."""
        return starts_exfat(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree; table and bitmap are read with the first entry."""
        boot = read_boot(source)
        notices = []
        if boot.from_copy:
            message = "the boot sector is damaged; its copy was used"
            notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=0, structure=STRUCTURE))
        end = boot.grid.place(boot.grid.end)
        if end > source.size:
            message = f"the volume has {end} bytes, the image {source.size}: what lies behind is not there"
            notices.append(Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size, structure="exFAT"))
        return ExfatTree(source, boot, tuple(notices))
