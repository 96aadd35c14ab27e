"""FAT12, FAT16 and FAT32, with what is left of deleted entries.

By Microsoft's *FAT: General Overview of On-Disk Format* 1.03. Chains are followed, never guessed, for living entries;
for deleted ones they are concluded and marked so. Times are local to whoever wrote them. Not read: extended
attributes of OS/2, transaction-safe FAT (a third kind of table some phones used).
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.copies import another_starts
from kaval.filesystems.fat.boot import STRUCTURE, Boot, has_copy, read_boot, starts_fat
from kaval.filesystems.fat.tree import FatTree


@FILESYSTEMS.register
class FatFileSystem:
    """FAT on floppies, cards, sticks."""

    name: ClassVar[str] = "fat"
    title: ClassVar[str] = "FAT12, FAT16, FAT32"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("numpy",)

    def probe(self, source: ByteSource) -> bool:
        """Say whether a FAT starts here, or did before its boot sector was damaged."""
        return starts_fat(source) or (has_copy(source) and not another_starts(source, self.name))

    def starts(self, source: ByteSource) -> bool:
        """Say whether the first boot sector is that of a FAT."""
        return starts_fat(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree; the table is read with the first entry."""
        boot = read_boot(source)
        return FatTree(source, boot, tuple(_notices(source, boot)))


def _notices(source: ByteSource, boot: Boot) -> list[Notice]:
    notices = []
    if boot.from_copy:
        message = "the boot sector is damaged; its copy in sector 6 was used"
        notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=0, structure=STRUCTURE))
    end = boot.grid.place(boot.grid.end)
    if end > source.size:
        message = f"the volume has {end} bytes, the image {source.size}: what lies behind is not there"
        notices.append(Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size, structure="FAT"))
    return notices
