"""Slack: bytes a file system has given to a file, or to itself, that are no content of anything.

File slack runs from the end of a file to the end of its last cluster, and further where clusters were given to it in
advance and the listing tells them; volume slack from the end of a file system to the end of the volume it lies in. File
systems that pack the ends of several files into one block, or are written once, are not asked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kaval.core.records import Extent
from kaval.core.sources import ByteSource

GRAIN = {"ntfs": "cluster size", "exfat": "cluster size", "fat": "cluster size"} | dict.fromkeys(
    ("ext", "xfs", "hfs", "apfs"), "block size"
)
"""The layers whose file slack is known, and the fact of their trees that tells how much a file takes at least."""

Range = tuple[int, int]
"""First byte, and the byte behind the last one."""


def grain_of(layer: str, facts: Mapping[str, str]) -> int | None:
    """Return the size of a cluster, ``None`` where the file slack of such a tree is not known."""
    told = facts.get(GRAIN.get(layer, ""), "")
    return int(told) if told.isdigit() and int(told) > 0 else None


def parts_of(extents: Sequence[Extent], size: int, cluster: int) -> tuple[list[Range], list[Range]]:
    """Return which bytes hold a stream of so many bytes, and which behind them were given to it and hold nothing."""
    held, behind = [], []
    left = size
    for extent in extents:
        taken = min(left, extent.length)
        left -= taken
        if extent.sparse:
            continue
        end = extent.offset + extent.length + -extent.length % cluster
        if taken:
            held.append((extent.offset, extent.offset + taken))
        if extent.offset + taken < end:
            behind.append((extent.offset + taken, end))
    return held, behind


def joined(ranges: Iterable[Range]) -> Iterator[Extent]:
    """Yield ranges in order, as extents; those that touch or overlap are one."""
    start = end = -1
    for first, last in sorted(ranges):
        if first <= end:
            end = max(end, last)
            continue
        if start < end:
            yield Extent(offset=start, length=end - start)
        start, end = first, last
    if start < end:
        yield Extent(offset=start, length=end - start)


def end_of(layer: str, source: ByteSource, facts: Mapping[str, str]) -> int | None:
    """Return the byte of the volume at which a file system ends by its own word, ``None`` where it does not say."""
    if layer in ("ntfs", "exfat", "fat"):
        return _end_by_boot_sector(layer, source.read_at(0, 512))
    blocks, size = facts.get("blocks", ""), facts.get("block size", "")
    return int(blocks) * int(size) if blocks.isdigit() and size.isdigit() else None


def _end_by_boot_sector(layer: str, sector: bytes) -> int | None:
    """Return the sectors that a boot sector tells, in bytes; NTFS does not count the last one, which holds its copy."""
    if len(sector) < 512:
        return None
    if layer == "exfat":
        count, shift = struct.unpack_from("<Q", sector, 72)[0], sector[108]
        return count << shift if 9 <= shift <= 12 else None
    (sector_size,) = struct.unpack_from("<H", sector, 11)
    if layer == "ntfs":
        return (struct.unpack_from("<Q", sector, 40)[0] + 1) * sector_size or None
    count = struct.unpack_from("<H", sector, 19)[0] or struct.unpack_from("<I", sector, 32)[0]
    return count * sector_size or None
