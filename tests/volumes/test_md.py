"""Members of Linux RAID arrays: mirrors are read, everything else is told, remnants do not stand in the way."""

from __future__ import annotations

import random
import struct
from uuid import UUID

import pytest

from kaval.core.contracts import Volume
from kaval.core.errors import UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import BytesSource
from kaval.volumes.md import LinuxRaid
from kaval.volumes.md_tail import LinuxRaidTail
from tests.volumes.contract import (
    notices_of,
    records_of,
    refuses_short_and_random_sources,
    survives,
    volumes_of,
)

ARRAY = UUID("01234567-89ab-cdef-0123-456789abcdef")
SIZE = 4 << 20
DATA_SECTOR, DATA_SECTORS = 2048, 4096


def superblock(offset: int, level: int = 1, members: int = 2) -> bytes:
    """Return a superblock of version 1 for that place; this is member 1."""
    data = (DATA_SECTOR, DATA_SECTORS) if offset <= 4096 else (0, DATA_SECTORS)
    block = bytearray(256)
    struct.pack_into(
        "<IIII16s32sQiIQII", block, 0, 0xA92B4EFC, 1, 0, 0, ARRAY.bytes, b"tarn:0", 0, level, 0, 4096, 0, members
    )
    struct.pack_into("<QQQ", block, 128, *data, offset // 512)
    struct.pack_into("<I", block, 160, 1)
    struct.pack_into("<I", block, 220, 3)
    return sealed(block, struct.pack("<3H", 0, 1, 0xFFFE))


def sealed(block: bytearray, roles: bytes) -> bytes:
    """Return a superblock of version 1 whose checksum holds."""
    block[216:220] = bytes(4)
    words = struct.unpack("<64I", block)
    total = sum(words) + struct.unpack("<I", roles[:4])[0] + struct.unpack("<H", roles[4:])[0]
    struct.pack_into("<I", block, 216, ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF)
    return bytes(block) + roles


def old_superblock(level: int) -> bytes:
    """Return a superblock of version 0.90."""
    words = [0] * 1024
    words[:3] = (0xA92B4EFC, 0, 90)
    words[5], words[7], words[8], words[10] = 0x11111111, level, 2048, 3
    words[13:16] = (0x22222222, 0x33333333, 0x44444444)
    words[995] = 2
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return struct.pack("<1024I", *words)


def member(offset: int, content: bytes) -> bytearray:
    image = bytearray(SIZE)
    image[DATA_SECTOR * 512 : DATA_SECTOR * 512 + 5] = b"lumen"
    image[offset : offset + len(content)] = content
    return image


@pytest.mark.parametrize("offset", [0, 4096])
def test_a_mirror_is_read_where_its_data_starts(offset: int) -> None:
    source = BytesSource(bytes(member(offset, superblock(offset))))
    records = records_of(LinuxRaid(), source)

    assert LinuxRaid().probe(source)
    assert volumes_of(records) == {"1": (DATA_SECTOR * 512, DATA_SECTORS * 512)}
    assert isinstance(records[0], Volume)
    assert records[0].source.read_at(0, 5) == b"lumen"
    assert records[0].title == f"Data of a RAID 1 array “tarn:0” of 2 members ({ARRAY}); this is member 1"


@pytest.mark.parametrize(("level", "name"), [(0, "RAID 0"), (5, "RAID 5"), (10, "RAID 10"), (-1, "linear")])
def test_a_member_that_holds_only_parts_is_told(level: int, name: str) -> None:
    source = BytesSource(bytes(member(4096, superblock(4096, level, 3))))

    with pytest.raises(UnsupportedError, match=f"a member of a {name} array “tarn:0” of 3 members"):
        records_of(LinuxRaid(), source)


def test_a_cut_mirror_gives_what_is_there() -> None:
    image = member(4096, superblock(4096))[: DATA_SECTOR * 512 + 5000]
    records = records_of(LinuxRaid(), BytesSource(bytes(image)))

    assert notices_of(records) == [(NoticeCode.TRUNCATED, "", len(image))]
    assert volumes_of(records) == {"1": (DATA_SECTOR * 512, 5000)}


def test_a_remnant_behind_a_boot_sector_is_no_member() -> None:
    image = member(4096, superblock(4096))
    image[510:512] = b"\x55\xaa"

    assert not LinuxRaid().probe(BytesSource(bytes(image)))


@pytest.mark.parametrize(("level", "code"), [(1, NoticeCode.ASSUMED), (5, NoticeCode.UNSUPPORTED)])
@pytest.mark.parametrize("version", ["1.0", "0.90"])
def test_a_superblock_at_the_end_is_told_beside_what_is_read(version: str, level: int, code: NoticeCode) -> None:
    offset = SIZE - 8192 if version == "1.0" else SIZE - 65536
    content = superblock(offset, level, 3) if version == "1.0" else old_superblock(level)
    source = BytesSource(bytes(member(offset, content)))
    records = records_of(LinuxRaidTail(), source)

    assert LinuxRaidTail().probe(source)
    assert LinuxRaidTail.alongside
    assert notices_of(records) == [(code, "", offset)]
    assert isinstance(records[0], Notice)
    assert f"(version {version}) says: RAID {level} array" in records[0].message


def test_a_wrong_checksum_is_no_superblock() -> None:
    front = member(4096, superblock(4096))
    front[4096 + 92] ^= 1
    tail = member(SIZE - 65536, old_superblock(5))
    tail[SIZE - 65536 + 40] ^= 1

    assert not LinuxRaid().probe(BytesSource(bytes(front)))
    assert not LinuxRaidTail().probe(BytesSource(bytes(tail)))


def test_the_probes_refuse_short_and_random_sources() -> None:
    refuses_short_and_random_sources(LinuxRaid())
    refuses_short_and_random_sources(LinuxRaidTail())


def test_mutated_members_end_in_records_notices_or_our_own_errors() -> None:
    chance = random.Random(9)
    claimed = 0
    for _ in range(150):
        block = bytearray(superblock(4096)[:256])
        for _ in range(chance.choice((1, 3, 20))):
            block[chance.randrange(8, 216)] = chance.choice((0, 0xFF, chance.randrange(256)))
        content = member(4096, sealed(block, struct.pack("<3H", 0, 1, 0xFFFE)))
        claimed += survives(LinuxRaid(), bytes(content[: chance.choice((SIZE, 1 << 20))]))

    assert claimed > 50
