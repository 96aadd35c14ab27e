"""BitLocker: every kind of key on sample volumes, what a locked one says, damaged metadata."""

from __future__ import annotations

import functools
import gzip
import io
import random

import pytest
from dissect.fve.bde import BDE

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, LockedError
from kaval.core.keys import Keyring
from kaval.core.records import NoticeCode
from kaval.core.sources import BytesSource
from kaval.volumes.bitlocker import BitLocker, protector_title, recovery_groups
from tests.testdata import shared
from tests.volumes.contract import notices_of, refuses_short_and_random_sources, survives

PASSWORD = "password12!@"
RECOVERY = "284867-596541-514998-422114-660297-261613-215424-199408"
SAMPLES = ["aes-xts_128", "aes-xts_256", "aes_128", "aes_256_diffuser"]


@functools.cache
def sample(name: str) -> bytes:
    return gzip.decompress(shared(f"engine/dissect/bde/{name}.bin.gz").read_bytes())


def opened(name: str, keyring: Keyring) -> Volume:
    volume = list(BitLocker().open(BytesSource(sample(name)), keyring))[-1]
    assert isinstance(volume, Volume)
    assert volume.address == "open"
    assert volume.source.read_at(3, 8) == b"NTFS    "
    return volume


@pytest.mark.parametrize("name", SAMPLES)
def test_a_password_opens_every_cipher(name: str) -> None:
    volume = opened(name, Keyring(passphrases=("tarn", PASSWORD)))

    assert BitLocker().probe(BytesSource(sample(name)))
    assert volume.facts["opened with"] == "passphrase 2"
    assert volume.source.size == len(sample(name))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_plain_bytes_are_those_dissect_gives(name: str) -> None:
    theirs = BDE(io.BytesIO(sample(name)))
    theirs.unlock_with_passphrase(PASSWORD)
    stream = theirs.open()
    ours = opened(name, Keyring(passphrases=(PASSWORD,))).source
    places = [(0, 20_000), (5, 3), (8190, 5), (35_586_048 - 700, 1500), (len(sample(name)) - 900, 2000)]
    for offset, length in places:
        stream.seek(offset)
        assert ours.read_at(offset, length) == stream.read(length)


def test_a_recovery_key_opens_however_it_is_written() -> None:
    digits = RECOVERY.replace("-", "")

    assert opened("recovery_password", Keyring(recovery_keys=(RECOVERY,))).facts["opened with"] == "recovery key 1"
    assert opened("recovery_password", Keyring(recovery_keys=(digits,))).facts["opened with"] == "recovery key 1"
    by_passphrase = opened("recovery_password", Keyring(passphrases=(RECOVERY.replace("-", " "),)))
    assert by_passphrase.facts["opened with"] == "passphrase 1 (as a recovery key)"


def test_a_startup_key_file_opens() -> None:
    content = shared("engine/dissect/bde/startup_key.bek").read_bytes()
    volume = opened("startup_key", Keyring(key_files=(b"no such file", content)))

    assert volume.facts["opened with"] == "key file 2"


def test_a_suspended_volume_opens_without_any_key() -> None:
    volume = opened("suspended", Keyring())

    assert volume.facts["opened with"] == "clear key"


def test_a_locked_volume_names_itself_and_its_protectors() -> None:
    with pytest.raises(LockedError) as caught:
        opened("recovery_password", Keyring())

    assert caught.value.structure == "BitLocker volume “DESKTOP-QNI1MMF TestVolume 10/8/2021”"
    assert caught.value.needed == (
        "it needs the recovery key (identifier 3C116B76-C67B-484E-B439-CE2ED68B561E)"
        " or the password (identifier 6DD54BCD-633D-4836-9EBC-44FA02F1776D)"
    )


def test_keys_that_do_not_open_are_told_without_being_named() -> None:
    keyring = Keyring(passphrases=("tarn",), recovery_keys=(RECOVERY,), key_files=(b"sedge",))
    with pytest.raises(LockedError) as caught:
        opened("aes-xts_128", keyring)

    assert "key file 1 does not open it" in caught.value.needed
    assert "recovery key 1 fits no protector" in caught.value.needed
    assert "passphrase 1 does not open it" in caught.value.needed
    assert not any(secret in str(caught.value) for secret in ("tarn", RECOVERY, "sedge"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RECOVERY[:-1] + "9", "is mistyped in group 8"),
        ("284868" + RECOVERY[6:], "is mistyped in group 1"),
        ("999999" + RECOVERY[6:], "is mistyped in group 1"),
        (RECOVERY[:-7], "is not made of eight groups"),
        ("glimmer", "is not made of eight groups"),
    ],
)
def test_a_mistyped_recovery_key_says_where(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        recovery_groups(text)


def test_protectors_are_told_by_what_they_ask_for() -> None:
    kinds = (0, 0x0100, 0x0200, 0x0300, 0x0500, 0x0800, 0x2000)

    assert [protector_title(kind) for kind in kinds] == [
        "clear key",
        "TPM",
        "startup key file",
        "TPM and startup key file",
        "TPM and PIN",
        "recovery key",
        "password",
    ]


def test_a_damaged_copy_of_the_metadata_is_told_and_another_read() -> None:
    content = bytearray(sample("suspended"))
    content[35_586_048 + 100] ^= 0xFF
    records = list(BitLocker().open(BytesSource(bytes(content)), Keyring()))

    assert notices_of(records) == [(NoticeCode.DAMAGED, "", 35_586_048)]
    assert isinstance(records[-1], Volume)


def test_a_boot_sector_whose_metadata_are_gone_is_damaged() -> None:
    sector = bytearray(512)
    sector[:11] = b"\xeb\x58\x90-FVE-FS-"
    sector[11:13] = (512).to_bytes(2, "little")
    sector[510:] = b"\x55\xaa"
    source = BytesSource(bytes(sector).ljust(1 << 16, b"\0"))

    assert BitLocker().probe(source)
    with pytest.raises(CorruptStructureError, match="BitLocker metadata"):
        list(BitLocker().open(source, Keyring()))


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(BitLocker())


def test_mutated_volumes_end_in_records_notices_or_our_own_errors() -> None:
    content = bytearray(sample("suspended"))
    spots = [(0, 512), (35_586_048, 1200), (43_278_336, 1200), (50_966_528, 1200)]
    chance = random.Random(4)
    claimed = 0
    for _ in range(60):
        copy = bytearray(content)
        for _ in range(chance.choice((1, 3, 30))):
            start, length = chance.choice(spots)
            copy[start + chance.randrange(length)] = chance.randrange(256)
        claimed += survives(BitLocker(), bytes(copy))

    assert claimed > 30
