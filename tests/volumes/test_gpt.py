"""GUID partition tables: both copies, damage in either, sector sizes, names, the MBR beside them."""

from __future__ import annotations

import struct

import pytest

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import BytesSource, FileSource
from kaval.volumes.gpt import Gpt
from kaval.volumes.mbr import Mbr
from tests.testdata import shared
from tests.volumes.contract import (
    gaps_of,
    mutations,
    notices_of,
    records_of,
    refuses_short_and_random_sources,
    survives,
    volumes_of,
)
from tests.volumes.disks import BASIC, SECTOR, HoleySource, gpt_blocks, gpt_entry, mbr_sector

SECTORS = 10_000
LAST = (SECTORS - 1) * SECTOR
ROWS = (gpt_entry(40, 2047, "lumen"), gpt_entry(2048, 6143, "नेबुला", BASIC, 1 | 1 << 62))
PLAIN = {"1": (40 * SECTOR, 2008 * SECTOR), "2": (2048 * SECTOR, 4096 * SECTOR)}


def disk(rows: tuple[bytes, ...] = ROWS, sector_size: int = SECTOR) -> HoleySource:
    return HoleySource(SECTORS * sector_size, gpt_blocks(rows, SECTORS, sector_size))


def spoil(source: HoleySource, offset: int, distance: int) -> None:
    """Change one byte of a block."""
    block = bytearray(source.blocks[offset])
    block[distance] ^= 0xFF
    source.blocks[offset] = bytes(block)


def test_partitions_carry_their_names_types_and_attributes() -> None:
    records = records_of(Gpt(), disk())

    assert Gpt().probe(disk())
    assert volumes_of(records) == PLAIN
    assert notices_of(records) == []
    second = records[1]
    assert isinstance(second, Volume)
    assert second.title == "Partition 2, नेबुला"
    assert second.facts["label"] == "नेबुला"
    assert second.facts["partition type"] == "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 Microsoft basic data"
    assert second.facts["attributes"] == "required, hidden"
    assert second.facts["disk id"] == "00112233-4455-6677-8899-aabbccddeeff"


def test_gaps_leave_out_both_copies_of_the_table() -> None:
    records = records_of(Gpt(), disk())

    assert gaps_of(records) == [(34 * SECTOR, 6 * SECTOR), (6144 * SECTOR, (10_000 - 33 - 6144) * SECTOR)]


def test_sectors_of_4096_bytes_are_read() -> None:
    source = disk(sector_size=4096)
    records = records_of(Gpt(), source)

    assert Gpt().probe(source)
    assert volumes_of(records) == {"1": (40 * 4096, 2008 * 4096), "2": (2048 * 4096, 4096 * 4096)}
    assert notices_of(records) == []


@pytest.mark.parametrize("distance", [0, 16, 30, 91])
def test_a_damaged_primary_header_gives_way_to_the_backup(distance: int) -> None:
    source = disk()
    spoil(source, SECTOR, distance)
    records = records_of(Gpt(), source)

    assert Gpt().probe(source)
    assert volumes_of(records) == PLAIN
    told = [(code, offset) for code, _, offset in notices_of(records)]
    assert told == [(NoticeCode.DAMAGED, SECTOR if distance else None), (NoticeCode.ASSUMED, LAST)]


def test_damaged_primary_entries_give_way_to_the_backup() -> None:
    source = disk()
    spoil(source, 2 * SECTOR, 33)
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert notices_of(records) == [(NoticeCode.DAMAGED, "", SECTOR), (NoticeCode.ASSUMED, "", LAST)]


def test_a_damaged_backup_is_told_and_the_primary_read() -> None:
    source = disk()
    spoil(source, LAST, 20)
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert notices_of(records) == [(NoticeCode.DAMAGED, "", LAST)]


def test_of_two_damaged_copies_the_entries_are_read_and_called_assumed() -> None:
    source = disk()
    spoil(source, SECTOR, 16)
    spoil(source, LAST, 16)
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert [code for code, _, _ in notices_of(records)] == [NoticeCode.DAMAGED, NoticeCode.DAMAGED, NoticeCode.ASSUMED]


def test_entries_without_any_header_are_found_where_they_usually_lie() -> None:
    source = disk()
    del source.blocks[SECTOR], source.blocks[LAST]
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert [code for code, _, _ in notices_of(records)][-1] is NoticeCode.ASSUMED


def test_a_protective_mbr_without_anything_behind_it_is_damaged_not_empty() -> None:
    source = HoleySource(1 << 20, {0: mbr_sector([(0xEE, 1, 2047)])})

    assert Gpt().probe(source)
    with pytest.raises(CorruptStructureError, match="neither header"):
        records_of(Gpt(), source)


def test_a_wiped_start_is_read_by_the_backup_alone() -> None:
    source = HoleySource(
        SECTORS * SECTOR, {at: block for at, block in gpt_blocks(ROWS, SECTORS).items() if at > 1 << 20}
    )
    records = records_of(Gpt(), source)

    assert Gpt().probe(source)
    assert volumes_of(records) == PLAIN
    assert [code for code, _, _ in notices_of(records)] == [
        NoticeCode.DAMAGED,
        NoticeCode.ASSUMED,
        NoticeCode.ASSUMED,
    ]


def test_a_stale_backup_behind_a_file_system_divides_nothing() -> None:
    blocks = {at: block for at, block in gpt_blocks(ROWS, SECTORS).items() if at > 1 << 20}

    assert not Gpt().probe(HoleySource(SECTORS * SECTOR, blocks | {1080: b"\x53\xef"}))
    assert not Gpt().probe(HoleySource(SECTORS * SECTOR, blocks | {0x10040: b"_BHRfS_M"}))


def test_a_real_mbr_before_a_stale_gpt_wins() -> None:
    source = disk()
    source.blocks[0] = mbr_sector([(0x83, 2048, 4096)])

    assert not Gpt().probe(source)
    assert Mbr().probe(source)


def test_a_cut_image_tells_the_missing_backup_and_the_missing_bytes() -> None:
    source = disk()
    source.size = 4096 * SECTOR
    records = records_of(Gpt(), source)

    assert notices_of(records) == [
        (NoticeCode.TRUNCATED, "", None),
        (NoticeCode.TRUNCATED, "2", 2 * SECTOR + 128),
    ]
    assert volumes_of(records) == {"1": PLAIN["1"], "2": (2048 * SECTOR, 2048 * SECTOR)}


def test_a_backup_before_the_end_of_a_larger_image_is_found() -> None:
    source = disk()
    source.size += 5000 * SECTOR
    spoil(source, SECTOR, 16)

    assert volumes_of(records_of(Gpt(), source)) == PLAIN


def test_copies_that_differ_are_told() -> None:
    source = disk()
    other = gpt_blocks((gpt_entry(40, 2047),), SECTORS)
    source.blocks |= {at: block for at, block in other.items() if at > 1 << 20}
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert notices_of(records) == [(NoticeCode.DAMAGED, "", LAST)]


def test_backward_and_broken_entries_are_told() -> None:
    broken = bytearray(gpt_entry(7000, 7999))
    broken[56:60] = struct.pack("<HH", 0xD800, 0x41)
    records = records_of(Gpt(), disk((gpt_entry(6000, 5000), bytes(broken))))

    assert notices_of(records) == [
        (NoticeCode.DAMAGED, "1", 2 * SECTOR),
        (NoticeCode.NAME_UNDECODABLE, "2", 2 * SECTOR + 128),
    ]
    assert volumes_of(records) == {"2": (7000 * SECTOR, 1000 * SECTOR)}


def test_a_count_of_entries_that_does_not_fit_is_damage() -> None:
    source = disk()
    for at in (SECTOR, LAST):
        block = bytearray(source.blocks[at])
        struct.pack_into("<II", block, 80, 0xFFFFFFFF, 0xFFFFFFFF)
        source.blocks[at] = bytes(block)
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    messages = [record.message for record in records if isinstance(record, Notice)]
    assert any("checksum of the header" in message for message in messages)


def test_a_hybrid_entry_that_the_table_does_not_know_is_told() -> None:
    source = disk()
    source.blocks[0] = mbr_sector([(0x83, 40, 2008), (0xEE, 1, 39), (0x07, 7000, 100)])
    records = records_of(Gpt(), source)

    assert volumes_of(records) == PLAIN
    assert notices_of(records) == [(NoticeCode.SKIPPED, "", 446 + 32)]


def test_a_missing_protective_mbr_is_told() -> None:
    source = disk()
    del source.blocks[0]

    assert Gpt().probe(source)
    assert notices_of(records_of(Gpt(), source)) == [(NoticeCode.ASSUMED, "", 0)]


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(Gpt())


def test_mutated_tables_end_in_records_notices_or_our_own_errors() -> None:
    content = disk().read_at(0, 1 << 30)
    spots = [(446, 66), (SECTOR, 92), (2 * SECTOR, 256), (LAST, 92), (LAST - 32 * SECTOR, 256)]
    claimed = sum(survives(Gpt(), copy) for copy in mutations(content, spots, 100))

    assert claimed > 50


SAMPLES = [
    ("gpt.bin", 61_440_000, 512, {"1": (40, 409_600), "2": (411_648, 61_026_304)}),
    ("gpt_4k.bin", 4192, 4096, {"1": (256, 257), "2": (768, 257), "3": (1280, 2907)}),
    (
        "gpt_esxi.bin",
        297_795_584,
        512,
        {
            "1": (64, 204_800),
            "5": (208_896, 8_386_560),
            "6": (8_597_504, 8_386_560),
            "7": (16_986_112, 251_449_344),
            "8": (268_437_504, 29_358_047),
        },
    ),
    ("gpt_hybrid.bin", 4096, 512, {"1": (2048, 1025), "2": (34, 2014), "3": (3073, 990)}),
    ("gpt_no_name_xff.bin", 41_943_040, 512, {"1": (2048, 41_938_945)}),
]


@pytest.mark.parametrize(("name", "sectors", "sector_size", "expected"), SAMPLES)
def test_sample_tables_are_read_as_their_makers_say(
    name: str, sectors: int, sector_size: int, expected: dict[str, tuple[int, int]]
) -> None:
    head = shared(f"engine/dissect/volume/{name}").read_bytes()
    records = records_of(Gpt(), HoleySource(sectors * sector_size, {0: head}))

    assert volumes_of(records) == {
        address: (first * sector_size, count * sector_size) for address, (first, count) in expected.items()
    }


def test_a_sample_that_is_cut_behind_its_table_says_so_for_every_partition() -> None:
    source = FileSource(shared("engine/dissect/volume/gpt.bin"))
    records = records_of(Gpt(), source)

    assert Gpt().probe(source)
    assert volumes_of(records) == {"1": (40 * SECTOR, 32_768 - 40 * SECTOR)}
    assert [(code, address) for code, address, _ in notices_of(records)] == [
        (NoticeCode.TRUNCATED, ""),
        (NoticeCode.TRUNCATED, "1"),
        (NoticeCode.TRUNCATED, "2"),
    ]


def test_a_partition_may_hold_a_table_of_its_own() -> None:
    inner = disk()
    outer = mbr_sector([(0x83, 1, SECTORS)]) + inner.read_at(0, inner.size)
    volume = records_of(Mbr(), BytesSource(outer))[0]

    assert isinstance(volume, Volume)
    assert Gpt().probe(volume.source)
    assert volumes_of(records_of(Gpt(), volume.source)) == PLAIN
