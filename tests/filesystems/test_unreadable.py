"""Bad sectors: what a listing lacks because of one is told with its place, and nothing is invented for it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kaval.core.contracts import FileSystem
from kaval.core.errors import KavalError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.records import Entry, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems.exfat import ExfatFileSystem
from kaval.filesystems.fat import FatFileSystem
from tests.filesystems.exfat_disk import ExfatDisk
from tests.filesystems.fat_disk import FatDisk
from tests.spoilt import SECTOR, SpoiltSource

TOLD = {NoticeCode.UNREADABLE, NoticeCode.DAMAGED, NoticeCode.TRUNCATED}


class Outcome:
    """What a file system gives of a source: entries, notices, free space."""

    def __init__(self, system: FileSystem, source: ByteSource) -> None:
        self.entries: dict[str, Entry] = {}
        self.notices: list[Notice] = []
        self.free: list[Extent] = []
        try:
            if system.probe(source):
                self._take(system, source)
        except UnreadableError as error:
            self.notices.append(Notice(code=NoticeCode.UNREADABLE, message=str(error), offset=error.offset))
        except KavalError as error:
            offset = getattr(error, "offset", None)
            self.notices.append(Notice(code=NoticeCode.DAMAGED, message=str(error), offset=offset))

    def _take(self, system: FileSystem, source: ByteSource) -> None:
        tree = system.open(source, Keyring())
        for record in tree.entries():
            if isinstance(record, Notice):
                self.notices.append(record)
            else:
                self.entries[record.address] = record
        self.free = list(tree.unallocated())

    def differs(self, other: Outcome) -> bool:
        return (self.entries, self.free) != (other.entries, other.free)


def sectors_asked(system: FileSystem, content: bytes) -> list[int]:
    """Return the sectors a listing reads, in an order that is always the same and no order."""
    source = SpoiltSource(content)
    Outcome(system, source)
    asked = sorted(source.asked)
    random.Random(2).shuffle(asked)
    return asked


def outcomes(system: FileSystem, content: bytes, most: int = 150) -> Iterator[tuple[int, Outcome, list[Notice]]]:
    """Yield for single bad sectors what is listed then, with the notices that are new."""
    usual = Outcome(system, SpoiltSource(content))
    for sector in sectors_asked(system, content)[:most]:
        spoilt = Outcome(system, SpoiltSource(content, {sector}))
        yield sector, spoilt, [notice for notice in spoilt.notices if notice not in usual.notices]


def fat(bits: int) -> bytes:
    disk = FatDisk(bits=bits, clusters={12: 600, 16: 5000, 32: 66000}[bits], cluster_size=512)
    folder = disk.make_directory("osk")
    nodes = [disk.create(f"a name of some length {number}.dat", 700 * number + 1, folder) for number in range(20)]
    gone = disk.make_directory("tarn", folder)
    inside = disk.create("lumen.dat", 900, gone)
    for node in (nodes[3], nodes[4], inside, gone):
        disk.delete(node)
    return disk.build()


def exfat() -> bytes:
    disk = ExfatDisk()
    folder = disk.make_directory("osk")
    nodes = [disk.create(f"a name of some length {number}.dat", 700 * number + 1, folder) for number in range(20)]
    gone = disk.make_directory("tarn", folder)
    inside = disk.create("lumen.dat", 9000, gone)
    disk.append(nodes[5], 20_000)
    for node in (nodes[3], nodes[4], inside, gone):
        disk.delete(node)
    return disk.build()


CASES: dict[str, tuple[FileSystem, bytes]] = {
    "fat12": (FatFileSystem(), fat(12)),
    "fat16": (FatFileSystem(), fat(16)),
    "exfat": (ExfatFileSystem(), exfat()),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_bad_sector_takes_from_a_listing_is_told_with_its_place(name: str) -> None:
    system, content = CASES[name]
    usual = Outcome(system, SpoiltSource(content))

    silent, elsewhere = [], []
    for sector, spoilt, new in outcomes(system, content):
        told = [notice for notice in new if notice.code in TOLD]
        if spoilt.differs(usual) and not told:
            silent.append(sector)
        if spoilt.differs(usual) and not any(notice.offset is not None for notice in told):
            elsewhere.append(sector)
    assert silent == []
    assert elsewhere == []


@pytest.mark.parametrize("name", CASES)
def test_no_entry_gets_better_by_a_bad_sector(name: str) -> None:
    system, content = CASES[name]
    usual = Outcome(system, SpoiltSource(content))
    order = ("gone", "partial", "overlaps-allocated", "overlaps-deleted", "assumed", "intact")

    for sector, spoilt, _ in outcomes(system, content):
        for address, entry in spoilt.entries.items():
            before = usual.entries.get(address)
            if before is not None:
                assert order.index(entry.content) <= order.index(before.content), (sector, entry.path)


def test_a_bad_sector_of_a_directory_costs_the_names_in_it_and_no_others() -> None:
    content = fat(16)
    usual = Outcome(FatFileSystem(), SpoiltSource(content))
    (folder,) = [entry for entry in usual.entries.values() if entry.path == "osk"]
    assert folder.extents
    bad = folder.extents[-1].offset // SECTOR
    spoilt = Outcome(FatFileSystem(), SpoiltSource(content, {bad}))

    lost = {entry.path for entry in usual.entries.values()} - {entry.path for entry in spoilt.entries.values()}
    assert 0 < len(lost) <= 16
    assert (NoticeCode.UNREADABLE, bad * SECTOR) in [(notice.code, notice.offset) for notice in spoilt.notices]


def test_clusters_of_which_the_bitmap_cannot_be_read_are_no_lost_chains() -> None:
    system, content = CASES["exfat"]
    usual = Outcome(system, SpoiltSource(content))
    bitmap = next(entry for entry in usual.entries.values() if entry.path == "$Bitmap")
    assert bitmap.extents
    spoilt = Outcome(system, SpoiltSource(content, {bitmap.extents[0].offset // SECTOR}))

    assert not [entry for entry in spoilt.entries.values() if entry.path.startswith("$LostChains")]
    assert any("counts as in use" in notice.message for notice in spoilt.notices)


def test_a_copy_of_the_table_stands_in_for_the_sectors_the_first_has_lost() -> None:
    content = fat(16)
    usual = Outcome(FatFileSystem(), SpoiltSource(content))
    spoilt = Outcome(FatFileSystem(), SpoiltSource(content, {1}))

    assert not spoilt.differs(usual)
    assert [notice.code for notice in spoilt.notices] == [NoticeCode.UNREADABLE]
