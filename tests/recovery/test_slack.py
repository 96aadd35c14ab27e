"""Slack: what lies behind the ends of files, and what NTFS gave to files that never wrote it."""

from __future__ import annotations

import struct

import pytest

from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Extent, Notice
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery.ntfs.slack import behind_valid
from kaval.recovery.slack import end_of, grain_of, joined, parts_of
from tests.filesystems.contract import GuardedSource, mutations
from tests.filesystems.ntfs_image import CLUSTER, IN_USE, NtfsImage, mapped, named, times


@pytest.mark.parametrize(
    ("extents", "size", "held", "behind"),
    [
        ([(8192, 100)], 100, [(8192, 8292)], [(8292, 12288)]),
        ([(8192, 4096)], 100, [(8192, 8292)], [(8292, 12288)]),
        ([(8192, 4096), (40960, 8192)], 4200, [(8192, 12288), (40960, 41064)], [(41064, 49152)]),
        ([(8192, 4096)], 4096, [(8192, 12288)], []),
        ([(512, 4096), (9216, 100)], 4196, [(512, 4608), (9216, 9316)], [(9316, 13312)]),
        ([(8192, 4096)], 0, [], [(8192, 12288)]),
        ([], 0, [], []),
    ],
)
def test_a_stream_is_told_from_what_lies_behind_it(
    extents: list[tuple[int, int]], size: int, held: list[tuple[int, int]], behind: list[tuple[int, int]]
) -> None:
    found = parts_of([Extent(offset=offset, length=length) for offset, length in extents], size, 4096)

    assert found == (held, behind)


def test_a_hole_has_no_slack() -> None:
    extents = [Extent(offset=4096, length=50), Extent(offset=0, length=9000, sparse=True)]

    assert parts_of(extents, 9050, 4096) == ([(4096, 4146)], [(4146, 8192)])


def test_ranges_that_touch_are_one() -> None:
    assert list(joined([(30, 40), (0, 10), (5, 12), (12, 13)])) == [
        Extent(offset=0, length=13),
        Extent(offset=30, length=10),
    ]


def test_only_file_systems_whose_ends_are_known_have_slack() -> None:
    assert grain_of("ntfs", {"cluster size": "4096"}) == 4096
    assert grain_of("ext", {"block size": "1024"}) == 1024
    assert grain_of("ext", {}) is None
    assert grain_of("btrfs", {"block size": "4096"}) is None


def test_a_file_system_says_where_it_ends() -> None:
    fat = struct.pack("<11xH6xH11xI", 512, 0, 1000).ljust(512, b"\0")
    small = struct.pack("<11xH6xH", 512, 77).ljust(512, b"\0")
    exfat = bytearray(512)
    struct.pack_into("<Q", exfat, 72, 300)
    exfat[108] = 9

    assert end_of("fat", BytesSource(fat), {}) == 512000
    assert end_of("fat", BytesSource(small), {}) == 77 * 512
    assert end_of("exfat", BytesSource(bytes(exfat)), {}) == 300 * 512
    assert end_of("ntfs", BytesSource(NtfsImage().build()), {}) == 256 * CLUSTER + 512
    assert end_of("ext", BytesSource(b""), {"blocks": "10", "block size": "1024"}) == 10240
    assert end_of("btrfs", BytesSource(b""), {}) is None
    assert end_of("exfat", BytesSource(bytes(512)), {}) is None


def _ranges(content: bytes) -> list[tuple[int, int] | Notice]:
    return list(behind_valid(FILESYSTEMS.get("ntfs").open(GuardedSource(content), Keyring())))


def _image() -> NtfsImage:
    image = NtfsImage()
    image.add(30, times(), named("tarn.bin"), mapped(0x80, [(80, 2), (-1, 3), (90, 4)], 9 * CLUSTER, valid=4100))
    image.add(31, times(), named("osk.bin"), mapped(0x80, [(100, 1)], CLUSTER, flags=1, unit=4))
    image.add(32, times(), named("gone.bin"), mapped(0x80, [(110, 2)], 10), flags=0)
    image.add(33, times(), named("full.bin"), mapped(0x80, [(120, 1)], CLUSTER))
    return image


def test_what_was_given_and_not_written_is_found_around_holes() -> None:
    assert _ranges(_image().build()) == [(81 * CLUSTER + 4, 82 * CLUSTER), (90 * CLUSTER, 94 * CLUSTER)]


def test_a_stream_in_several_records_is_followed() -> None:
    image = NtfsImage()
    listed = struct.pack("<IIBBHHHIHBB", 0x20, 24, 0, 0, 0, 0, 5, 0, 24, 0, 0)
    image.add(30, times(), named("tarn.bin"), listed, mapped(0x80, [(80, 1)], 3 * CLUSTER, valid=2 * CLUSTER))
    image.add(40, mapped(0x80, [(90, 1), (95, 1)], 0, first=1), flags=IN_USE, base=30 | 1 << 48)

    assert _ranges(image.build()) == [(95 * CLUSTER, 96 * CLUSTER)]


def test_a_damaged_table_ends_in_ranges_notices_or_our_own_errors() -> None:
    content = _image().build()
    found = 0
    for damaged in mutations(content, 300, 7, [(4 * CLUSTER, 34 * 1024), (0, 512)]):
        try:
            ranges = _ranges(damaged)
        except KavalError:
            continue
        found += (90 * CLUSTER, 94 * CLUSTER) in ranges
        assert all(isinstance(each, Notice) or 0 <= each[0] < each[1] for each in ranges)

    assert found > 100
