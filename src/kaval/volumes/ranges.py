"""How a table of partitions becomes volumes, gaps and notices; shared by every system that divides a source.

A table is a claim. What of it lies outside the source is told as ``truncated``, what lies twice in it as
``overlap``; bytes that neither a partition nor the table itself holds become volumes with the fact
``state: unallocated``, so that they can be searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kaval.core.contracts import Volume
from kaval.core.errors import UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, SliceSource
from kaval.volumes.boot_sectors import starts_iso9660


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One entry of a partition table: ``offset`` and ``size`` as it claims them, in bytes of the source.

    ``entry_offset`` is where the entry itself lies.
    """

    address: str
    title: str
    offset: int
    size: int
    entry_offset: int
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The first byte behind it, as claimed."""
        return self.offset + self.size


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What a partition table says of a source.

    ``reserved`` are the ranges (offset, size) the table itself takes; ``structure`` names it in notices.
    """

    structure: str
    partitions: Sequence[Partition]
    reserved: Sequence[tuple[int, int]]
    facts: Mapping[str, str] = field(default_factory=dict)


class VolumeSlice(SliceSource):
    """The range of one volume.

    One that begins where its holder begins shows the holder's own table again: it is not divided by that a second time.
    """


def shows_its_holders_table(source: ByteSource) -> bool:
    """Say whether a table found in this source is the one the source was cut out by."""
    return isinstance(source, VolumeSlice) and source.offset == 0


def read_or_none(source: ByteSource, offset: int, length: int) -> bytes | None:
    """Return exactly that many bytes, or ``None`` where they are outside the source or cannot be read."""
    try:
        block = source.read_at(offset, length)
    except UnreadableError:
        return None
    return block if len(block) == length else None


def lay_out(source: ByteSource, table: Table) -> Iterator[Volume | Notice]:
    """Yield the partitions in the order of the table, then what overlaps, then the gaps in order of offset."""
    seen: dict[tuple[int, int], str] = {}
    for partition in table.partitions:
        first = seen.setdefault((partition.offset, partition.size), partition.address)
        if first == partition.address:
            yield from _volume(source, partition, table)
        else:
            message = f"partition {partition.address} is the very range of partition {first}; it is read there"
            yield _notice(NoticeCode.OVERLAP, message, partition, table)
    yield from _overlaps(table)
    yield from _spanning_file_system(source, table)
    yield from _gaps(source, table)


def _volume(source: ByteSource, partition: Partition, table: Table) -> Iterator[Volume | Notice]:
    if partition.size <= 0:
        yield _notice(NoticeCode.ABSURD_SIZE, f"partition {partition.address} has no size", partition, table)
        return
    available = min(partition.size, source.size - partition.offset)
    facts = {**table.facts, **partition.facts}
    if available < partition.size:
        facts["size by the table"] = str(partition.size)
        yield _notice(NoticeCode.TRUNCATED, _cut_message(source, partition, available), partition, table)
    if available > 0:
        yield Volume(
            address=partition.address,
            source=VolumeSlice(source, partition.offset, available),
            title=partition.title,
            offset=partition.offset,
            facts=facts,
        )


def _cut_message(source: ByteSource, partition: Partition, available: int) -> str:
    claim = f"partition {partition.address} ({partition.title}) is to take {partition.size} bytes"
    claim += f" from byte {partition.offset}, and what holds it ends at byte {source.size}"
    if available <= 0:
        return f"{claim}: nothing of it is there; the image is cut, or the table is wrong"
    return f"{claim}: {partition.size - available} bytes are missing; the image is cut, or the table is wrong"


def _overlaps(table: Table) -> Iterator[Notice]:
    """Yield one notice for each partition that begins before the ones before it have ended."""
    reach: Partition | None = None
    for partition in sorted(_distinct(table), key=lambda partition: (partition.offset, -partition.size)):
        for offset, size in table.reserved:
            shared = min(partition.end, offset + size) - max(partition.offset, offset)
            if shared > 0 and partition.offset > 0:
                message = f"partition {partition.address} covers {shared} bytes of the partition table itself"
                yield _notice(NoticeCode.OVERLAP, message, partition, table)
                break
        if reach is not None and partition.offset < reach.end and partition.size > 0:
            shared = min(partition.end, reach.end) - partition.offset
            message = f"partitions {reach.address} and {partition.address} share {shared} bytes"
            yield _notice(NoticeCode.OVERLAP, f"{message} from byte {partition.offset}", partition, table)
        if reach is None or partition.end > reach.end:
            reach = partition


def _distinct(table: Table) -> list[Partition]:
    """Return the partitions, each range once."""
    by_range: dict[tuple[int, int], Partition] = {}
    for partition in table.partitions:
        by_range.setdefault((partition.offset, partition.size), partition)
    return list(by_range.values())


def _spanning_file_system(source: ByteSource, table: Table) -> Iterator[Volume | Notice]:
    """Yield the ISO 9660 file system of a hybrid image, which lies under its partition table."""
    if any(partition.offset == 0 for partition in table.partitions) or not starts_iso9660(source):
        return
    message = "an ISO 9660 file system begins where the source begins, under the partition table: both are read."
    message += " On a hybrid image both are valid; on a medium partitioned anew the ISO 9660 one is a remnant"
    yield Notice(code=NoticeCode.OVERLAP, message=message, address="whole", offset=32768, structure="ISO 9660")
    title = "Whole source, under the partition table"
    yield Volume(address="whole", source=VolumeSlice(source, 0, source.size), title=title, offset=0)


def _gaps(source: ByteSource, table: Table) -> Iterator[Volume]:
    taken = [(partition.offset, partition.end) for partition in table.partitions if partition.size > 0]
    taken += [(offset, offset + size) for offset, size in table.reserved]
    position = 0
    for start, end in (*sorted(taken), (source.size, source.size)):
        stop = min(start, source.size)
        if stop > position:
            yield Volume(
                address=f"gap-{position}",
                source=VolumeSlice(source, position, stop - position),
                title="Unallocated space between volumes",
                offset=position,
                facts={"state": "unallocated"},
            )
        position = max(position, end)


def _notice(code: NoticeCode, message: str, partition: Partition, table: Table) -> Notice:
    return Notice(
        code=code,
        message=message,
        address=partition.address,
        offset=partition.entry_offset,
        structure=table.structure,
    )
