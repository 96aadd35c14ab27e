"""Make the XFS image beside this script, with what is true of it. Needs root, loop devices, mkfs.xfs and a kernel.

python -m tests.filesystems.xfs.make_images
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.filesystems.ext.make_images import Mounted, run

HERE = Path(__file__).parent / "images"
SMALL = {"TEST_DIR": "1", "TEST_DEV": "1", "QA_CHECK_FS": "1"}
"""mkfs.xfs refuses volumes below 300 MB unless it believes to be under test."""


def first_life(volume: Mounted) -> None:
    """Make files of every kind."""
    for index in range(60):
        volume.write(f"bralo/timpa{index:02d}.txt", index, 300 * index)
    volume.write("farrow.txt", 103, 12345)
    volume.write_in_turns(("miskel-a.bin", "miskel-b.bin"), 104, 200_000, 25)
    (volume.root / "ubanto.link").symlink_to("bralo/timpa03.txt")
    (volume.root / "rilp.link").symlink_to("sorvane/" * 100 + "kettim")
    os.link(volume.root / "farrow.txt", volume.root / "bralo/farrow-too.txt")
    with (volume.root / "holes.bin").open("wb") as file:
        for place in range(0, 400_000, 40_000):
            file.seek(place)
            file.write(b"velk" * 1000)
    with (volume.root / "reserved.bin").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 100_000)
        os.pwrite(file.fileno(), b"dast" * 2000, 40_000)
    os.sync()


def main() -> int:
    HERE.mkdir(exist_ok=True)
    image = Path(tempfile.mkdtemp()) / "xfs.img"
    run("truncate", "-s", "16M", image)
    subprocess.run(["mkfs.xfs", "-q", "-L", "BRALO", str(image)], check=True, env={**os.environ, **SMALL})
    volume = Mounted(image, "")
    first_life(volume)
    volume.close()
    volume = Mounted(image, "")
    for index in range(0, 60, 4):
        volume.delete(f"bralo/timpa{index:02d}.txt")
    volume.delete("miskel-a.bin")
    (volume.root / "bralo/timpa05.txt").rename(volume.root / "moved.txt")
    os.sync()
    truth = {"live": volume.live(), "deleted": volume.deleted}
    volume.close()
    content = image.read_bytes()
    for file in volume.deleted:
        del file["runs"]
    truth["sha256"] = hashlib.sha256(content).hexdigest()
    (HERE / "xfs.img.xz").write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(image.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
