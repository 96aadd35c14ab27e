"""A volume formatted anew is what it is now, not what the leftover copy of a boot sector says it was."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from tests.filesystems.exfat_disk import ExfatDisk
from tests.filesystems.fat_disk import FatDisk
from tests.filesystems.test_ntfs import simple


def recognised(image: bytes) -> list[str]:
    source = BytesSource(image)
    return [system.name for system in FILESYSTEMS.available() if system.probe(source)]


def ntfs() -> bytes:
    return simple().build()


def exfat() -> bytes:
    disk = ExfatDisk()
    disk.create("a.dat", 9000)
    return disk.build()


def fat() -> bytes:
    disk = FatDisk(bits=32, clusters=70000, cluster_size=512)
    disk.create("a.dat", 9000)
    return disk.build()


@pytest.mark.parametrize(("build", "name"), [(ntfs, "ntfs"), (exfat, "exfat"), (fat, "fat")])
def test_a_lost_boot_sector_is_replaced_by_its_copy(build: Callable[[], bytes], name: str) -> None:
    image = bytearray(build())
    assert recognised(bytes(image)) == [name]

    image[:512] = bytes(512)

    assert recognised(bytes(image)) == [name]


def test_a_fat_on_a_former_exfat_is_a_fat() -> None:
    image, former = bytearray(fat()), exfat()
    image[12 * 512 : 13 * 512] = former[12 * 512 : 13 * 512]

    assert recognised(bytes(image)) == ["fat"]


def test_an_exfat_on_a_former_ntfs_is_an_exfat() -> None:
    image = exfat()[:-512] + ntfs()[-512:]

    assert recognised(image) == ["exfat"]


def test_an_ext_on_a_former_fat_is_an_ext(tmp_path: Path) -> None:
    maker = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
    if maker is None:
        pytest.skip("mke2fs is absent")
    path = tmp_path / "disk.dd"
    path.write_bytes(fat())
    subprocess.run([maker, "-q", "-F", "-t", "ext4", str(path)], check=True, capture_output=True)
    image = bytearray(path.read_bytes())
    image[6 * 512 : 7 * 512] = fat()[6 * 512 : 7 * 512]

    assert recognised(bytes(image)) == ["ext"]
