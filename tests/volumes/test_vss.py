"""Volume shadow copies: a store shows the volume as it was, block by block; damage and repeated looks."""

from __future__ import annotations

import io
import random

import pytest
from dissect.volume.vss import VSS

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.sources import BytesSource
from kaval.volumes.vss import VolumeShadows
from tests.volumes.contract import NO_KEYS, mutations, records_of, refuses_short_and_random_sources, survives
from tests.volumes.shadow_images import (
    BITMAP,
    BLOCK,
    BLOCK_LIST,
    CATALOGUE,
    CHANGED,
    RANGE_LIST,
    SIZE,
    STORE_HEADER,
    volume,
)

SOURCE = BytesSource(bytes(volume()))


def store() -> Volume:
    records = records_of(VolumeShadows(), SOURCE)
    assert len(records) == 1
    assert isinstance(records[0], Volume)
    return records[0]


def test_a_store_is_told_with_its_time_and_identifiers() -> None:
    found = store()

    assert VolumeShadows().probe(SOURCE)
    assert VolumeShadows.alongside
    assert (found.address, found.offset, found.source.size) == ("1", None, SIZE)
    assert found.title == "Shadow copy 1 of 2022-06-18T04:26:40Z"
    assert found.facts["store id"] == "11111111-2222-3333-4444-555555555555"
    assert found.facts["copy id"] == "66666666-7777-8888-9999-aaaaaaaaaaaa"


def test_a_changed_block_is_read_as_it_was_and_the_others_through_to_the_volume() -> None:
    source = store().source

    assert SOURCE.read_at(CHANGED, 4) == b"NNNN"
    assert source.read_at(CHANGED - 2, BLOCK + 4) == b"\x13\x13" + b"O" * BLOCK + b"\x15\x15"
    assert source.read_at(30 * BLOCK + 7, 5) == bytes([30]) * 5
    assert source.read_at(SIZE - 3, 100) == SOURCE.read_at(SIZE - 3, 3)


def test_a_second_reader_sees_the_same_store() -> None:
    # The two readers disagree on blocks that both bitmaps call unused, so the image has none here.
    theirs = VSS(io.BytesIO(bytes(volume()))).catalog.stores[0].open()
    theirs.seek(16 * BLOCK)

    assert store().source.read_at(16 * BLOCK, 8 * BLOCK) == theirs.read(8 * BLOCK)


def test_a_block_that_both_bitmaps_call_unused_reads_as_zeros() -> None:
    image = volume()
    image[BITMAP + 128 + 3] |= 1 << 6
    found = records_of(VolumeShadows(), BytesSource(bytes(image)))[0]

    assert isinstance(found, Volume)
    assert found.source.read_at(30 * BLOCK, BLOCK) == bytes(BLOCK)
    assert found.source.read_at(31 * BLOCK, 3) == bytes([31]) * 3


def test_a_store_is_not_looked_into_for_further_stores() -> None:
    source = store().source

    assert source.read_at(0x1E00, 16) == SOURCE.read_at(0x1E00, 16)
    assert not VolumeShadows().probe(source)


def test_a_volume_without_stores_yields_nothing() -> None:
    image = volume()
    image[0x1E00 + 48 : 0x1E00 + 56] = bytes(8)

    assert records_of(VolumeShadows(), BytesSource(bytes(image))) == []


def test_a_catalogue_that_cannot_be_read_is_damaged() -> None:
    image = volume()
    image[CATALOGUE : CATALOGUE + 16] = bytes(16)

    with pytest.raises(CorruptStructureError, match="catalogue"):
        records_of(VolumeShadows(), BytesSource(bytes(image)))


def test_unreadable_blocks_of_the_volume_are_unreadable_in_the_store() -> None:
    class Failing(BytesSource):
        broken = False

        def read_at(self, offset: int, length: int) -> bytes:
            if self.broken and offset <= 40 * BLOCK < offset + length:
                raise UnreadableError(40 * BLOCK, 512, "a bad sector")
            return super().read_at(offset, length)

    source = Failing(bytes(volume()))
    found = next(VolumeShadows().open(source, NO_KEYS))
    source.broken = True

    assert isinstance(found, Volume)
    assert found.source.read_at(41 * BLOCK, 3) == b"\x29\x29\x29"
    with pytest.raises(UnreadableError):
        found.source.read_at(40 * BLOCK - 5, 10)


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(VolumeShadows())
    noise = random.Random(1).randbytes(0x2000)
    assert not VolumeShadows().probe(BytesSource(noise))


def test_mutated_stores_end_in_records_notices_or_our_own_errors() -> None:
    spots = [(0, 64), (0x1E00, 128), (CATALOGUE, 384), (STORE_HEADER, 220), (BLOCK_LIST, 170), (RANGE_LIST, 160)]
    spots.append((BITMAP, 130))
    claimed = sum(survives(VolumeShadows(), copy) for copy in mutations(bytes(volume()), spots, 150))

    assert claimed > 100
