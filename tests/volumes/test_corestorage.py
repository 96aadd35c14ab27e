"""CoreStorage: recognised, and refused with our own errors where its metadata are none. No sample is at hand."""

from __future__ import annotations

import random
import struct

import pytest

from kaval.core.errors import CorruptStructureError
from kaval.core.sources import BytesSource
from kaval.volumes.corestorage import CoreStorage
from tests.volumes.contract import records_of, refuses_short_and_random_sources, survives


def header() -> bytearray:
    """Return a physical volume header whose metadata lie nowhere."""
    block = bytearray(512)
    struct.pack_into("<IIHHI", block, 0, 0, 0xFFFFFFFF, 1, 0x10, 0)
    struct.pack_into("<I", block, 48, 512)
    struct.pack_into("<Q", block, 64, 1 << 20)
    struct.pack_into("<2sIHIIQQQQ", block, 88, b"CS", 1, 0, 4096, 8192, 1, 2, 3, 4)
    return block


def test_a_physical_volume_is_recognised() -> None:
    assert CoreStorage().probe(BytesSource(bytes(header()).ljust(1 << 20, b"\0")))


@pytest.mark.parametrize(("offset", "value"), [(8, 2), (10, 0x11), (48, 7), (88, 0)])
def test_what_only_resembles_one_is_not(offset: int, value: int) -> None:
    block = header()
    block[offset] = value

    assert not CoreStorage().probe(BytesSource(bytes(block).ljust(1 << 20, b"\0")))


def test_metadata_that_are_none_are_damaged() -> None:
    with pytest.raises(CorruptStructureError, match="CoreStorage metadata is damaged"):
        records_of(CoreStorage(), BytesSource(bytes(header()).ljust(1 << 20, b"\0")))


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(CoreStorage())


def test_mutated_headers_end_in_our_own_errors() -> None:
    chance = random.Random(2)
    claimed = 0
    for _ in range(150):
        image = bytearray(bytes(header()).ljust(1 << 20, b"\0"))
        for _ in range(chance.choice((1, 4, 40))):
            image[chance.choice((0, 92, 4096, 8192, 12288)) + chance.randrange(400)] = chance.randrange(256)
        claimed += survives(CoreStorage(), bytes(image))

    assert claimed > 20
