"""LVM2: linear and striped volumes, parts on other disks, damaged descriptions, types that are not read."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from dissect.volume.lvm import LVM2

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import BytesSource
from kaval.volumes.lvm2 import Lvm2
from kaval.volumes.lvm2.metadata import parse
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
from tests.volumes.lvm_images import AREA_OFFSET, DATA_OFFSET, EXTENT, SIZE, area, logical, segment, text, volume

LINEAR = logical("alpha", [segment(1, 0, 4, [("pv0", 2)])])
BROKEN_UP = logical("beta", [segment(1, 0, 2, [("pv0", 10)]), segment(2, 2, 3, [("pv0", 20)])])
STRIPED = logical("gamma", [segment(1, 0, 4, [("pv0", 24), ("pv0", 28)])])
HIDDEN = logical("delta", [segment(1, 0, 1, [("pv0", 30)])], status='"READ"')


def group(*volumes: str) -> BytesSource:
    return BytesSource(bytes(volume([(AREA_OFFSET, area(text(list(volumes))))])))


def named(records: list[Volume | Notice], name: str) -> Volume:
    return next(record for record in records if isinstance(record, Volume) and record.address == name)


def test_a_linear_volume_is_a_plain_range() -> None:
    source = group(LINEAR)
    records = records_of(Lvm2(), source)

    assert Lvm2().probe(source)
    assert volumes_of(records) == {"alpha": (DATA_OFFSET + 2 * EXTENT, 4 * EXTENT)}
    assert named(records, "alpha").facts == {"group": "tarn", "volume id": "lv-alpha", "segments": "1"}
    assert notices_of(records) == []


def test_a_volume_in_pieces_is_read_across_them() -> None:
    found = named(records_of(Lvm2(), group(BROKEN_UP)), "beta")

    assert found.offset is None
    assert found.source.size == 5 * EXTENT
    assert found.source.read_at(2 * EXTENT - 2, 4) == bytes([11, 11, 20, 20])
    assert found.source.read_at(5 * EXTENT - 1, 100) == bytes([22])


def test_segments_are_put_in_order_by_where_they_start() -> None:
    turned = logical("beta", [segment(1, 2, 3, [("pv0", 20)]), segment(2, 0, 2, [("pv0", 10)])])

    assert named(records_of(Lvm2(), group(turned)), "beta").source.read_at(0, 1) == bytes([10])


def test_a_striped_volume_is_dealt_out_in_stripes() -> None:
    found = named(records_of(Lvm2(), group(STRIPED)), "gamma")

    assert found.source.read_at(0, 3 * 4096) == bytes([24]) * 4096 + bytes([28]) * 4096 + bytes([24]) * 4096
    assert found.source.read_at(4 * EXTENT - 1, 1) == bytes([29])


def test_a_second_reader_sees_the_same_volumes() -> None:
    # Of striped volumes the other reader lays the stripes end to end; the test above says what is right.
    source = group(LINEAR, BROKEN_UP)
    records = records_of(Lvm2(), source)
    theirs = LVM2(io.BytesIO(source.read_at(0, SIZE)))
    for volume_ in theirs.vg.lv:
        ours = named(records, volume_.name).source
        assert ours.read_at(0, ours.size) == volume_.open().read(ours.size)


def test_space_of_no_volume_is_listed_and_hidden_volumes_are_not() -> None:
    records = records_of(Lvm2(), group(LINEAR, HIDDEN))

    assert sorted(volumes_of(records)) == ["alpha"]
    assert gaps_of(records) == [
        (DATA_OFFSET, 2 * EXTENT),
        (DATA_OFFSET + 6 * EXTENT, 26 * EXTENT),
    ]


def test_parts_on_another_disk_are_unreadable_and_told() -> None:
    spanning = logical("alpha", [segment(1, 0, 2, [("pv0", 5)]), segment(2, 2, 3, [("pv1", 7)])])
    records = records_of(Lvm2(), group(spanning))
    source = named(records, "alpha").source

    assert notices_of(records) == [(NoticeCode.UNREADABLE, "alpha", None)]
    assert source.size == 5 * EXTENT
    assert source.read_at(EXTENT - 1, 2) == bytes([5, 6])
    with pytest.raises(UnreadableError, match="physical volume pv1, which is not here"):
        source.read_at(2 * EXTENT - 1, 2)


def test_a_cut_physical_volume_is_told() -> None:
    image = volume([(AREA_OFFSET, area(text([LINEAR, BROKEN_UP])))])[: DATA_OFFSET + 5 * EXTENT]
    records = records_of(Lvm2(), BytesSource(bytes(image)))
    source = named(records, "alpha").source

    assert notices_of(records) == [
        (NoticeCode.TRUNCATED, "alpha", len(image)),
        (NoticeCode.TRUNCATED, "beta", len(image)),
    ]
    assert source.read_at(0, 3 * EXTENT)[-1] == 4
    with pytest.raises(UnreadableError):
        source.read_at(3 * EXTENT - 1, 2)


@pytest.mark.parametrize("kind", ["thin", "thin-pool", "raid1", "mirror", "cache", "snapshot", "vdo"])
def test_other_types_are_told_and_their_space_is_listed(kind: str) -> None:
    other = logical("omega", [segment(1, 0, 3, [("pv0", 8)], kind)])
    records = records_of(Lvm2(), group(LINEAR, other))

    assert notices_of(records) == [(NoticeCode.UNSUPPORTED, "omega", None)]
    assert gaps_of(records)[-1] == (DATA_OFFSET + 6 * EXTENT, 26 * EXTENT)


def test_a_text_that_runs_around_the_end_of_its_area_is_read() -> None:
    content = area(text([LINEAR]), start=4096 - 300, size=4096)

    assert sorted(volumes_of(records_of(Lvm2(), BytesSource(bytes(volume([(AREA_OFFSET, content)])))))) == ["alpha"]


def test_the_newest_text_is_read_and_a_damaged_area_told() -> None:
    old, new = area(text([LINEAR], 2)), area(text([STRIPED], 3), offset=DATA_OFFSET // 2)
    both = volume([(AREA_OFFSET, old), (DATA_OFFSET // 2, new)])
    damaged = bytearray(both)
    damaged[DATA_OFFSET // 2 + 600] ^= 1

    assert sorted(volumes_of(records_of(Lvm2(), BytesSource(bytes(both))))) == ["gamma"]
    records = records_of(Lvm2(), BytesSource(bytes(damaged)))
    assert sorted(volumes_of(records)) == ["alpha"]
    assert notices_of(records) == [(NoticeCode.DAMAGED, "", DATA_OFFSET // 2)]


def test_without_any_usable_text_the_group_is_damaged() -> None:
    image = volume([(AREA_OFFSET, bytes(4096))])

    assert Lvm2().probe(BytesSource(bytes(image)))
    with pytest.raises(CorruptStructureError, match="no area of this physical volume"):
        records_of(Lvm2(), BytesSource(bytes(image)))


def test_a_physical_volume_without_metadata_says_what_to_do() -> None:
    with pytest.raises(UnsupportedError, match="give the image of another one"):
        records_of(Lvm2(), BytesSource(bytes(volume([]))))


@pytest.mark.parametrize(
    ("volumes", "told"),
    [
        ([logical("alpha", [segment(1, 1, 4, [("pv0", 2)])])], "do not lie end to end"),
        ([logical("alpha", [segment(1, 0, 4, [("pv0", -2)])])], "starts at extent -2"),
        ([logical("alpha", [segment(2, 0, 4, [("pv0", 2)])])], "segment 1 of volume alpha is not there"),
        ([logical("alpha", [segment(1, 0, 3, [("pv0", 2), ("pv0", 9)]).replace("= 8", "= 0")])], "cannot be dealt out"),
    ],
)
def test_a_volume_that_contradicts_itself_is_told(volumes: list[str], told: str) -> None:
    records = records_of(Lvm2(), group(*volumes))

    assert notices_of(records) == [(NoticeCode.DAMAGED, "alpha", None)]
    assert told in next(record.message for record in records if isinstance(record, Notice))


def test_labels_are_found_in_the_first_four_sectors_only() -> None:
    content = [(AREA_OFFSET, area(text([LINEAR])))]
    found = [Lvm2().probe(BytesSource(bytes(volume(content, sector)))) for sector in range(6)]

    assert found == [True, True, True, True, False, False]


def test_a_label_with_a_wrong_checksum_is_none() -> None:
    image = volume([(AREA_OFFSET, area(text([LINEAR])))])
    image[512 + 40] ^= 1

    assert not Lvm2().probe(BytesSource(bytes(image)))


@pytest.mark.parametrize("broken", ["a {", "}", "a = ", "a = [1, 2", 'a = "b', "a b", "= 3", "a " + "{ b " * 40])
def test_a_text_that_breaks_off_is_damaged(broken: str) -> None:
    with pytest.raises(CorruptStructureError, match="LVM2 metadata"):
        parse(broken)


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(Lvm2())


def test_mutated_areas_end_in_records_notices_or_our_own_errors() -> None:
    content = bytes(volume([(AREA_OFFSET, area(text([LINEAR, STRIPED])))]))
    claimed = sum(
        survives(Lvm2(), copy) for copy in mutations(content, [(AREA_OFFSET, 80), (AREA_OFFSET + 512, 900)], 60)
    )

    assert claimed > 30


def test_mutated_texts_with_right_checksums_end_in_records_notices_or_our_own_errors() -> None:
    chance = random.Random(8)
    content = text([LINEAR, BROKEN_UP, STRIPED])
    for _ in range(100):
        letters = list(content)
        for _ in range(chance.choice((1, 2, 6))):
            letters[chance.randrange(len(letters))] = chance.choice('0123456789-{}[]=,"# \n')
        survives(Lvm2(), bytes(volume([(AREA_OFFSET, area("".join(letters)))])))


def test_the_thin_pool_of_the_sample_is_told() -> None:
    content = gzip.decompress(shared("engine/dissect/volume/lvm-thin.bin.gz").read_bytes())
    records = records_of(Lvm2(), BytesSource(content))

    assert [(code, address) for code, address, _ in notices_of(records)] == [
        (NoticeCode.UNSUPPORTED, "data"),
        (NoticeCode.UNSUPPORTED, "lv-1"),
        (NoticeCode.UNSUPPORTED, "lv-2"),
    ]
    assert gaps_of(records) == [(1 << 20, 16 << 20)]
