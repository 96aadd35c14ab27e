"""ISO 9660 with Joliet, Rock Ridge and a UDF beside it: every hierarchy a disc carries, not one chosen among them.

ECMA-119 (ISO 9660), Joliet 1995, SUSP 1.12 and RRIP 1.12. A disc may carry several trees that need not agree; the one
with the richest names is listed whole, of each other what it alone leads to. Not read: zisofs compression, extended
attribute records.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.iso9660.descriptors import read_descriptors
from kaval.filesystems.iso9660.tree import IsoTree
from kaval.filesystems.udf.tree import UdfTree
from kaval.filesystems.udf.volume import has_sequence, read_volume


@FILESYSTEMS.register
class IsoFileSystem:
    """ISO 9660 on optical discs and their images."""

    name: ClassVar[str] = "iso9660"
    title: ClassVar[str] = "ISO 9660 with Joliet and Rock Ridge"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource) -> bool:
        """Say whether a volume descriptor stands in one of the first sectors of the descriptor set."""
        return any(source.read_at(sector * 2048 + 1, 5) == b"CD001" for sector in range(16, 20))

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree."""
        hierarchies, facts, notices = read_descriptors(source)
        beside: Tree | None = None
        if has_sequence(source):
            try:
                beside = UdfTree(source, read_volume(source))
                facts["also"] = "UDF"
            except KavalError as error:
                message = f"the UDF beside it cannot be read: {error}"
                notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="UDF"))
        return IsoTree(source, hierarchies, facts, notices, beside)
