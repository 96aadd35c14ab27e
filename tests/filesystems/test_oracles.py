"""FAT and exFAT beside The Sleuth Kit, on images of our own drivers in miniature and on those of others."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from kaval.core.contracts import FileSystem
from kaval.core.records import Entry, EntryKind, EntryState
from kaval.core.sources import BytesSource
from kaval.filesystems.exfat import ExfatFileSystem
from kaval.filesystems.fat import FatFileSystem
from kaval.filesystems.sleuthkit import Clock, SleuthkitVolume
from kaval.filesystems.sleuthkit.tree import Customs, SleuthkitTree
from tests.filesystems.contract import digests, listing, stream_of
from tests.filesystems.exfat_disk import ExfatDisk
from tests.filesystems.fat_disk import FatDisk
from tests.testdata import shared

pytest.importorskip("pytsk3")


def theirs(image: bytes) -> dict[str, str]:
    """Return the living files of an image as The Sleuth Kit reads them, with their MD5."""
    source = BytesSource(image)
    volume = SleuthkitVolume(source, "FAT", Clock(zone="unknown", resolution=""))
    tree = SleuthkitTree(volume, Customs(), {})
    return {
        entry.path: hashlib.md5(stream_of(tree, source, entry)).hexdigest()
        for entry in tree.entries()
        if isinstance(entry, Entry)
        and entry.kind is EntryKind.FILE
        and entry.state is EntryState.ALLOCATED
        and not entry.path.startswith("$")
        and "Label Entry" not in entry.path
    }


def ours(system: FileSystem, image: bytes) -> dict[str, str]:
    """Return the living files of an image as our own reader reads them."""
    tree, entries, _ = listing(system, image)
    living = [entry for entry in entries if entry.state is EntryState.ALLOCATED and entry.kind is EntryKind.FILE]
    return digests(tree, image, living)


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_fat_images_of_our_own_are_read_alike(bits: int) -> None:
    disk = FatDisk(bits=bits, clusters={12: 1500, 16: 5000, 32: 70000}[bits], cluster_size=512)
    folder = disk.make_directory("a folder with a longer name")
    nodes = [disk.create(f"file number {number} ചിത്രം.dat", 700 * number, folder) for number in range(20)]
    for node in nodes[::3]:
        disk.append(node, 1500)
    disk.create("PLAIN.TXT", 300)
    disk.delete(nodes[5])

    image = disk.build()
    mine = ours(FatFileSystem(), image)

    assert mine == theirs(image)
    assert len(mine) == 20


def test_exfat_images_of_our_own_are_read_alike() -> None:
    disk = ExfatDisk()
    folder = disk.make_directory("a folder with a longer name")
    nodes = [disk.create(f"file number {number} ചിത്രം.dat", 3000 * number, folder) for number in range(1, 20)]
    for node in nodes[::3]:
        disk.append(node, 6000)
    disk.delete(nodes[5])

    image = disk.build()
    mine = ours(ExfatFileSystem(), image)

    assert mine == theirs(image)
    assert len(mine) == 18


@pytest.mark.parametrize("name", ["fat12", "fat16", "fat32", "exfat", "exfat4m"])
def test_images_of_others_are_read_alike(name: str) -> None:
    image = gzip.decompress(shared(f"engine/dissect/fat/{name}.bin.gz").read_bytes())
    system = ExfatFileSystem() if name.startswith("exfat") else FatFileSystem()

    mine = ours(system, image)

    assert mine == theirs(image)
    assert mine
