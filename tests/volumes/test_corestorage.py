"""CoreStorage with FileVault 2, built in code: opened by password or recovery key; locked, damaged, hostile ones."""

from __future__ import annotations

import functools
import random
import struct

import pytest

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, LockedError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.sources import BytesSource
from kaval.volumes.corestorage import CoreStorage
from tests.volumes.contract import records_of, refuses_short_and_random_sources, survives
from tests.volumes.corestorage_images import (
    BACKUP_BLOCK,
    BLOCK,
    DATA_BLOCK,
    DATA_BLOCKS,
    ENCRYPTED_BLOCK,
    HFS_HEADER,
    LOGICAL,
    METADATA_BLOCK,
    volume,
)

RECOVERY = "35AJ-AC98-TI1H-N4M3-HDUQ-UQFG"
KEYS = Keyring(passphrases=("brindle", "glimmer"))


def plain() -> bytes:
    """Return bytes with the mark of an HFS+ volume where its header lies."""
    content = bytearray(random.Random(1).randbytes(DATA_BLOCKS * BLOCK))
    content[HFS_HEADER : HFS_HEADER + 2] = b"H+"
    return bytes(content)


@functools.cache
def image() -> bytes:
    return bytes(volume(plain(), b"glimmer", RECOVERY.encode()))


def opened(content: bytes, keyring: Keyring) -> Volume:
    records = records_of(CoreStorage(), BytesSource(content), keyring)
    assert len(records) == 1
    assert isinstance(records[0], Volume)
    return records[0]


def test_a_password_among_others_opens_the_logical_volume() -> None:
    found = opened(image(), KEYS)

    assert CoreStorage().probe(BytesSource(image()))
    assert (found.address, found.offset, found.title) == ("1", None, "Opened logical volume lumen")
    assert found.facts == {"name": "lumen", "volume id": str(LOGICAL), "opened with": "passphrase 2"}
    assert found.source.read_at(0, 1 << 20) == plain()
    assert found.source.read_at(5000, 700) == plain()[5000:5700]


@pytest.mark.parametrize(
    ("keyring", "name"),
    [
        (Keyring(recovery_keys=(RECOVERY,)), "recovery key 1"),
        (Keyring(passphrases=(RECOVERY,)), "passphrase 1"),
    ],
)
def test_a_recovery_key_opens_it(keyring: Keyring, name: str) -> None:
    assert opened(image(), keyring).facts["opened with"] == name


def test_a_locked_volume_says_what_it_needs_and_a_wrong_key_says_so() -> None:
    with pytest.raises(LockedError, match=r"it needs the password of a user or the recovery key$"):
        opened(image(), Keyring())
    with pytest.raises(LockedError, match="none of the 1 keys given opens it") as caught:
        opened(image(), Keyring(passphrases=("sedge",)))

    assert "sedge" not in str(caught.value)


def test_a_right_key_over_a_damaged_header_is_told_to_look_wrong() -> None:
    broken = bytearray(image())
    broken[DATA_BLOCK * BLOCK + HFS_HEADER] ^= 1

    with pytest.raises(LockedError, match="where that is damaged, a right key looks wrong"):
        opened(bytes(broken), KEYS)


def test_unreadable_sectors_stay_unreadable() -> None:
    class Failing(BytesSource):
        broken = False

        def read_at(self, offset: int, length: int) -> bytes:
            place = (DATA_BLOCK + 4) * BLOCK
            if self.broken and offset <= place < offset + length:
                raise UnreadableError(place, 512, "a bad sector")
            return super().read_at(offset, length)

    source = Failing(image())
    found = next(CoreStorage().open(source, KEYS))
    source.broken = True

    assert isinstance(found, Volume)
    assert found.source.read_at(2 * BLOCK, 64) == plain()[2 * BLOCK : 2 * BLOCK + 64]
    with pytest.raises(UnreadableError):
        found.source.read_at(4 * BLOCK, 64)


@pytest.mark.parametrize(("offset", "value"), [(8, 2), (10, 0x11), (48, 7), (88, 0)])
def test_what_only_resembles_a_physical_volume_is_none(offset: int, value: int) -> None:
    content = bytearray(image())
    content[offset] = value

    assert not CoreStorage().probe(BytesSource(bytes(content)))


def test_metadata_that_are_none_are_damaged() -> None:
    content = bytearray(image())
    for block in (METADATA_BLOCK, ENCRYPTED_BLOCK, BACKUP_BLOCK):
        content[block * BLOCK : (block + 2) * BLOCK] = bytes(2 * BLOCK)

    with pytest.raises(CorruptStructureError, match="CoreStorage metadata is damaged"):
        opened(bytes(content), KEYS)


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(CoreStorage())


def test_mutated_volumes_end_in_records_notices_or_our_own_errors() -> None:
    chance = random.Random(2)
    spots = [(0, 400), (METADATA_BLOCK * BLOCK, 300), ((METADATA_BLOCK + 2) * BLOCK, 500)]
    spots += [(block * BLOCK + part * 8192, 8192) for block in (ENCRYPTED_BLOCK, BACKUP_BLOCK) for part in range(4)]
    claimed = 0
    for _ in range(100):
        content = bytearray(image())
        for _ in range(chance.choice((1, 4, 40))):
            start, length = chance.choice(spots)
            content[start + chance.randrange(length)] = chance.randrange(256)
        claimed += survives(CoreStorage(), bytes(content), KEYS)

    assert claimed > 50


def test_a_header_alone_is_damaged() -> None:
    block = bytearray(512)
    struct.pack_into("<IIHHI", block, 0, 0, 0xFFFFFFFF, 1, 0x10, 0)
    struct.pack_into("<I", block, 48, 512)
    block[88:90] = b"CS"

    with pytest.raises(CorruptStructureError):
        opened(bytes(block).ljust(1 << 20, b"\0"), KEYS)
