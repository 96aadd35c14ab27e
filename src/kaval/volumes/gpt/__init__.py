"""GUID partition tables.

Known: UEFI specification 2.10 section 5.3 (header table 5.5, entries table 5.6), sectors of 512 and 4096 bytes.
The primary header is used where it and its entries are sound, else the backup; where both are damaged, the
entries are read as they lie and marked as assumed. A hybrid MBR beside the table is compared, not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.boot_sectors import fat_start, is_named_boot_sector
from kaval.volumes.gpt.table import (
    SECTOR_SIZES,
    GptCopy,
    GptEntry,
    assumed_copy,
    backup_places,
    is_wiped_start,
    read_copy,
)
from kaval.volumes.mbr.entries import (
    ENTRIES_OFFSET,
    ENTRY_SIZE,
    MBR_SIZE,
    PROTECTIVE_TYPE,
    MbrEntry,
    describes_partitions,
    is_protective,
)
from kaval.volumes.mbr.entries import parse_entries as parse_mbr
from kaval.volumes.ranges import Partition, Table, lay_out, read_or_none, shows_its_holders_table

_STRUCTURE = "GUID partition table"


@VOLUMES.register
class Gpt:
    """GUID partition table."""

    name: ClassVar[str] = "gpt"
    title: ClassVar[str] = "GUID partition table"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        if shows_its_holders_table(source) or source.size < MBR_SIZE:
            return False
        sector = read_or_none(source, 0, MBR_SIZE)
        entries = parse_mbr(sector) if sector is not None else None
        if entries is not None and is_protective(entries):
            return True
        if sector is not None and (is_named_boot_sector(sector) or fat_start(sector) is not None):
            return False
        if entries is not None and describes_partitions(entries):
            return False
        if any((copy := read_copy(source, size, size)) is not None and copy.sound for size in SECTOR_SIZES):
            return True
        return any(copy.sound for copy in _backups(source, None)) and is_wiped_start(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        primary = next((copy for size in SECTOR_SIZES if (copy := read_copy(source, size, size)) is not None), None)
        backups = _backups(source, primary)
        backup = next((copy for copy in backups if copy.sound), backups[0] if backups else None)
        table = _choose(source, primary, backup)
        yield from _damage(primary, backup, table)
        yield from _mbr_beside(source, table)
        partitions = []
        for entry in table.entries:
            if entry.first > entry.last:
                yield _remark(f"entry {entry.number} ends before it begins", entry)
                continue
            if entry.name_damaged:
                message = f"the name of partition {entry.number} is no UTF-16"
                yield _remark(message, entry, NoticeCode.NAME_UNDECODABLE)
            partitions.append(_partition(entry, table))
        yield from lay_out(source, _table(partitions, source, (primary, backup, table)))


def _backups(source: ByteSource, primary: GptCopy | None) -> list[GptCopy]:
    """Return every copy found where a backup may lie, sound or not."""
    copies = []
    for offset, sector_size in backup_places(source, primary):
        copy = read_copy(source, offset, sector_size)
        if copy is not None:
            copies.append(copy)
    return copies


def _choose(source: ByteSource, primary: GptCopy | None, backup: GptCopy | None) -> GptCopy:
    """Return the copy to read: a sound one, else the one whose entries can still be told."""
    for copy in (primary, backup):
        if copy is not None and copy.sound:
            return copy
    for copy in (primary, backup):
        if copy is not None and copy.entries:
            return copy
    for sector_size in SECTOR_SIZES:
        copy = assumed_copy(source, sector_size)
        if copy is not None:
            return copy
    reason = "neither header can be used, and no entries lie where they should; what it divides is not known"
    raise CorruptStructureError(_STRUCTURE, reason, 512)


def _damage(primary: GptCopy | None, backup: GptCopy | None, table: GptCopy) -> Iterator[Notice]:
    """Yield what is wrong with the copies, and which of them was read."""
    for name, copy in (("primary", primary), ("backup", backup)):
        if copy is None and (name == "backup" and table.alternate_offset_outside):
            message = "the backup copy is to lie behind the end of what holds it; the image is cut"
            yield _table_notice(NoticeCode.TRUNCATED, message, None)
        elif copy is None:
            yield _table_notice(NoticeCode.DAMAGED, f"there is no {name} copy where one must be", None)
        elif not copy.sound:
            message = f"the {name} copy is damaged: {copy.reason}"
            yield _table_notice(NoticeCode.DAMAGED, message, copy.offset)
    if primary is None or not primary.sound:
        if table.sound:
            yield _table_notice(NoticeCode.ASSUMED, "the partitions are those of the backup copy", table.offset)
        else:
            message = "no copy is sound; the entries were read as they lie, and may be wrong"
            yield _table_notice(NoticeCode.ASSUMED, message, table.entries_offset)
    elif backup is not None and backup.sound and backup.entries_crc != primary.entries_crc:
        message = "primary and backup copy hold different partitions; the primary one was read"
        yield _table_notice(NoticeCode.DAMAGED, message, backup.offset)


def _mbr_beside(source: ByteSource, table: GptCopy) -> Iterator[Notice]:
    """Yield what the MBR in front of the table says besides it."""
    entries = parse_mbr(read_or_none(source, 0, MBR_SIZE) or b"")
    if entries is None or not is_protective(entries):
        yield _table_notice(NoticeCode.ASSUMED, "no protective MBR stands before the table", 0)
        return
    ranges = {(entry.first, entry.last - entry.first + 1) for entry in table.entries}
    for entry in entries:
        if entry.empty or entry.type == PROTECTIVE_TYPE or (entry.first_sector, entry.sector_count) in ranges:
            continue
        yield _hybrid_notice(entry)


def _hybrid_notice(entry: MbrEntry) -> Notice:
    message = f"entry {entry.index + 1} of the hybrid MBR ({entry.title}, {entry.sector_count} sectors from sector"
    message += f" {entry.first_sector}) is no partition of the table; it was not followed"
    place = ENTRIES_OFFSET + ENTRY_SIZE * entry.index
    return Notice(code=NoticeCode.SKIPPED, message=message, offset=place, structure="hybrid MBR")


def _partition(entry: GptEntry, table: GptCopy) -> Partition:
    return Partition(
        address=str(entry.number),
        title=f"Partition {entry.number}, {entry.name or entry.type_title}",
        offset=entry.first * table.sector_size,
        size=(entry.last - entry.first + 1) * table.sector_size,
        entry_offset=entry.offset,
        facts=entry.facts,
    )


def _table(partitions: list[Partition], source: ByteSource, copies: Sequence[GptCopy | None]) -> Table:
    chosen = copies[-1]
    assert chosen is not None
    reserved = [(0, chosen.sector_size)]
    for copy in copies:
        if copy is not None and (copy.sound or copy is chosen):
            reserved += copy.reserved
    return Table(
        structure=_STRUCTURE,
        partitions=partitions,
        reserved=[(offset, size) for offset, size in reserved if offset < source.size],
        facts={"sector size": str(chosen.sector_size), "disk id": chosen.disk_id},
    )


def _remark(message: str, entry: GptEntry, code: NoticeCode = NoticeCode.DAMAGED) -> Notice:
    address = str(entry.number)
    return Notice(code=code, message=message, address=address, offset=entry.offset, structure="GPT entry")


def _table_notice(code: NoticeCode, message: str, offset: int | None) -> Notice:
    return Notice(code=code, message=message, offset=offset, structure=_STRUCTURE)
