"""Examine an image beside its peers, on the same machine in the same run, and print the ratios.

    python benchmarks/examine.py IMAGE --corpus FOLDER [--workers 2] [--rounds 3]

First part: listing and three digests of everything, against ``tsk_recover -e`` followed by
``hashdeep -c md5,sha1,sha256 -r`` on what it wrote; they say nothing of the image as a whole, so ours runs without
its digest and with it. Second part: with media, against the measured floor: the larger
of reading the image once, and the CPU of digests, reduced-size decode and PDQ over all pictures of the
corpus, divided by the workers. Third: what carving, archives and artefacts add. Times are medians; runs alternate.
CPU seconds stand beside the wall times of the first part: on a machine that does other things too, they are what
counts. (Those of confined decoders are not known: they end with their worker.)
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
from typing import NamedTuple

PLAIN = ("--no-archives", "--no-carving", "--no-artefacts", "--no-texts")
"""What neither peer nor floor does."""

PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".heic"}


class Spent(NamedTuple):
    """Seconds of a run."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s wall, {self.cpu:.2f} s CPU"


def median(runs: list[Spent]) -> Spent:
    """Return the median of the walls and that of the CPU seconds."""
    return Spent(statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs))


def timed(*command: str | Path) -> Spent:
    """Return what a command took that has to succeed (3: with notices)."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    code = subprocess.run(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
    if code not in (0, 3):
        sys.exit(f"{command[0]} ended with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(time.perf_counter() - begun, cpu)


def kaval(image: Path, scratch: Path, workers: int, *options: str) -> Spent:
    """Return what one examination took."""
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


def peer(image: Path, scratch: Path) -> Spent:
    """Return what tsk_recover and hashdeep took."""
    out = scratch / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    brought, digested = timed("tsk_recover", "-e", image, out), timed("hashdeep", "-c", "md5,sha1,sha256", "-r", out)
    return Spent(brought.wall + digested.wall, brought.cpu + digested.cpu)


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
        ours, all_of_it, theirs = [], [], []
        for _ in range(chosen.rounds):
            ours.append(kaval(chosen.image, scratch, chosen.workers, "--no-media", "--no-source-digest", *PLAIN))
            all_of_it.append(kaval(chosen.image, scratch, chosen.workers, "--no-media", *PLAIN))
            theirs.append(peer(chosen.image, scratch))
        other = median(theirs)
        print(f"listing and three digests: tsk_recover and hashdeep {other}")
        for what, mine in (("Kaval", median(ours)), ("with SHA-256 of the image as well", median(all_of_it))):
            ratio = f"{other.wall / mine.wall:.2f} times as fast (bar: 3.00); CPU {other.cpu / mine.cpu:.2f} times"
            print(f"  {what}: {mine}; {ratio}")
        if chosen.corpus:
            _with_media(chosen, scratch)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of any process: {peak:.0f} MiB (bar: 1024)")


def _with_media(chosen: argparse.Namespace, scratch: Path) -> None:
    files = sorted(path for path in chosen.corpus.rglob("*") if path.is_file())
    spent = median([kaval(chosen.image, scratch, chosen.workers, *PLAIN) for _ in range(chosen.rounds)])
    reading, pictures = read_once(chosen.image), floor(chosen.corpus, files)
    least = max(reading, pictures / chosen.workers)
    print(f"with media: Kaval {spent.wall:.2f} s wall; floor {least:.2f} s wall ({pictures:.2f} s CPU)")
    print(f"ratio: {spent.wall / least:.2f} times the floor (bar: 1.60)")
    whole = median([kaval(chosen.image, scratch, chosen.workers) for _ in range(chosen.rounds)])
    ratio = f"{whole.wall / least:.2f} times the floor"
    print(f"with carving, archives and artefacts as well: {whole.wall:.2f} s wall, {ratio}")


if __name__ == "__main__":
    main()
