"""Master boot records with their chains of extended ones (DOS partition tables).

Known: UEFI specification 2.10 section 5.2; for extended partitions the practice of DOS, Windows and Linux: the
first extended boot record lies at the start of the extended partition, each names logical partitions relative to
itself and the next record relative to the first one. More than one logical partition in a record is read as
well. Protective records are left to ``gpt``. Dynamic disks (type 42) are shown as the one partition they claim.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.boot_sectors import fat_start, is_named_boot_sector, looks_formatted, starts_fat
from kaval.volumes.mbr.entries import (
    ENTRIES_OFFSET,
    ENTRY_SIZE,
    EXTENDED_TYPES,
    MBR_SIZE,
    MbrEntry,
    describes_partitions,
    is_protective,
    parse_entries,
)
from kaval.volumes.ranges import Partition, Table, lay_out, read_or_none, shows_its_holders_table

SECTOR_SIZES = (512, 4096)
MAXIMUM_RECORDS = 1024
_STRUCTURE = "master boot record"
_EXTENDED = "extended boot record"


@VOLUMES.register
class Mbr:
    """DOS partition table."""

    name: ClassVar[str] = "mbr"
    title: ClassVar[str] = "Master boot record (DOS partition table)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        if shows_its_holders_table(source):
            return False
        sector = source.read_at(0, MBR_SIZE)
        entries = parse_entries(sector)
        if entries is None or is_named_boot_sector(sector) or is_protective(entries):
            return False
        certain = any(_lies_inside(entry, source.size) for entry in entries)
        if fat_start(sector) is not None and (not certain or starts_fat(source, sector)):
            return False
        return certain or describes_partitions(entries)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        entries = parse_entries(source.read_at(0, MBR_SIZE))
        if entries is None:
            raise CorruptStructureError(_STRUCTURE, "the mark 55 AA is missing", 510)
        chain = _Chain(source, sector_size_of(source, entries))
        yield from chain.read(entries)
        if read_or_none(source, 512, 8) == b"EFI PART":
            message = "a GPT header lies behind an MBR that is no protective one; the MBR was read, as systems do"
            yield Notice(code=NoticeCode.ASSUMED, message=message, offset=512, structure="GPT header")
        yield from lay_out(source, chain.table())


def sector_size_of(source: ByteSource, entries: Sequence[MbrEntry]) -> int:
    """Return the size of the sectors that entries count in: 512, unless volumes start only where 4096 puts them."""
    used = [entry.first_sector for entry in entries if not entry.empty and entry.first_sector > 0]
    for sector_size in SECTOR_SIZES:
        if any(looks_formatted(source, first * sector_size) for first in used):
            return sector_size
    return SECTOR_SIZES[0]


def _lies_inside(entry: MbrEntry, size: int) -> bool:
    end = (entry.first_sector + entry.sector_count) * SECTOR_SIZES[0]
    return not entry.empty and entry.well_formed and entry.first_sector > 0 and end <= size


@dataclass
class _Chain:
    """Reads the primary record, then the chain of every extended partition; collects the table on the way."""

    source: ByteSource
    sector_size: int
    partitions: list[Partition] = field(default_factory=list)
    records: dict[int, None] = field(default_factory=dict)
    logical: int = 4

    def read(self, entries: Sequence[MbrEntry]) -> Iterator[Notice]:
        """Yield what is wrong with the records; afterwards ``table`` holds what they say."""
        self.records[0] = None
        extended = []
        for entry in entries:
            if entry.empty:
                continue
            place = ENTRIES_OFFSET + ENTRY_SIZE * entry.index
            if not entry.well_formed:
                yield _remark(f"entry {entry.index + 1} contradicts itself", place, str(entry.index + 1))
            if entry.type in EXTENDED_TYPES:
                extended.append(entry)
            else:
                self._add(entry, str(entry.index + 1), 0, place, "primary")
        for entry in extended:
            yield from self._follow(entry.first_sector, entry.sector_count)

    def _follow(self, first_sector: int, sector_count: int) -> Iterator[Notice]:
        """Walk one chain of extended boot records; a record met twice ends it."""
        waiting = [first_sector]
        while waiting:
            sector = waiting.pop()
            offset = sector * self.sector_size
            if offset in self.records:
                message = "the chain of extended boot records returns to this record; it was not followed again"
                yield Notice(code=NoticeCode.LOOP, message=message, offset=offset, structure=_EXTENDED)
                continue
            if len(self.records) >= MAXIMUM_RECORDS:
                message = f"more than {MAXIMUM_RECORDS} extended boot records; the rest of the chain was left out"
                yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, offset=offset, structure=_EXTENDED)
                return
            if not first_sector <= sector < first_sector + sector_count:
                yield _remark("the record lies outside its extended partition", offset, structure=_EXTENDED)
            entries = yield from self._record(offset)
            links = [entry for entry in entries if entry.type in EXTENDED_TYPES]
            waiting += [first_sector + entry.first_sector for entry in reversed(links)]
            yield from self._add_logical(sector, [entry for entry in entries if not entry.empty and entry not in links])

    def _add_logical(self, base_sector: int, entries: Sequence[MbrEntry]) -> Iterator[Notice]:
        for entry in entries:
            self.logical += 1
            place = base_sector * self.sector_size + ENTRIES_OFFSET + ENTRY_SIZE * entry.index
            if not entry.well_formed:
                yield _remark("the entry contradicts itself", place, str(self.logical), _EXTENDED)
            self._add(entry, str(self.logical), base_sector, place, "logical")

    def _record(self, offset: int) -> Generator[Notice, None, list[MbrEntry]]:
        """Return the entries of one extended boot record, none where it is damaged or missing."""
        block = read_or_none(self.source, offset, MBR_SIZE)
        entries = parse_entries(block) if block is not None else None
        if entries is not None:
            self.records[offset] = None
            return entries
        rest = "logical partitions named from here on are not found; their bytes are listed as unallocated"
        if offset + MBR_SIZE > self.source.size:
            code, reason = NoticeCode.TRUNCATED, "lies behind the end of what holds it"
        elif block is None:
            code, reason = NoticeCode.UNREADABLE, "cannot be read"
        else:
            code, reason = NoticeCode.DAMAGED, "lacks its mark 55 AA"
        yield Notice(code=code, message=f"an extended boot record {reason}; {rest}", offset=offset, structure=_EXTENDED)
        return []

    def _add(self, entry: MbrEntry, address: str, base_sector: int, place: int, kind: str) -> None:
        facts = {"table": kind, "partition type": f"{entry.type:02X} {entry.title}"}
        if entry.status == 0x80:
            facts["active"] = "yes"
        self.partitions.append(
            Partition(
                address=address,
                title=f"Partition {address}, {entry.title}",
                offset=(base_sector + entry.first_sector) * self.sector_size,
                size=entry.sector_count * self.sector_size,
                entry_offset=place,
                facts=facts,
            )
        )

    def table(self) -> Table:
        """Return all that the records say."""
        return Table(
            structure=_STRUCTURE,
            partitions=self.partitions,
            reserved=[(offset, self.sector_size) for offset in self.records],
            facts={"sector size": str(self.sector_size)},
        )


def _remark(message: str, offset: int, address: str = "", structure: str = _STRUCTURE) -> Notice:
    return Notice(code=NoticeCode.DAMAGED, message=message, address=address, offset=offset, structure=structure)
