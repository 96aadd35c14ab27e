"""Make the SquashFS images beside this script, with what is true of them. Needs mksquashfs (squashfs-tools); no root.

python -m tests.filesystems.squashfs.make_images
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.filesystems.ext.make_images import run, words
from tests.filesystems.kept import living_in

HERE = Path(__file__).parent / "images"
COMPRESSIONS = ("gzip", "xz", "lz4", "lzo", "zstd")


def main() -> int:
    HERE.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp())
    folder = place / "folder"
    (folder / "bralo/sunder").mkdir(parents=True)
    for index in range(20):
        (folder / f"bralo/timpa{index:02d}.txt").write_bytes(words(index, 1500 * index))
    (folder / "bralo/sunder/velk.bin").write_bytes(words(100, 500_000))
    (folder / "holes.bin").write_bytes(bytes(300_000) + words(101, 5000))
    (folder / "ubanto.link").symlink_to("bralo/timpa03.txt")
    os.link(folder / "bralo/timpa09.txt", folder / "dast.txt")
    digests = {}
    for name in COMPRESSIONS:
        image = HERE / f"{name}.squashfs"
        image.unlink(missing_ok=True)
        run("mksquashfs", folder, image, "-comp", name, "-noappend", "-quiet", "-no-progress")
        digests[name] = hashlib.sha256(image.read_bytes()).hexdigest()
    truth = {"live": living_in(folder, resolution=1_000_000_000), "sha256": digests}
    (HERE / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
