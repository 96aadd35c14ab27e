"""Examine an image beside its peers, on the same machine in the same run, and print the ratios.

    python benchmarks/examine.py IMAGE --corpus FOLDER [--workers 2] [--rounds 3]

First part: listing and three digests of everything, against ``tsk_recover -e`` followed by
``hashdeep -c md5,sha1,sha256 -r`` on what it wrote. Second part: with media, against the measured floor: the
larger of reading the image once, and the CPU of digests, reduced-size decode and PDQ over all pictures of the
corpus, divided by the workers. Third: what carving, archives and artefacts add. Wall times are medians; runs alternate.
Python's own start counts: compile the modules once (``python -m compileall src``, as ``make setup`` does).
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = ("--no-archives", "--no-carving", "--no-artefacts", "--no-texts")
"""What neither peer nor floor does."""

PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".heic"}


def timed(*command: str | Path) -> float:
    """Return the wall seconds of a command that has to succeed (3: with notices)."""
    begun = time.perf_counter()
    code = subprocess.run(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
    if code not in (0, 3):
        sys.exit(f"{command[0]} ended with {code}")
    return time.perf_counter() - begun


def kaval(image: Path, scratch: Path, workers: int, *options: str) -> float:
    """Return the wall seconds of one examination."""
    out = scratch / "examination"
    shutil.rmtree(out, ignore_errors=True)
    given = [
        "--exhibit",
        "BENCH-1",
        "--authority",
        "benchmark",
        "--workers",
        str(workers),
        "--seal-key",
        str(scratch / "key"),
    ]
    return timed(sys.executable, "-m", "kaval.cli", "examine", image, "--out", out, *given, *options)


def peer(image: Path, scratch: Path) -> float:
    """Return the wall seconds of tsk_recover and hashdeep."""
    out = scratch / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    spent = timed("tsk_recover", "-e", image, out)
    return spent + timed("hashdeep", "-c", "md5,sha1,sha256", "-r", out)


def read_once(image: Path) -> float:
    """Return the wall seconds of reading the image from its first byte to its last."""
    begun = time.perf_counter()
    with image.open("rb", buffering=0) as file:
        while file.read(4 << 20):
            pass
    return time.perf_counter() - begun


def floor(corpus: Path, files: list[Path]) -> float:
    """Return the CPU seconds of three digests, a reduced-size decode and PDQ over all files."""
    import io

    import numpy as np
    import simplejpeg
    from PIL import Image
    from pillow_heif import register_heif_opener

    from kaval.media.pdq import pdq_of_luma

    register_heif_opener()
    begun = time.process_time()
    for path in files:
        content = path.read_bytes()
        for name in ("md5", "sha1", "sha256"):
            hashlib.new(name, content, usedforsecurity=False).digest()
        if path.suffix.lower() not in PICTURES:
            continue
        if path.suffix.lower() == ".jpg":
            luma = simplejpeg.decode_jpeg(content, "GRAY", min_height=512, min_width=512, min_factor=2)[:, :, 0]
        else:
            picture = Image.open(io.BytesIO(content))
            luma = np.asarray(picture.convert("L"))
        pdq_of_luma(np.ascontiguousarray(luma))
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("--corpus", type=Path, help="folder of the files on the image, for the floor")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        read_once(chosen.image)
        ours, theirs = [], []
        for _ in range(chosen.rounds):
            ours.append(kaval(chosen.image, scratch, chosen.workers, "--no-media", *PLAIN))
            theirs.append(peer(chosen.image, scratch))
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"listing and three digests: Kaval {mine:.2f} s, tsk_recover and hashdeep {other:.2f} s")
        print(f"ratio: {other / mine:.2f} times as fast (bar: 3.00)")
        if chosen.corpus:
            _with_media(chosen, scratch)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of any process: {peak:.0f} MiB (bar: 1024)")


def _with_media(chosen: argparse.Namespace, scratch: Path) -> None:
    files = sorted(path for path in chosen.corpus.rglob("*") if path.is_file())
    spent = statistics.median(kaval(chosen.image, scratch, chosen.workers, *PLAIN) for _ in range(chosen.rounds))
    least = max(read_once(chosen.image), floor(chosen.corpus, files) / chosen.workers)
    print(f"with media: Kaval {spent:.2f} s, measured floor {least:.2f} s")
    print(f"ratio: {spent / least:.2f} times the floor (bar: 1.60)")
    whole = statistics.median(kaval(chosen.image, scratch, chosen.workers) for _ in range(chosen.rounds))
    print(f"with carving, archives and artefacts as well: {whole:.2f} s, {whole / least:.2f} times the floor")


if __name__ == "__main__":
    main()
