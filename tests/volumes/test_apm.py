"""Apple partition maps: block sizes, free space, damage."""

from __future__ import annotations

import io
import struct

import pytest
from dissect.volume.disk.schemes import APM

from kaval.core.contracts import Volume
from kaval.core.records import NoticeCode
from kaval.core.sources import BytesSource
from kaval.volumes.apm import ApplePartitionMap
from tests.volumes.contract import (
    gaps_of,
    mutations,
    notices_of,
    records_of,
    refuses_short_and_random_sources,
    survives,
    volumes_of,
)
from tests.volumes.disks import mbr_sector

Row = tuple[str, str, int, int]
ROWS: list[Row] = [
    ("Apple", "Apple_partition_map", 1, 15),
    ("lumen", "Apple_HFS", 16, 100),
    ("", "Apple_Free", 116, 20),
    ("tarn", "Apple_HFSX", 140, 60),
]


def disk(rows: list[Row], block_size: int = 512, blocks: int = 220, described: int | None = None) -> bytearray:
    image = bytearray(blocks * block_size)
    if described != 0:
        image[:8] = struct.pack(">2sHI", b"ER", described or block_size, blocks)
    for number, (name, kind, first, count) in enumerate(rows, 1):
        entry = struct.pack(
            ">2sHIII32s32sIII", b"PM", 0, len(rows), first, count, name.encode(), kind.encode(), 0, count, 51
        )
        image[number * block_size : number * block_size + len(entry)] = entry
    return image


@pytest.mark.parametrize("block_size", [512, 1024, 2048, 4096])
def test_partitions_are_numbered_as_the_map_counts(block_size: int) -> None:
    source = BytesSource(bytes(disk(ROWS, block_size)))
    records = records_of(ApplePartitionMap(), source)

    assert ApplePartitionMap().probe(source)
    assert volumes_of(records) == {
        "2": (16 * block_size, 100 * block_size),
        "4": (140 * block_size, 60 * block_size),
    }
    assert gaps_of(records) == [(116 * block_size, 24 * block_size), (200 * block_size, 20 * block_size)]
    assert notices_of(records) == []
    assert isinstance(records[0], Volume)
    assert records[0].title == "Partition 2, lumen"
    assert records[0].facts == {"partition type": "Apple_HFS", "label": "lumen", "sector size": str(block_size)}


def test_a_map_without_driver_descriptor_is_known_by_its_first_entry() -> None:
    assert ApplePartitionMap().probe(BytesSource(bytes(disk(ROWS, described=0))))
    assert not ApplePartitionMap().probe(BytesSource(bytes(disk(ROWS[1:], described=0))))


def test_a_map_in_blocks_of_512_on_a_disc_of_2048_is_found() -> None:
    records = records_of(ApplePartitionMap(), BytesSource(bytes(disk(ROWS, described=2048))))

    assert volumes_of(records)["2"] == (16 * 512, 100 * 512)


def test_a_second_reader_sees_the_same_partitions() -> None:
    content = bytes(disk(ROWS))
    stream = io.BytesIO(content)
    stream.seek(512)
    theirs = {str(part.number): (part.offset, part.size) for part in APM(stream).partitions}

    ours = volumes_of(records_of(ApplePartitionMap(), BytesSource(content)))
    assert ours == {address: theirs[address] for address in ("2", "4")}


def test_a_damaged_entry_is_told_and_the_rest_read() -> None:
    image = disk(ROWS)
    image[2 * 512 : 2 * 512 + 2] = b"XX"
    records = records_of(ApplePartitionMap(), BytesSource(bytes(image)))

    assert notices_of(records) == [(NoticeCode.DAMAGED, "2", 1024)]
    assert sorted(volumes_of(records)) == ["4"]


def test_a_map_that_claims_too_many_entries_is_cut() -> None:
    image = disk(ROWS)
    image[512 + 4 : 512 + 8] = b"\xff" * 4
    notices = notices_of(records_of(ApplePartitionMap(), BytesSource(bytes(image))))

    assert notices[0] == (NoticeCode.COUNT_LIMIT, "", 512)
    assert len(notices) < 300


def test_a_dos_table_beside_the_map_is_told() -> None:
    image = disk(ROWS, described=0)
    image[:512] = mbr_sector([(0x83, 0, 100)])
    records = records_of(ApplePartitionMap(), BytesSource(bytes(image)))

    assert notices_of(records) == [(NoticeCode.SKIPPED, "", 446)]
    assert sorted(volumes_of(records)) == ["2", "4"]


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(ApplePartitionMap())


def test_mutated_maps_end_in_records_notices_or_our_own_errors() -> None:
    spots = [(0, 8), (512, 100), (1024, 100), (1536, 100), (2048, 100)]
    claimed = sum(survives(ApplePartitionMap(), copy) for copy in mutations(bytes(disk(ROWS)), spots, 150))

    assert claimed > 80
