"""Make the ext images beside this script, with what is true of them. Needs root, loop devices and a Linux kernel.

    python tests/filesystems/ext/make_images.py

A journal can only be written by a kernel as a kernel writes it, so these two small images are kept. Contents are
made of nonsense words and compress well. ``truth.json`` says what lives, what was deleted, and where its bytes were.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import lzma
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "images"
WORDS = ("bralo timpa sunder velk oporim dast quenli " + "farrow miskel ubanto rilp sorvane kettim").split()
_FIEMAP = 0xC020660B
Runs = list[tuple[int, int, int]]


def words(seed: int, size: int) -> bytes:
    """Return nonsense text of a size."""
    chosen = random.Random(seed)
    text = " ".join(chosen.choice(WORDS) for _ in range(40)) + f" {seed}\n"
    return (text * (size // len(text) + 1)).encode()[:size]


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def runs_of(path: Path) -> Runs:
    """Return logical and physical offset and length of each extent of a file, as the kernel tells."""
    with path.open("rb") as file:
        request = bytearray(struct.pack("=QQLLLL", 0, 2**64 - 1, 1, 0, 128, 0)) + bytes(56 * 128)
        fcntl.ioctl(file, _FIEMAP, request)
    count = struct.unpack_from("=L", request, 20)[0]
    return [struct.unpack_from("=QQQ", request, 32 + 56 * index) for index in range(count)]


class Mounted:
    """A volume while it is mounted, and what was done to it."""

    def __init__(self, image: Path, options: str) -> None:
        self.image = image
        self.root = Path(tempfile.mkdtemp())
        self.deleted: list[dict[str, Any]] = []
        run("mount", "-o", f"loop{options}", image, self.root)

    def write(self, name: str, seed: int, size: int) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(words(seed, size))

    def write_in_turns(self, names: tuple[str, str], seed: int, size: int, turns: int) -> None:
        """Write two files in turns, so that both lie in many pieces."""
        parts = [words(seed + index, size) for index in range(2)]
        step = -(-size // turns)
        for start in range(0, size, step):
            for name, part in zip(names, parts, strict=True):
                with (self.root / name).open("ab") as file:
                    file.write(part[start : start + step])
                    file.flush()
                    os.fsync(file.fileno())

    def delete(self, name: str) -> None:
        os.sync()
        path = self.root / name
        status = path.lstat()
        content = path.read_bytes()
        self.deleted.append(
            {
                "path": name,
                "inode": status.st_ino,
                "size": status.st_size,
                "modified": status.st_mtime_ns,
                "sha256": hashlib.sha256(content).hexdigest(),
                "runs": runs_of(path),
            }
        )
        path.unlink()
        os.sync()

    def live(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for folder, folders, files in os.walk(self.root):
            for name in sorted(folders + files):
                path = Path(folder) / name
                status = path.lstat()
                facts: dict[str, Any] = {"inode": status.st_ino, "mode": status.st_mode, "size": status.st_size}
                facts["modified"] = status.st_mtime_ns
                if path.is_symlink():
                    facts["target"] = str(path.readlink())
                elif path.is_file():
                    facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path.relative_to(self.root))] = facts
        return found

    def close(self) -> None:
        run("umount", self.root)
        self.root.rmdir()


def first_life(volume: Mounted) -> None:
    """Make files of every kind, and delete some."""
    for index in range(30):
        volume.write(f"bralo/timpa{index:02d}.txt", index, 700 * index)
    volume.write("sunder/velk/oporim.txt", 100, 5000)
    volume.write("sunder/velk/dast.txt", 101, 40)
    volume.write("quenli.txt", 102, 30000)
    volume.write("farrow.txt", 103, 12345)
    volume.write_in_turns(("miskel-a.bin", "miskel-b.bin"), 104, 60000, 20)
    (volume.root / "ubanto.link").symlink_to("bralo/timpa03.txt")
    (volume.root / "rilp.link").symlink_to("sorvane/" * 20 + "kettim")
    os.link(volume.root / "farrow.txt", volume.root / "bralo/farrow-too.txt")
    with (volume.root / "holes.bin").open("wb") as file:
        file.seek(200_000)
        file.write(words(105, 3000))
    os.sync()
    for index in range(0, 30, 3):
        volume.delete(f"bralo/timpa{index:02d}.txt")
    volume.delete("miskel-a.bin")
    (volume.root / "quenli.txt").rename(volume.root / "bralo/quenli-moved.txt")
    os.sync()


def second_life(volume: Mounted) -> None:
    """Take freed inodes and blocks again, and delete some of that too."""
    for index in range(6):
        volume.write(f"sorvane/kettim{index}.txt", 200 + index, 2500)
    os.sync()
    volume.delete("sorvane/kettim1.txt")
    volume.delete("sunder/velk/oporim.txt")
    volume.delete("sunder/velk/dast.txt")
    (volume.root / "sunder/velk").rmdir()
    os.sync()


def after_the_last_checkpoint(volume: Mounted) -> None:
    """Change what a kernel will have in the journal only, as if power were cut then."""
    volume.write("late/rilp.txt", 300, 1800)
    (volume.root / "farrow.txt").rename(volume.root / "late/farrow-moved.txt")
    (volume.root / "bralo/timpa29.txt").unlink()
    for place in (volume.root / "late/rilp.txt", volume.root / "late", volume.root / "bralo"):
        descriptor = os.open(place, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def finish(volume: Mounted, image: Path, truth: dict[str, Any]) -> None:
    content = image.read_bytes()
    for file in volume.deleted:
        stream = bytearray(file["size"])
        for logical, physical, length in file.pop("runs"):
            part = content[physical : physical + min(length, file["size"] - logical)]
            stream[logical : logical + len(part)] = part
        file["whole"] = hashlib.sha256(stream).hexdigest() == file["sha256"]
    truth["deleted"] = volume.deleted


def make(name: str, command: list[str], *, clean: bool) -> dict[str, Any]:
    image = Path(tempfile.mkdtemp()) / f"{name}.img"
    run("truncate", "-s", "10M", image)
    run(*command, image)
    volume = Mounted(image, "")
    first_life(volume)
    second_life(volume)
    if not clean:
        after_the_last_checkpoint(volume)
    truth: dict[str, Any] = {"live": volume.live()}
    if clean:
        volume.close()
        finish(volume, image, truth)
        kept = image
    else:
        kept = image.with_suffix(".cut")
        shutil.copyfile(image, kept)
        volume.close()
        finish(volume, kept, truth)
    packed = HERE / f"{name}.img.xz"
    packed.write_bytes(lzma.compress(kept.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    truth["sha256"] = hashlib.sha256(kept.read_bytes()).hexdigest()
    shutil.rmtree(image.parent)
    return truth


def main() -> int:
    HERE.mkdir(exist_ok=True)
    ext4 = ["mkfs.ext4", "-q", "-F", "-b", "1024", "-N", "256", "-J", "size=1", "-L", "BRALO"]
    ext3 = ["mkfs.ext3", "-q", "-F", "-b", "1024", "-N", "256", "-J", "size=1", "-L", "TIMPA"]
    truth = {"ext4": make("ext4", ext4, clean=True), "ext3-unclean": make("ext3-unclean", ext3, clean=False)}
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
