"""Make the F2FS image beside this script, with what is true of it. Needs f2fs-tools; no root.

python -m tests.filesystems.f2fs.make_images
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import sys
import tempfile
from pathlib import Path

from tests.filesystems.ext.make_images import run, words
from tests.filesystems.kept import living_in

HERE = Path(__file__).parent / "images"


def main() -> int:
    HERE.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp())
    folder, image = place / "folder", place / "f2fs.img"
    (folder / "bralo").mkdir(parents=True)
    (folder / "sunder/velk").mkdir(parents=True)
    for index in range(40):
        (folder / f"bralo/timpa{index:02d}.txt").write_bytes(words(index, 700 * index))
    for index in range(300):
        (folder / f"sunder/kettim-with-a-longer-name-{index:03d}.txt").write_bytes(words(100 + index, 50))
    (folder / "sunder/velk/oporim.txt").write_bytes(words(500, 60_000))
    (folder / "farrow.bin").write_bytes(words(501, 13_000_000))
    (folder / "ubanto.link").symlink_to("bralo/timpa03.txt")
    run("truncate", "-s", "100M", image)
    run("mkfs.f2fs", "-q", "-l", "BRALO", image)
    run("sload.f2fs", "-f", folder, image)
    content = image.read_bytes()
    truth = {"live": living_in(folder, resolution=1_000_000_000), "sha256": hashlib.sha256(content).hexdigest()}
    (HERE / "f2fs.img.xz").write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
