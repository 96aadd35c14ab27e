"""What NTFS has given to files that were not written so far: from the valid to the allocated size of a stream.

Read are unnamed and named streams of files in use, with plain runs; compressed and encrypted ones are left out, and so
is what the file system keeps for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from kaval.core.contracts import Tree
from kaval.core.errors import UnreadableError
from kaval.core.progress import advance
from kaval.core.records import Notice, NoticeCode
from kaval.recovery.ntfs.structures import DATA, IN_USE, REFERENCE_MASK, Attribute, attributes, decode_pairs, restored
from kaval.recovery.ntfs.table import ADDRESS, BATCH_SIZE

FIRST_FILE = 24
ATTRIBUTE_LIST = 0x20
Parts = dict[tuple[int, str], list[Attribute]]


def behind_valid(tree: Tree) -> Iterator[tuple[int, int] | Notice]:
    """Yield the ranges of bytes, first and behind the last, that streams were given and that are not valid.

    Raises:
        KavalError: The file table cannot be opened.
    """
    cluster_size, clusters = int(tree.facts["cluster size"]), int(tree.facts["clusters"])
    spread: Parts = {}
    for number, base, record in _records(tree, cluster_size):
        if isinstance(record, Notice):
            yield record
            continue
        found: Parts = {}
        is_spread = base > 0
        for attribute in attributes(record):
            is_spread |= attribute.kind == ATTRIBUTE_LIST
            if attribute.kind == DATA and not attribute.resident and attribute.plain:
                found.setdefault((base or number, attribute.name), []).append(attribute)
        for key, parts in found.items():
            if is_spread:
                spread.setdefault(key, []).extend(parts)
            else:
                yield from _ranges(parts, cluster_size, clusters)
    for _, parts in sorted(spread.items(), key=lambda item: item[0]):
        yield from _ranges(parts, cluster_size, clusters)


def _records(tree: Tree, cluster_size: int) -> Iterator[tuple[int, int, bytes | Notice]]:
    """Yield number, base and bytes of every record in use, from the first that is a file's."""
    table = tree.open_stream(ADDRESS)
    size = int.from_bytes(table.read_at(28, 4), "little")
    if not 512 <= size <= 65536 or size & (size - 1):
        message = "the first record of the file table does not tell the size of a record"
        yield 0, 0, Notice(code=NoticeCode.DAMAGED, message=message, structure="$MFT")
        return
    for offset in range(0, table.size // size * size, BATCH_SIZE):
        advance()
        length = min(BATCH_SIZE, table.size // size * size - offset)
        try:
            words, signed = restored(table.read_at(offset, length), size, b"FILE")
        except UnreadableError as error:
            message = f"a part of the file table cannot be read, the slack of its files is not known: {error}"
            yield 0, 0, Notice(code=NoticeCode.UNREADABLE, message=message, structure="$MFT")
            continue
        block = words.tobytes()
        bases = words[:, 16:20].copy().view("<u8")[:, 0] & REFERENCE_MASK
        for row in (signed & (words[:, 11] & IN_USE != 0)).nonzero()[0].tolist():
            number = offset // size + row
            if number >= FIRST_FILE:
                yield number, int(bases[row]), block[row * size : (row + 1) * size]


def _ranges(parts: list[Attribute], cluster_size: int, clusters: int) -> Iterator[tuple[int, int]]:
    """Yield where the bytes behind the valid size lie; nothing where the first part of the stream is missing."""
    parts = sorted(parts, key=lambda part: part.first)
    if parts[0].first:
        return
    valid = parts[0].valid
    for part in parts:
        runs, _ = decode_pairs(part.pairs, clusters)
        position = part.first * cluster_size
        for cluster, count in runs:
            end = position + count * cluster_size
            start = max(position, valid)
            if cluster >= 0 and start < end:
                yield cluster * cluster_size + start - position, cluster * cluster_size + end - position
            position = end
