"""The names of one directory, block by block, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.filesystems.ext.attributes import inline_ranges
from kaval.filesystems.ext.directories import Names, read_names
from kaval.filesystems.ext.inodes import CASEFOLD_FLAG, ENCRYPT_FLAG, INDEX_FLAG, INLINE_DATA_FLAG, Inode
from kaval.filesystems.ext.superblock import INCOMPAT_FILETYPE
from kaval.filesystems.ext.volume import Volume

_INLINE_PARENT = 4


class Part(NamedTuple):
    """The names of one block of a directory; ``block`` is ``None`` where they are kept in the inode."""

    block: int | None
    names: Names


class DirectoryReader:
    """Reads the names of directories of one volume."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.has_types = bool(volume.superblock.incompat & INCOMPAT_FILETYPE)
        self._limit = len(volume.inodes)

    def names(self, inode: Inode) -> Iterator[Part | Notice]:
        """Yield the names of each part of a directory, and a notice for what cannot be read of it."""
        if inode.flags & INLINE_DATA_FLAG:
            yield from self._inline(inode)
            return
        layout = self._volume.map(inode)
        if layout.problem is not None:
            yield _damaged(inode.number, f"the directory is not whole: {layout.problem}")
        block_size = self._volume.superblock.block_size
        both = ENCRYPT_FLAG | CASEFOLD_FLAG
        hash_size = 8 if inode.flags & both == both else 0
        for number, block in enumerate(self._volume.directory_blocks(inode, layout)):
            offset = block * block_size
            try:
                content = self._volume.medium.read_block(block)
            except (CorruptStructureError, UnreadableError) as error:
                yield Notice(code=NoticeCode.UNREADABLE, message=str(error), address=str(inode.number), offset=offset)
                continue
            slack = number > 0 or not inode.flags & INDEX_FLAG
            names = self.read(content, hash_size=hash_size, slack=slack)
            yield Part(block, names)
            if names.problem is not None:
                yield _damaged(inode.number, names.problem, offset + names.problem_offset)

    def read(self, block: bytes, *, start: int = 0, hash_size: int = 0, slack: bool = True) -> Names:
        """Return the names in a block that may be one of a directory."""
        return read_names(
            block, has_types=self.has_types, inode_limit=self._limit, start=start, hash_size=hash_size, slack=slack
        )

    def _inline(self, inode: Inode) -> Iterator[Part | Notice]:
        for number, (start, length) in enumerate(inline_ranges(inode)):
            skipped = 0 if number else _INLINE_PARENT
            names = self.read(inode.raw[start : start + length], start=skipped)
            yield Part(None, names)
            if names.problem is not None:
                yield _damaged(inode.number, names.problem)


def _damaged(number: int, message: str, offset: int | None = None) -> Notice:
    return Notice(
        code=NoticeCode.DAMAGED, message=message, address=str(number), offset=offset, structure="ext directory"
    )
