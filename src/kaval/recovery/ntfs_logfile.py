"""Deleted files of NTFS from the transaction log: names, times, and the runs of files whose record was used again.

With the runs the content comes back as far as nobody has its clusters by now. Not read: what was resident in a record,
streams with a name, compressed and encrypted content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.records import Entry, Notice
from kaval.core.sources import ByteSource
from kaval.recovery import RECOVERIES
from kaval.recovery.ntfs.history import recovered
from kaval.recovery.ntfs.traces import LOG


@RECOVERIES.register
class NtfsLogfile:
    """Earlier file records and index entries in ``$LogFile`` whose file the table no longer has."""

    name: ClassVar[str] = LOG
    title: ClassVar[str] = "deleted files of NTFS from the transaction log"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    layers: ClassVar[tuple[str, ...]] = ("ntfs",)

    def recover(self, source: ByteSource, tree: Tree) -> Iterator[Entry | Notice]:
        """Yield one entry a file whose content or times the log tells best; addresses start with ``log-``."""
        yield from recovered(source, tree, LOG)
