"""Deleted files of ext3 and ext4, brought back from the journal.

The reading is done by the file system's own reader, which knows inodes, maps and directories; here is the door to
it. What the journal no longer holds is not found; a file that lives on under another name is never called deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Protocol, runtime_checkable

from kaval.core.contracts import Tree
from kaval.core.records import Entry, Notice
from kaval.core.sources import ByteSource
from kaval.recovery import RECOVERIES


@runtime_checkable
class JournalledTree(Protocol):
    """A tree that can tell what its journal remembers."""

    def deleted_in_journal(self) -> Iterator[Entry | Notice]:
        """Yield deleted files, one entry a file; addresses start with ``journal-``."""
        ...


@RECOVERIES.register
class ExtJournal:
    """Old copies of inode tables, maps and directories in jbd2 give names, times and extents."""

    name: ClassVar[str] = "ext-journal"
    title: ClassVar[str] = "deleted files of ext3 and ext4 from the journal"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    layers: ClassVar[tuple[str, ...]] = ("ext",)

    def recover(self, source: ByteSource, tree: Tree) -> Iterator[Entry | Notice]:
        """Yield what is found beyond ``tree.entries()``, which is listed first where that was not done."""
        if isinstance(tree, JournalledTree):
            yield from tree.deleted_in_journal()
