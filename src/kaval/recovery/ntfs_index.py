"""Deleted files of NTFS by what directory indexes still hold of them: name, directory, times, size; no content.

Looked at are the slack of index blocks and of file records, and blocks an index has given up. Not looked at: blocks of
directories whose record is gone as well, which would have to be searched for in all unallocated clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.records import Entry, Notice
from kaval.core.sources import ByteSource
from kaval.recovery import RECOVERIES
from kaval.recovery.ntfs.history import recovered
from kaval.recovery.ntfs.traces import INDEX


@RECOVERIES.register
class NtfsIndex:
    """Index entries whose file the table no longer has."""

    name: ClassVar[str] = INDEX
    title: ClassVar[str] = "names and times of deleted files from the directory indexes of NTFS"
    rank: ClassVar[int] = 31
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    layers: ClassVar[tuple[str, ...]] = ("ntfs",)

    def recover(self, source: ByteSource, tree: Tree) -> Iterator[Entry | Notice]:
        """Yield one entry a file, unless the log tells more of it; addresses start with ``index-``."""
        yield from recovered(source, tree, INDEX)
