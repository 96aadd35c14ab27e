"""UDF on optical discs, camcorder media and sticks: plain, sparable and metadata partitions.

ECMA-167 and OSTA *Universal Disk Format* 1.02 to 2.60. Names marked as deleted are listed. Not read: virtual partitions
of write-once discs (VAT), named streams, extended attributes. A disc that carries ISO 9660 as well is read as that, and
what its UDF alone leads to is listed there.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.udf.tree import UdfTree
from kaval.filesystems.udf.volume import has_sequence, read_volume


@FILESYSTEMS.register
class UdfFileSystem:
    """UDF on DVDs, Blu-ray discs, camcorders."""

    name: ClassVar[str] = "udf"
    title: ClassVar[str] = "UDF"
    rank: ClassVar[int] = 55
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource) -> bool:
        """Say whether the volume recognition sequence names a UDF."""
        return has_sequence(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree."""
        return UdfTree(source, read_volume(source))
