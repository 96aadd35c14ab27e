"""Deleted files of NTFS that the change journal names: directory, name, when made and deleted; no size, no content.

Read is the journal's stream, its newest part; not records of it left in unallocated clusters. Where the slack of an
index tells times and size as well, the file is listed there, with the journal's time of deletion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.records import Entry, Notice
from kaval.core.sources import ByteSource
from kaval.recovery import RECOVERIES
from kaval.recovery.ntfs.history import recovered
from kaval.recovery.ntfs.traces import USN


@RECOVERIES.register
class NtfsUsn:
    """Records of ``$UsnJrnl:$J`` whose file the table no longer has."""

    name: ClassVar[str] = USN
    title: ClassVar[str] = "names of deleted files from the change journal of NTFS"
    rank: ClassVar[int] = 32
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    layers: ClassVar[tuple[str, ...]] = ("ntfs",)

    def recover(self, source: ByteSource, tree: Tree) -> Iterator[Entry | Notice]:
        """Yield one entry a file that only the journal names; addresses start with ``usn-``."""
        yield from recovered(source, tree, USN)
