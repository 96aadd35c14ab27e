"""Master boot records: primary and logical partitions, what is damaged in them, and what is none."""

from __future__ import annotations

import zipfile
from pathlib import Path

from kaval.core.contracts import Volume
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import BytesSource, FileSource
from kaval.volumes.mbr import MAXIMUM_RECORDS, Mbr
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
from tests.volumes.disks import SECTOR, HoleySource, fat_boot_sector, mbr_sector

MIB = 1 << 20


def disk(blocks: dict[int, bytes], sectors: int = 40_000) -> HoleySource:
    return HoleySource(sectors * SECTOR, {sector * SECTOR: block for sector, block in blocks.items()})


def extended_disk() -> HoleySource:
    """One primary partition, then an extended one with three logical ones."""
    return disk(
        {
            0: mbr_sector([(0x07, 2048, 4096), (0x05, 8192, 24_000)], active=0),
            8192: mbr_sector([(0x83, 63, 1000), (0x05, 8000, 4000)]),
            16_192: mbr_sector([(0x0B, 63, 2000), (0x05, 16_000, 4000)]),
            24_192: mbr_sector([(0x82, 63, 3000)]),
        }
    )


def test_primary_and_logical_partitions_are_numbered_as_the_table_counts() -> None:
    source = extended_disk()
    records = records_of(Mbr(), source)

    assert Mbr().probe(source)
    assert volumes_of(records) == {
        "1": (2048 * SECTOR, 4096 * SECTOR),
        "5": (8255 * SECTOR, 1000 * SECTOR),
        "6": (16_255 * SECTOR, 2000 * SECTOR),
        "7": (24_255 * SECTOR, 3000 * SECTOR),
    }
    assert notices_of(records) == []
    first = records[0]
    assert isinstance(first, Volume)
    assert first.facts == {
        "table": "primary",
        "partition type": "07 NTFS, exFAT or HPFS",
        "active": "yes",
        "sector size": "512",
    }


def test_the_bytes_between_volumes_and_records_are_told_as_unallocated() -> None:
    records = records_of(Mbr(), extended_disk())

    assert gaps_of(records)[:4] == [
        (1 * SECTOR, 2047 * SECTOR),
        (6144 * SECTOR, 2048 * SECTOR),
        (8193 * SECTOR, 62 * SECTOR),
        (9255 * SECTOR, 6937 * SECTOR),
    ]
    taken = sum(size for _, size in volumes_of(records).values()) + sum(size for _, size in gaps_of(records))
    assert taken + 4 * SECTOR == extended_disk().size


def test_a_chain_that_returns_to_a_record_ends_with_a_notice() -> None:
    source = extended_disk()
    source.blocks[24_192 * SECTOR] = mbr_sector([(0x82, 63, 3000), (0x05, 8000, 4000)])
    records = records_of(Mbr(), source)

    assert notices_of(records) == [(NoticeCode.LOOP, "", 16_192 * SECTOR)]
    assert sorted(volumes_of(records)) == ["1", "5", "6", "7"]


def test_an_extended_record_without_its_mark_is_damaged_and_says_where() -> None:
    source = extended_disk()
    source.blocks[16_192 * SECTOR] = bytes(SECTOR)
    records = records_of(Mbr(), source)

    assert notices_of(records) == [(NoticeCode.DAMAGED, "", 16_192 * SECTOR)]
    assert sorted(volumes_of(records)) == ["1", "5"]


def test_an_extended_record_behind_the_end_is_truncated_and_one_outside_its_partition_is_told() -> None:
    cut = extended_disk()
    cut.size = 20_000 * SECTOR
    outside = extended_disk()
    outside.blocks[16_192 * SECTOR] = mbr_sector([(0x0B, 63, 2000), (0x05, 30_000, 4000)])
    outside.blocks[38_192 * SECTOR] = mbr_sector([(0x82, 63, 500)])

    assert notices_of(records_of(Mbr(), cut)) == [(NoticeCode.TRUNCATED, "", 24_192 * SECTOR)]
    assert notices_of(records_of(Mbr(), outside)) == [(NoticeCode.DAMAGED, "", 38_192 * SECTOR)]
    assert volumes_of(records_of(Mbr(), outside))["7"] == (38_255 * SECTOR, 500 * SECTOR)


def test_an_endless_chain_of_empty_records_is_cut() -> None:
    blocks = {0: mbr_sector([(0x05, 100, 39_000)])}
    blocks |= {100 + step: mbr_sector([(0, 0, 0), (0x05, step + 1, 1)]) for step in range(MAXIMUM_RECORDS + 50)}
    records = records_of(Mbr(), disk(blocks))

    assert [code for code, _, _ in notices_of(records)] == [NoticeCode.COUNT_LIMIT]


def test_partitions_that_share_bytes_are_told_and_both_are_read() -> None:
    records = records_of(Mbr(), disk({0: mbr_sector([(0x07, 2048, 4096), (0x83, 4096, 8192)])}))

    assert notices_of(records) == [(NoticeCode.OVERLAP, "2", 462)]
    assert volumes_of(records) == {"1": (MIB, 2 * MIB), "2": (2 * MIB, 4 * MIB)}


def test_the_same_range_named_twice_is_read_once() -> None:
    records = records_of(Mbr(), disk({0: mbr_sector([(0x07, 2048, 4096), (0x83, 2048, 4096)])}))

    assert notices_of(records) == [(NoticeCode.OVERLAP, "2", 462)]
    assert sorted(volumes_of(records)) == ["1"]


def test_of_a_partition_that_runs_past_the_end_what_is_there_is_read() -> None:
    table = mbr_sector([(0x07, 2048, 4096), (0x83, 8192, 8192), (0x83, 20_000, 100)])
    records = records_of(Mbr(), disk({0: table}, sectors=10_000))

    assert notices_of(records) == [(NoticeCode.TRUNCATED, "2", 462), (NoticeCode.TRUNCATED, "3", 478)]
    assert volumes_of(records) == {"1": (MIB, 2 * MIB), "2": (4 * MIB, 1808 * SECTOR)}
    cut = next(record for record in records if isinstance(record, Volume) and record.address == "2")
    assert cut.facts["size by the table"] == str(8192 * SECTOR)
    told = [record.message for record in records if isinstance(record, Notice)]
    assert "nothing of it is there" in told[1]


def test_an_entry_without_size_is_told() -> None:
    records = records_of(Mbr(), disk({0: mbr_sector([(0x07, 2048, 4096), (0x83, 8192, 0)])}))

    assert notices_of(records) == [(NoticeCode.DAMAGED, "2", 462), (NoticeCode.ABSURD_SIZE, "2", 462)]


def test_sectors_of_4096_bytes_are_known_by_where_volumes_start() -> None:
    blocks = {0: mbr_sector([(0x83, 256, 1024)]), 256 * 4096 + 1080: b"\x53\xef"}
    records = records_of(Mbr(), HoleySource(16 * MIB, blocks))

    assert volumes_of(records) == {"1": (256 * 4096, 1024 * 4096)}
    assert gaps_of(records)[0] == (4096, 255 * 4096)


def test_a_boot_sector_of_a_file_system_is_no_table() -> None:
    fat = fat_boot_sector()
    named = [b"\xeb\x52\x90" + name for name in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-")]
    for start in (fat, *named):
        boot = bytearray(mbr_sector([(0x83, 2048, 4096)]))
        boot[: len(start)] = start
        boot[440:] = fat[440:] if start is fat else boot[440:]
        assert not Mbr().probe(disk({0: bytes(boot)}))


def test_a_fat_volume_whose_code_looks_like_entries_is_no_table_while_its_fat_stands() -> None:
    boot = bytearray(fat_boot_sector())
    boot[446:512] = mbr_sector([(0x83, 2048, 4096)])[446:]

    assert not Mbr().probe(disk({0: bytes(boot), 1: b"\xf8\xff\xff\xff"}))
    assert Mbr().probe(disk({0: bytes(boot)}))


def test_protective_and_hybrid_records_are_left_to_gpt() -> None:
    assert not Mbr().probe(disk({0: mbr_sector([(0xEE, 1, 39_999)])}))
    assert not Mbr().probe(disk({0: mbr_sector([(0xEE, 1, 2047), (0x07, 2048, 4096)])}))


def test_a_mark_without_entries_divides_nothing() -> None:
    assert not Mbr().probe(disk({0: mbr_sector([])}))


def test_a_table_with_one_wild_entry_is_still_a_table() -> None:
    sector = bytearray(mbr_sector([(0x07, 2048, 4096), (0x83, 8192, 100)]))
    sector[462] = 0x33
    source = disk({0: bytes(sector)})

    assert Mbr().probe(source)
    assert notices_of(records_of(Mbr(), source)) == [(NoticeCode.DAMAGED, "2", 462)]


def test_a_partition_that_starts_at_the_table_is_not_divided_by_it_again() -> None:
    source = disk({0: mbr_sector([(0x17, 0, 39_000), (0xEF, 100, 50)])})
    records = records_of(Mbr(), source)
    whole = records[0]

    assert isinstance(whole, Volume)
    assert (whole.address, whole.offset) == ("1", 0)
    assert not Mbr().probe(whole.source)
    assert [code for code, _, _ in notices_of(records)] == [NoticeCode.OVERLAP]


def test_a_stale_gpt_behind_a_real_table_is_told() -> None:
    records = records_of(Mbr(), disk({0: mbr_sector([(0x83, 2048, 4096)]), 1: b"EFI PART"}))

    assert notices_of(records) == [(NoticeCode.ASSUMED, "", 512)]


def test_a_hybrid_iso_is_read_as_a_whole_as_well() -> None:
    descriptor = bytearray(b"\x01CD001\x01".ljust(2048, b"\0"))
    descriptor[128:130] = (2048).to_bytes(2, "little")
    descriptor[158:162] = (20).to_bytes(4, "little")
    root = b"\x22\0" + (20).to_bytes(4, "little") + bytes(26) + b"\x01\0"
    source = disk({0: mbr_sector([(0xEF, 400, 100)]), 64: bytes(descriptor), 80: root})
    records = records_of(Mbr(), source)

    assert notices_of(records) == [(NoticeCode.OVERLAP, "whole", 32768)]
    assert volumes_of(records) == {"1": (400 * SECTOR, 100 * SECTOR), "whole": (0, source.size)}


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(Mbr())


def test_mutated_tables_end_in_records_notices_or_our_own_errors() -> None:
    content = extended_disk().read_at(0, 1 << 30)
    spots = [(sector * SECTOR + 446, 66) for sector in (0, 8192, 16_192, 24_192)]
    claimed = sum(survives(Mbr(), copy) for copy in mutations(content, spots, 60))

    assert claimed > 10


def test_all_six_partitions_of_the_public_extended_partition_image_are_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(shared("engine/dftt/1-extend-part.zip")) as archive:
        path = Path(archive.extract("1-extend-part/ext-part-test-2.dd", tmp_path))
    records = records_of(Mbr(), FileSource(path))

    assert volumes_of(records) == {
        "1": (63 * SECTOR, 52_353 * SECTOR),
        "2": (52_416 * SECTOR, 52_416 * SECTOR),
        "3": (104_832 * SECTOR, 52_416 * SECTOR),
        "5": (157_311 * SECTOR, 52_353 * SECTOR),
        "6": (209_727 * SECTOR, 52_353 * SECTOR),
        "7": (262_143 * SECTOR, 50_337 * SECTOR),
    }
    assert notices_of(records) == []


def test_a_volume_is_a_slice_of_the_very_source() -> None:
    content = bytearray(mbr_sector([(0x83, 2, 3)]).ljust(20 * SECTOR, b"\0"))
    content[2 * SECTOR : 2 * SECTOR + 5] = b"nebul"
    records = records_of(Mbr(), BytesSource(bytes(content)))

    assert isinstance(records[0], Volume)
    assert records[0].source.read_at(0, 5) == b"nebul"
