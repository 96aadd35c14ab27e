"""LUKS 1 and 2: what opens them, what a locked one says, damaged headers, hostile demands."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, LockedError, UnreadableError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import NoticeCode
from kaval.core.sources import BytesSource, FileSource
from kaval.volumes.luks import Luks
from tests.testdata import shared
from tests.volumes.contract import (
    mutations,
    notices_of,
    records_of,
    refuses_short_and_random_sources,
    survives,
)
from tests.volumes.luks_images import DATA_OFFSET, HEADER_SIZE, UUID_TEXT, luks1, luks2, luks2_header, metadata

PLAIN = random.Random(3).randbytes(64 << 10)
FIRST = Keyring(passphrases=("brindle", "glimmer"))
SECOND = Keyring(passphrases=("lumen",))


def opened(content: bytes | bytearray, keyring: Keyring) -> Volume:
    volume = records_of(Luks(), BytesSource(bytes(content)), keyring)[-1]
    assert isinstance(volume, Volume)
    return volume


def volume2() -> bytearray:
    return luks2(PLAIN, b"glimmer", b"lumen")


def test_a_luks1_volume_opens_with_the_right_passphrase_among_others() -> None:
    volume = opened(luks1(PLAIN, b"glimmer"), FIRST)

    assert volume.address == "open"
    assert volume.offset is None
    assert volume.source.size == len(PLAIN)
    assert volume.source.read_at(0, len(PLAIN)) == PLAIN
    assert volume.facts["opened with"] == "key slot 2"
    assert volume.facts["volume id"] == UUID_TEXT


@pytest.mark.parametrize(("keyring", "slot"), [(FIRST, 0), (SECOND, 1)])
def test_a_luks2_volume_opens_by_either_slot(keyring: Keyring, slot: int) -> None:
    volume = opened(volume2(), keyring)

    assert volume.source.read_at(0, 1 << 20) == PLAIN
    assert volume.facts["opened with"] == f"key slot {slot}"
    assert volume.facts["label"] == "lumen"


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (511, 2), (513, 70), (12_000, 30_000), (65_535, 10)])
def test_any_range_of_plain_bytes_can_be_read(offset: int, length: int) -> None:
    content = metadata(sector_size=4096)
    source = opened(luks2(PLAIN, b"glimmer", b"lumen", content), FIRST).source

    assert source.read_at(offset, length) == PLAIN[offset : offset + length]


def test_a_key_file_opens_with_and_without_its_last_line_break() -> None:
    image = volume2()

    assert opened(image, Keyring(key_files=(b"glimmer",))).facts["opened with"] == "key slot 0"
    assert opened(image, Keyring(key_files=(b"glimmer\n",))).facts["opened with"] == "key slot 0"


def test_a_locked_volume_says_which_slots_there_are() -> None:
    with pytest.raises(LockedError) as caught:
        records_of(Luks(), BytesSource(bytes(volume2())))

    assert caught.value.structure == f"LUKS2 volume {UUID_TEXT}"
    assert caught.value.needed == (
        "it needs the passphrase or key file of one of its key slots: 0 (pbkdf2), 1 (argon2id, bound to systemd-tpm2)"
    )


def test_a_wrong_key_is_told_without_being_named() -> None:
    with pytest.raises(LockedError, match="none of the 2 passphrases and 1 key files given opens it") as caught:
        opened(volume2(), Keyring(passphrases=("tarn", "brindle"), key_files=(b"sedge",)))

    assert not any(secret in str(caught.value) for secret in ("tarn", "brindle", "sedge"))


def test_a_damaged_first_header_gives_way_to_the_second() -> None:
    image = volume2()
    image[5000] ^= 0xFF
    records = records_of(Luks(), BytesSource(bytes(image)), FIRST)

    assert notices_of(records) == [(NoticeCode.DAMAGED, "", 0)]
    assert isinstance(records[-1], Volume)
    assert records[-1].source.read_at(0, 512) == PLAIN[:512]


def test_a_wiped_first_header_gives_way_to_the_second() -> None:
    image = volume2()
    image[:HEADER_SIZE] = bytes(HEADER_SIZE)
    source = BytesSource(bytes(image))

    assert Luks().probe(source)
    assert notices_of(records_of(Luks(), source, FIRST)) == [(NoticeCode.DAMAGED, "", 0)]


def test_a_second_header_behind_other_bytes_is_none() -> None:
    image = volume2()
    image[:HEADER_SIZE] = bytes(1080) + b"\x53\xef" + bytes(HEADER_SIZE - 1082)

    assert not Luks().probe(BytesSource(bytes(image)))


def test_the_newer_of_two_sound_headers_is_read() -> None:
    image = volume2()
    newer = metadata()
    newer["tokens"] = {}
    image[HEADER_SIZE : 2 * HEADER_SIZE] = luks2_header(newer, HEADER_SIZE, sequence=4)

    with pytest.raises(LockedError, match=r"1 \(argon2id\)"):
        opened(image, Keyring())


def test_metadata_that_are_no_metadata_are_damaged() -> None:
    broken = metadata()
    broken["keyslots"]["0"]["area"]["offset"] = -5
    contents: list[dict[str, object]] = [broken, {"keyslots": {}}, metadata() | {"segments": {}}]
    for content in contents:
        image = bytearray(luks2_header(content, 0)).ljust(DATA_OFFSET, b"\0")
        with pytest.raises(CorruptStructureError):
            opened(image, FIRST)


def test_a_slot_that_demands_too_much_is_told_and_the_others_are_tried() -> None:
    content = metadata()
    content["keyslots"]["0"]["kdf"] |= {"iterations": 1 << 40}
    content["keyslots"]["1"]["kdf"] |= {"memory": 1 << 30}
    image = luks2(PLAIN, b"glimmer", b"lumen", content)
    with pytest.raises(LockedError) as caught:
        opened(image, SECOND)

    assert "slot 0 could not be tried: The limit time" in caught.value.needed
    assert "slot 1 could not be tried: The limit memory" in caught.value.needed


def test_key_material_behind_the_end_is_no_wrong_key() -> None:
    with pytest.raises(LockedError, match="slot 0 could not be tried: 512 bytes at byte 32768 cannot be read"):
        opened(bytes(volume2()[: 2 * HEADER_SIZE]), FIRST)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"encryption": "serpent-xts-plain64"}, "the cipher serpent-xts-plain64"),
        ({"encryption": "aes-gcm-random"}, "the cipher aes-gcm-random"),
        ({"integrity": {"type": "aead"}}, "integrity tags"),
        ({"offset": "0"}, "the header lies apart"),
        ({"type": "linear"}, "a segment of the kind 'linear'"),
    ],
)
def test_what_is_not_read_is_told_before_a_passphrase_is_asked_for(change: dict[str, object], told: str) -> None:
    content = metadata()
    content["segments"]["0"] |= change
    image = bytearray(luks2_header(content, 0)).ljust(DATA_OFFSET, b"\0")

    with pytest.raises(UnsupportedError, match=told):
        opened(image, Keyring())


def test_a_cut_volume_gives_what_is_there() -> None:
    content = metadata()
    content["segments"]["0"]["size"] = str(len(PLAIN))
    image = luks2(PLAIN, b"glimmer", b"lumen", content)[: DATA_OFFSET + 40_000]
    records = records_of(Luks(), BytesSource(bytes(image)), FIRST)

    assert notices_of(records) == [(NoticeCode.TRUNCATED, "", len(image))]
    assert isinstance(records[-1], Volume)
    assert records[-1].source.read_at(0, 1 << 20) == PLAIN[: 40_000 - 40_000 % 512]


def test_unreadable_sectors_stay_unreadable() -> None:
    class Failing(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            if offset <= DATA_OFFSET + 4096 < offset + length:
                raise UnreadableError(DATA_OFFSET + 4096, 512, "a bad sector")
            return super().read_at(offset, length)

    volume = list(Luks().open(Failing(bytes(volume2())), FIRST))[-1]

    assert isinstance(volume, Volume)
    assert volume.source.read_at(0, 4096) == PLAIN[:4096]
    with pytest.raises(UnreadableError):
        volume.source.read_at(4000, 200)


def test_the_probe_refuses_short_and_random_sources() -> None:
    refuses_short_and_random_sources(Luks())


def test_mutated_headers_end_in_records_notices_or_our_own_errors() -> None:
    image = bytes(volume2())
    spots = [(0, 700), (4096, 1600), (HEADER_SIZE, 700), (HEADER_SIZE + 4096, 1600), (0x8000, 512)]
    claimed = sum(survives(Luks(), copy, FIRST) for copy in mutations(image, spots, 150))

    assert claimed > 100


def test_mutated_metadata_with_right_checksums_end_in_records_notices_or_our_own_errors() -> None:
    text = str(metadata()).replace("'", '"')
    chance = random.Random(11)
    for _ in range(150):
        letters = list(text)
        for _ in range(chance.choice((1, 2, 5))):
            letters[chance.randrange(len(letters))] = chance.choice('0123456789"-{}[],:ae')
        header = luks2_header({"placeholder": 1}, 0)
        area = "".join(letters).encode().ljust(HEADER_SIZE - 4096, b"\0")
        survives(Luks(), header[:4096] + area + bytes(volume2()[HEADER_SIZE:]), FIRST)


@pytest.mark.parametrize("name", ["luks1/aes-ecb", "luks2/aes-cbc-essiv", "luks2/aes-xts-plain64"])
@pytest.mark.slow
def test_sample_volumes_open(name: str) -> None:
    content = gzip.decompress(shared(f"engine/dissect/{name}.bin.gz").read_bytes())
    volume = list(Luks().open(BytesSource(content), Keyring(passphrases=("password",))))[-1]

    assert isinstance(volume, Volume)
    assert volume.facts["cipher"].startswith(name.partition("/")[2])
    assert volume.source.read_at(0, 4096) == b"".join(bytes([number]) * 512 for number in range(4))


@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_volumes_of_cryptsetup_open(kind: str, tmp_path: Path) -> None:
    cryptsetup = shutil.which("cryptsetup") or shutil.which("cryptsetup", path="/usr/sbin:/sbin")
    if cryptsetup is None:
        pytest.skip("cryptsetup is not installed")
    image = tmp_path / "volume.img"
    image.write_bytes(bytes(20 << 20))
    cheap = ["--pbkdf-force-iterations", "1000"] if kind == "luks1" else ["--pbkdf-memory", "64"]
    cheap += [] if kind == "luks1" else ["--pbkdf-force-iterations", "4"]
    command = [cryptsetup, "luksFormat", "--batch-mode", "--type", kind, *cheap, str(image), "-"]
    subprocess.run(command, input=b"glimmer", check=True)
    volume = list(Luks().open(FileSource(image), FIRST))[-1]

    assert isinstance(volume, Volume)
    assert volume.facts["cipher"] == "aes-xts-plain64"
    assert volume.source.size == (20 << 20) - int(volume.facts["data offset"])
