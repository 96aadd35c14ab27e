"""BSD disklabels: counted from the slice or from the disk, inside other tables, damaged."""

from __future__ import annotations

import io
import struct
from functools import reduce
from operator import xor

import pytest
from dissect.volume.disk.schemes import BSD

from kaval.core.contracts import Volume
from kaval.core.errors import UnsupportedError
from kaval.core.records import NoticeCode
from kaval.core.sources import BytesSource
from kaval.volumes.bsd import BsdLabel
from kaval.volumes.mbr import Mbr
from tests.volumes.contract import (
    gaps_of,
    mutations,
    notices_of,
    records_of,
    refuses_short_and_random_sources,
    survives,
    volumes_of,
)
from tests.volumes.disks import SECTOR, mbr_sector

Row = tuple[int, int, int]
SECTORS = 1000
RELATIVE: list[Row] = [(16, 400, 7), (416, 100, 1), (0, SECTORS, 0), (600, 200, 7)]


def label(rows: list[Row], *, wide: bool = False, sector_size: int = SECTOR) -> bytes:
    """Return a label over rows of (first sector, sector count, type)."""
    block = bytearray(148)
    struct.pack_into("<I", block, 0, 0x82564557)
    struct.pack_into("<I", block, 40, sector_size)
    struct.pack_into("<I", block, 132, 0x82564557)
    struct.pack_into("<H", block, 138, len(rows))
    if wide:
        struct.pack_into("<H", block, 114, 1)
    for first, count, kind in rows:
        high = (first >> 32, count >> 32) if wide else (0, 0)
        block += struct.pack("<IIHHBBH", count & 0xFFFFFFFF, first & 0xFFFFFFFF, *high, kind, 0, 0)
    words = struct.unpack(f"<{len(block) // 2}H", block)
    struct.pack_into("<H", block, 136, reduce(xor, words))
    return bytes(block)


def slice_of(rows: list[Row], sectors: int = SECTORS) -> bytearray:
    image = bytearray(sectors * SECTOR)
    stored = label(rows)
    image[SECTOR : SECTOR + len(stored)] = stored
    return image


def test_partitions_go_by_their_letters() -> None:
    source = BytesSource(bytes(slice_of(RELATIVE)))
    records = records_of(BsdLabel(), source)

    assert BsdLabel().probe(source)
    assert volumes_of(records) == {
        "a": (16 * SECTOR, 400 * SECTOR),
        "b": (416 * SECTOR, 100 * SECTOR),
        "d": (600 * SECTOR, 200 * SECTOR),
    }
    assert gaps_of(records) == [
        (0, 16 * SECTOR),
        (516 * SECTOR, 84 * SECTOR),
        (800 * SECTOR, 200 * SECTOR),
    ]
    assert notices_of(records) == []
    assert isinstance(records[0], Volume)
    assert records[0].facts["partition type"] == "7 4.2BSD (FFS, UFS)"


def test_a_second_reader_sees_the_same_partitions() -> None:
    content = bytes(slice_of(RELATIVE))
    theirs = {chr(96 + part.number): (part.offset, part.size) for part in BSD(io.BytesIO(content)).partitions}

    assert volumes_of(records_of(BsdLabel(), BytesSource(content))) == theirs


def inside_a_disk(rows: list[Row], start: int) -> Volume:
    disk = mbr_sector([(0xA5, start, SECTORS)]).ljust(start * SECTOR, b"\0") + slice_of(rows)
    volume = records_of(Mbr(), BytesSource(bytes(disk)))[0]
    assert isinstance(volume, Volume)
    return volume


@pytest.mark.parametrize(
    "rows",
    [
        [(16, 400, 7), (0, 0, 0), (0, SECTORS, 0)],
        [(63 + 16, 400, 7), (0, 0, 0), (63, SECTORS, 0)],
        [(63 + 16, 400, 7), (0, 0, 0), (0, 63 + SECTORS, 0)],
    ],
    ids=["from the slice", "from the disk, c the slice", "from the disk, c the disk"],
)
def test_inside_a_partition_offsets_are_taken_from_where_the_label_counts(rows: list[Row]) -> None:
    volume = inside_a_disk(rows, 63)

    assert BsdLabel().probe(volume.source)
    assert volumes_of(records_of(BsdLabel(), volume.source)) == {"a": (16 * SECTOR, 400 * SECTOR)}


def test_a_partition_outside_the_slice_is_told() -> None:
    rows = [(63, 400, 7), (0, 0, 0), (0, 63 + SECTORS, 0), (1, 60, 8)]
    records = records_of(BsdLabel(), inside_a_disk(rows, 63).source)

    assert notices_of(records) == [(NoticeCode.SKIPPED, "d", SECTOR + 148 + 48)]


def test_a_partition_at_the_start_of_its_slice_is_not_divided_again() -> None:
    records = records_of(BsdLabel(), BytesSource(bytes(slice_of([(0, 400, 7), (0, 0, 0), (0, SECTORS, 0)]))))

    assert isinstance(records[0], Volume)
    assert records[0].offset == 0
    assert not BsdLabel().probe(records[0].source)


def test_wide_offsets_of_openbsd_are_read() -> None:
    image = bytearray(SECTORS * SECTOR)
    stored = label([(16, 400, 7), (0, 0, 0), (0, SECTORS, 0), ((1 << 32) + 5, 100, 7)], wide=True)
    image[SECTOR : SECTOR + len(stored)] = stored
    records = records_of(BsdLabel(), BytesSource(bytes(image)))

    assert volumes_of(records) == {"a": (16 * SECTOR, 400 * SECTOR)}
    assert notices_of(records) == [(NoticeCode.TRUNCATED, "d", SECTOR + 148 + 48)]


def test_a_wrong_checksum_is_told() -> None:
    image = slice_of(RELATIVE)
    image[SECTOR + 60] ^= 1
    records = records_of(BsdLabel(), BytesSource(bytes(image)))

    assert notices_of(records) == [(NoticeCode.DAMAGED, "", SECTOR)]
    assert sorted(volumes_of(records)) == ["a", "b", "d"]


def test_the_label_of_dragonfly_is_recognised_and_told() -> None:
    image = bytearray(1 << 16)
    image[SECTOR : SECTOR + 4] = (0xC4464C59).to_bytes(4, "little")
    source = BytesSource(bytes(image))

    assert BsdLabel().probe(source)
    with pytest.raises(UnsupportedError, match="DragonFly"):
        records_of(BsdLabel(), source)


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(BsdLabel())


def test_mutated_labels_end_in_records_notices_or_our_own_errors() -> None:
    claimed = sum(survives(BsdLabel(), copy) for copy in mutations(bytes(slice_of(RELATIVE)), [(SECTOR, 212)], 150))

    assert claimed > 50
