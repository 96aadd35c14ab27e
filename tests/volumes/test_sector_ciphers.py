"""AES over sectors: the same plain bytes as dissect and as one cipher call a sector."""

from __future__ import annotations

import random

import pytest
from dissect.fve.crypto import create_cipher

from kaval.core.errors import UnsupportedError
from kaval.volumes.encryption.aes_sectors import AesSectors
from tests.volumes.luks_images import encrypt

CHANCE = random.Random(5)
KEYS = {size: CHANCE.randbytes(size) for size in (16, 32, 64)}
ELEPHANT = KEYS[64][:16] + bytes(16) + KEYS[64][32:48] + bytes(16)
CASES = [
    ("aes-xts-plain64", "aes-xts-plain64", KEYS[64], KEYS[64], 512, 512),
    ("aes-xts-plain64", "aes-xts-plain64", KEYS[32], KEYS[32], 4096, 512),
    ("aes-xts-plain64", "aes-xts-plain64", b"a" * 32, b"a" * 32, 512, 512),
    ("aes-cbc-essiv:sha256", "aes-cbc-essiv:sha256", KEYS[32], KEYS[32], 512, 512),
    ("aes-cbc-plain", "aes-cbc-plain", KEYS[32], KEYS[32], 512, 512),
    ("aes-cbc-plain64", "aes-cbc-plain64", KEYS[16], KEYS[16], 4096, 512),
    ("aes-ecb", "aes-ecb", KEYS[32], KEYS[32], 512, 512),
    ("aes-cbc-eboiv", "aes-cbc-256-eboiv", KEYS[32], KEYS[32], 512, 512),
    ("aes-cbc-elephant", "aes-cbc-256-elephant", KEYS[64], KEYS[64], 512, 512),
    ("aes-cbc-elephant", "aes-cbc-128-elephant", KEYS[64][:16] + KEYS[64][32:48], ELEPHANT, 512, 512),
]


@pytest.mark.parametrize(("spec", "their_spec", "key", "their_key", "sector_size", "unit"), CASES)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_sectors_are_decrypted_as_dissect_does(
    spec: str, their_spec: str, key: bytes, their_key: bytes, sector_size: int, unit: int, count: int
) -> None:
    stored = random.Random(count).randbytes(count * sector_size)
    theirs = create_cipher(
        their_spec, their_key, None if "-256" in their_spec or "-128" in their_spec else 8 * len(key), sector_size, unit
    )
    ours = AesSectors(spec, key, sector_size, unit)

    assert ours.decrypt(stored, 77) == bytes(theirs.decrypt(stored, 77))


@pytest.mark.parametrize("sector_size", [512, 4096])
@pytest.mark.parametrize("count", [3, 64])
def test_xts_is_what_one_call_a_sector_gives_even_at_large_numbers(sector_size: int, count: int) -> None:
    plain = random.Random(count).randbytes(count * sector_size)
    first = (1 << 40) + 8

    assert (
        AesSectors("aes-xts-plain64", KEYS[64], sector_size).decrypt(
            encrypt(plain, KEYS[64], sector_size, first), first
        )
        == plain
    )


def test_half_a_sector_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number of sectors"):
        AesSectors("aes-xts-plain64", KEYS[64]).decrypt(bytes(700), 0)


@pytest.mark.parametrize(
    ("spec", "size"),
    [("twofish-xts-plain64", 64), ("aes-lrw-plain", 32), ("aes-xts-plain64", 48), ("aes-cbc-benbi", 32), ("aes", 32)],
)
def test_other_ciphers_and_unfit_keys_are_told(spec: str, size: int) -> None:
    with pytest.raises(UnsupportedError):
        AesSectors(spec, bytes(size))
