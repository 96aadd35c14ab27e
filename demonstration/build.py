"""Building the evidence: the disk, its volumes, the truth beside it and the known sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from demonstration.contents import Mark, members_of
from demonstration.corpus import items_of
from demonstration.disk import Partition, lay_out, tables
from demonstration.exfat import ExfatWriter
from demonstration.ext4 import Ext4Writer
from demonstration.fat32 import Fat32Writer
from demonstration.knownsets import ROLES, write_known_sets
from demonstration.life import BEGAN_AT, live
from demonstration.ntfs import NtfsWriter
from demonstration.truth import FileTruth, Truth, VolumeTruth
from demonstration.volumes import VolumeWriter

DISK, TRUTH = "exhibit.dd", "truth.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How large the evidence is: files a volume, and each volume's size in MiB (FAT32 needs 70)."""

    files: int = 165
    sizes: tuple[tuple[str, int], ...] = (("ntfs", 72), ("fat32", 72), ("exfat", 52), ("ext4", 60))


def build(folder: Path, *, seed: int = 1, shape: Shape | None = None, workers: int = 2) -> Truth:
    """Write ``exhibit.dd``, ``truth.json`` and the known sets into a folder and return the truth.

    Raises:
        ProgramError: ``mkntfs`` or ``mke2fs`` is missing.
    """
    shape = shape or Shape()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [(f"kaval {name}", name, size << 20) for name, size in shape.sizes]
    partitions, disk_size = lay_out(sizes)
    disk = folder / DISK
    with disk.open("wb") as file:
        file.truncate(disk_size)
        for offset, content in tables(partitions, disk_size, seed).items():
            file.seek(offset)
            file.write(content)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(_build_volume, partition, disk, seed, shape.files) for partition in partitions]
        built = [task.result() for task in tasks]
    files = tuple(row for rows, _ in built for row in rows)
    write_known_sets(folder, files, [digest for _, digests in built for digest in digests])
    with disk.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    truth = Truth(
        seed=seed,
        disk=DISK,
        disk_size=disk_size,
        disk_sha256=digest,
        volumes=tuple(_volume_truth(partition, number) for number, partition in enumerate(partitions, 1)),
        files=files,
        known_sets=dict(ROLES),
    )
    truth.store(folder / TRUTH)
    return truth


def _build_volume(partition: Partition, disk: Path, seed: int, count: int) -> tuple[list[FileTruth], Sequence[str]]:
    """Build one volume into its place on the disk; returns its truth and the MD5 of known pictures inside files."""
    buffer = bytearray(partition.size)
    view = memoryview(buffer)
    items = items_of(partition.file_system, seed, count)
    writer = writer_for(partition, view, seed)
    files = live(writer, items, partition.name, seed)
    with disk.open("r+b") as file:
        file.seek(partition.offset)
        file.write(view)
    digests = [
        hashlib.md5(content).hexdigest()
        for item in items
        for picture, content in members_of(item.content).values()
        if picture.mark is Mark.EXACT
    ]
    return files, digests


def writer_for(partition: Partition, view: memoryview, seed: int) -> VolumeWriter:
    """Return the writer of an empty volume."""
    label = "KAVAL"
    match partition.file_system:
        case "ntfs":
            return NtfsWriter.create(view, label=label, start_sector=partition.offset // 512, at=BEGAN_AT)
        case "fat32":
            return Fat32Writer(view, label=label, serial=0x4B415641 ^ seed, at=BEGAN_AT)
        case "exfat":
            return ExfatWriter(view, label=label, serial=0x4B415642 ^ seed, at=BEGAN_AT)
        case _:
            return Ext4Writer.create(view, label=label, serial=seed, at=BEGAN_AT)


def _volume_truth(partition: Partition, number: int) -> VolumeTruth:
    return VolumeTruth(
        name=partition.name,
        file_system=partition.file_system,
        label="KAVAL",
        number=number,
        offset=partition.offset,
        size=partition.size,
    )
