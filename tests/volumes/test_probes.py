"""All volume systems together: their order, and what they do where the first sector cannot be read."""

from __future__ import annotations

import pytest

from kaval.core.errors import UnreadableError
from kaval.core.sources import BytesSource
from kaval.volumes import VOLUMES
from tests.volumes import test_gpt
from tests.volumes.disks import fat_boot_sector


class Broken(BytesSource):
    """A source whose first sector is bad."""

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 512 and offset + length > 0:
            raise UnreadableError(0, 512, "a bad sector")
        return super().read_at(offset, length)


def claims(source: BytesSource) -> list[str]:
    return [system.name for system in VOLUMES.available() if system.probe(source)]


def test_encryption_is_asked_first_and_snapshots_last() -> None:
    names = [system.name for system in VOLUMES.all()]

    assert names == [
        "bitlocker", "luks", "corestorage", "md", "md-tail", "gpt", "apm", "bsd", "mbr", "lvm2", "vss",
    ]  # fmt: skip
    assert [system.name for system in VOLUMES.all() if system.alongside] == ["md-tail", "vss"]


def test_only_one_system_speaks_of_an_unreadable_first_sector() -> None:
    silent = []
    for system in VOLUMES.available():
        if system.name == "mbr":
            with pytest.raises(UnreadableError):
                system.probe(Broken(bytes(1 << 20)))
        else:
            silent.append(system.probe(Broken(bytes(1 << 20))))

    assert silent == [False] * 10


def test_a_gpt_is_read_although_the_sector_before_it_is_bad() -> None:
    content = test_gpt.disk().read_at(0, 1 << 30)
    system = VOLUMES.get("gpt")

    assert system.probe(Broken(content))


def test_a_file_system_alone_is_claimed_by_no_system() -> None:
    ext = bytes(1080) + b"\x53\xef" + bytes(1 << 20)
    fat = fat_boot_sector() + b"\xf8\xff\xff\xff" + bytes(1 << 20)

    assert claims(BytesSource(ext)) == []
    assert claims(BytesSource(fat)) == []
