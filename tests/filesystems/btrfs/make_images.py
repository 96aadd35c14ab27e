"""Make the Btrfs image beside this script, with what is true of it. Needs root, loop devices, btrfs-progs and a kernel.

python -m tests.filesystems.btrfs.make_images
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.filesystems.ext.make_images import Mounted, run, words

HERE = Path(__file__).parent / "images"


def main() -> int:
    HERE.mkdir(exist_ok=True)
    image = Path(tempfile.mkdtemp()) / "btrfs.img"
    run("truncate", "-s", "24M", image)
    run("mkfs.btrfs", "-q", "-M", "-n", "4096", "-L", "BRALO", image)
    volume = Mounted(image, ",compress=zstd")
    for index in range(40):
        volume.write(f"bralo/timpa{index:02d}.txt", index, 500 * index)
    run("btrfs", "-q", "subvolume", "create", volume.root / "sunder")
    volume.write("sunder/velk/oporim.txt", 100, 50_000)
    (volume.root / "sunder/kettim.bin").write_bytes(hashlib.shake_256(b"velk").digest(30_000))
    (volume.root / "ubanto.link").symlink_to("bralo/timpa03.txt")
    os.link(volume.root / "bralo/timpa09.txt", volume.root / "dast.txt")
    os.link(volume.root / "bralo/timpa09.txt", volume.root / "rilp.txt")
    with (volume.root / "holes.bin").open("wb") as file:
        file.seek(200_000)
        file.write(hashlib.shake_256(b"timpa").digest(9000))
    with (volume.root / "reserved.bin").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 100_000)
        os.pwrite(file.fileno(), words(7, 8000), 40_000)
    os.sync()
    run("btrfs", "-q", "subvolume", "snapshot", "-r", volume.root, volume.root / "quenli")
    (volume.root / "bralo/timpa20.txt").unlink()
    os.sync()
    truth = {"live": volume.live()}
    volume.close()
    content = image.read_bytes()
    truth["sha256"] = hashlib.sha256(content).hexdigest()  # type: ignore[assignment]
    (HERE / "btrfs.img.xz").write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(image.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
