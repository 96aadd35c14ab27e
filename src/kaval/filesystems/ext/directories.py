"""Directory blocks: the names in them and in their slack (ext4 Data Structures, "Directory Entries")."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import NamedTuple

from kaval.core.records import EntryKind

_ENTRY = struct.Struct("<IHBB")
_INDEX_INFO = struct.Struct("<IBBBB")

TYPE_KINDS = {
    1: EntryKind.FILE,
    2: EntryKind.DIRECTORY,
    3: EntryKind.DEVICE,
    4: EntryKind.DEVICE,
    5: EntryKind.FIFO,
    6: EntryKind.SOCKET,
    7: EntryKind.SYMLINK,
}


class Name(NamedTuple):
    """One name in a directory block; ``offset`` is its place in the block, ``file_type`` 0 where none is stored."""

    inode: int
    name: bytes
    file_type: int
    offset: int


class Names(NamedTuple):
    """The names of a block: in use, in slack; ``problem`` says why and ``problem_offset`` where reading ended early."""

    live: list[Name]
    slack: list[Name]
    problem: str | None = None
    problem_offset: int = 0


def read_names(
    block: bytes, *, has_types: bool, inode_limit: int, start: int = 0, hash_size: int = 0, slack: bool = True
) -> Names:
    """Return the names in a directory block, ``.`` and ``..`` included.

    ``hash_size`` is what entries of a directory that is both encrypted and casefolded carry behind the name. Slack
    is not searched in blocks of the hash tree, where it is full of hashes.
    """
    live: list[Name] = []
    left: list[Name] = []
    size = len(block)
    searched = slack and not (start == 0 and is_index_block(block))
    position = start
    while position + 8 <= size:
        inode, length, name_length, file_type = _ENTRY.unpack_from(block, position)
        if length < 8 or length & 3:
            if size == 65536 and length in (0, 65535):
                length = 65536 - position
            else:
                return Names(live, left, f"an entry claims a length of {length} bytes", position)
        if not has_types:
            name_length |= file_type << 8
            file_type = 0
        end = position + length
        if end > size or (inode and name_length + 8 > length):
            return Names(live, left, f"an entry of {length} bytes with a name of {name_length} does not fit", position)
        used = position
        if inode:
            used = (position + 8 + name_length + hash_size + 3) & ~3
            name = block[position + 8 : position + 8 + name_length]
            live.append(Name(inode, name, file_type & 0xF, position))
        elif file_type == 0xDE and length == 12 and not name_length:
            break
        else:
            used = position + 12
            if (
                searched
                and 0 < name_length <= length - 8
                and not {0, 0x2F}.intersection(block[position + 8 : position + 8 + name_length])
            ):
                left.append(Name(0, block[position + 8 : position + 8 + name_length], file_type & 0xF, position))
                used = (position + 8 + name_length + 3) & ~3
        if searched and end - used >= 12 and block.count(0, used, end) < end - used:
            left += _slack_names(block, used, end, has_types, inode_limit, hash_size)
        position = end
    return Names(live, left)


def _slack_names(
    block: bytes, position: int, end: int, has_types: bool, inode_limit: int, hash_size: int
) -> list[Name]:
    """Return what still looks like an entry between the used part of one entry and the start of the next."""
    found: list[Name] = []
    while position + 12 <= end:
        if block[position] == 0:
            zeros = end - position - len(block[position:end].lstrip(b"\0"))
            position += zeros & ~3
            if position + 12 > end:
                break
        inode, length, name_length, file_type = _ENTRY.unpack_from(block, position)
        if not has_types:
            name_length |= file_type << 8
            file_type = 0
        used = 8 + name_length + hash_size
        if (
            0 < inode <= inode_limit
            and 0 < name_length <= 255
            and file_type & 0xF <= 7
            and length >= used
            and not length & 3
            and position + used <= end
        ):
            name = block[position + 8 : position + 8 + name_length]
            if is_clean(name):
                if name not in (b".", b".."):
                    found.append(Name(inode, name, file_type & 0xF, position))
                position = (position + used + 3) & ~3
                continue
        position += 4
    return found


class UsedRanges:
    """Which parts of a directory block hold entries in use, as the chain of their lengths tells."""

    def __init__(self, block: bytes, *, has_types: bool) -> None:
        halves = struct.unpack(f"<{len(block) // 2}H", block)
        self._block = block
        self._has_types = has_types
        self._starts: list[int] = []
        position, size = 0, len(block)
        while position + 8 <= size:
            self._starts.append(position)
            length = halves[(position >> 1) + 2]
            if length < 8 or length & 3:
                break
            position += length
        self._known = frozenset(self._starts)

    def begins_at(self, offset: int) -> bool:
        """Say whether an entry begins there."""
        return offset in self._known

    def cover(self, offset: int) -> bool:
        """Say whether a byte belongs to what an entry in use needs, not to its slack."""
        start = self._starts[bisect_right(self._starts, offset) - 1]
        inode, _, name_length, file_type = _ENTRY.unpack_from(self._block, start)
        if not self._has_types:
            name_length |= file_type << 8
        return offset < start + 8 + (name_length if inode else 0)


def name_at(block: bytes, offset: int, *, has_types: bool) -> Name | None:
    """Return the name of what looks like an entry at an offset, ``.`` and ``..`` left out."""
    inode, length, name_length, file_type = _ENTRY.unpack_from(block, offset)
    if not has_types:
        name_length |= file_type << 8
        file_type = 0
    end = offset + 8 + name_length
    if not 0 < name_length <= 255 or file_type & 0xF > 7 or length < 8 + name_length or length & 3 or end > len(block):
        return None
    name = block[offset + 8 : end]
    return None if name in (b".", b"..") else Name(inode, name, file_type & 0xF, offset)


def is_clean(name: bytes) -> bool:
    """Say whether bytes can be a name that is not encrypted."""
    return b"\0" not in name and b"/" not in name


def is_index_block(block: bytes) -> bool:
    """Say whether a block is the root or an inner node of a directory's hash tree ("Hash Tree Directories")."""
    if len(block) < 40:
        return False
    inode, length, name_length, _ = _ENTRY.unpack_from(block, 0)
    if inode == 0:
        limit, count = struct.unpack_from("<HH", block, 8)
        full = (len(block) - 8) // 8
        whole = length == len(block) & 0xFFFF and name_length == 0
        return bool(whole and full - 1 <= limit <= full and 0 < count <= limit)
    if block[8:10] != b".\0" or block[20:23] != b"..\0" or length != 12:
        return False
    reserved, version, info_length, levels, _ = _INDEX_INFO.unpack_from(block, 24)
    return bool(reserved == 0 and version <= 6 and info_length == 8 and levels <= 3)


def self_number(block: bytes) -> int | None:
    """Return the inode of the directory whose first block this is, by its entry ``.``; ``None`` if it is none."""
    if len(block) < 24 or block[6] != 1 or block[8:9] != b"." or block[4:6] != b"\x0c\0":
        return None
    if block[12 + 6] != 2 or block[20:22] != b"..":
        return None
    return int.from_bytes(block[:4], "little")
