"""Measure JPEG bytes to PDQ beside threatexchange's own path, on generated pictures, and print the ratios.

    python benchmarks/pdq.py [--pictures 8] [--rounds 5]

The peer is ``threatexchange.signal_type.pdq.pdq_hasher.pdq_from_bytes``; where threatexchange is not installed, the
same two calls it makes: Pillow's full decode and ``pdqhash.compute``. Each path runs in processes of its own, as it
would in use; the rounds alternate. Times are CPU time of one thread, the median over the rounds.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIZES = ((816, 612, 10.0), (1632, 1224, 10.0), (4000, 3000, 16.0))
"""Width, height, and how many times as fast the bar asks us to be: 0.5, 2 and 12 megapixels."""


def draw(path: Path, width: int, height: int, seed: int) -> None:
    """Write the JPEG of a landscape made of noise on several scales."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(seed)
    scene = np.zeros((height, width, 3))
    for cells in (3, 9, 27, 81):
        coarse = random.integers(0, 256, (cells, cells * width // height + 1, 3), dtype=np.uint8)
        scene += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)) / cells**0.4
    Image.fromarray((scene * 255 / scene.max()).clip(0, 255).astype(np.uint8)).save(path, "JPEG", quality=90)


def by_kaval() -> Callable[[bytes], bytes]:
    """Return the path of Kaval's JPEG decoder."""
    import simplejpeg

    from kaval.media.pdq import pdq_of_luma

    return lambda content: pdq_of_luma(simplejpeg.decode_jpeg(content, "GRAY")[:, :, 0]).hashes[0]


def by_threatexchange() -> Callable[[bytes], bytes]:
    """Return threatexchange's path."""
    from threatexchange.signal_type.pdq.pdq_hasher import (  # type: ignore[import-not-found, unused-ignore]
        pdq_from_bytes,
    )

    return lambda content: bytes.fromhex(pdq_from_bytes(content)[0])


def by_pdqhash() -> Callable[[bytes], bytes]:
    """Return the calls that threatexchange makes."""
    import numpy as np
    import pdqhash
    from PIL import Image

    def path(content: bytes) -> bytes:
        bits, _ = pdqhash.compute(np.asarray(Image.open(io.BytesIO(content))))
        return np.packbits(bits.astype(np.uint8)).tobytes()

    return path


PATHS = {"kaval": by_kaval, "threatexchange": by_threatexchange, "pdqhash": by_pdqhash}


def measure(name: str, files: list[str]) -> None:
    """Print the hashes of the files, and the CPU milliseconds of one, as JSON."""
    path = PATHS[name]()
    contents = [Path(file).read_bytes() for file in files]
    hashes = [path(content).hex() for content in contents]
    begun = time.process_time()
    for content in contents:
        path(content)
    print(json.dumps({"ms": (time.process_time() - begun) / len(contents) * 1000, "hashes": hashes}))


def measured(name: str, files: list[Path]) -> tuple[float, list[int]]:
    """Return milliseconds and hashes of one path, from a process of its own with one thread."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--measure", name, *map(str, files)]
    told = json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)
    return told["ms"], [int(text, 16) for text in told["hashes"]]


def peer() -> str:
    """Return which peer is installed."""
    try:
        by_threatexchange()
    except ImportError:
        print("peer: Pillow and pdqhash, the calls threatexchange makes (it is not installed)")
        return "pdqhash"
    print("peer: threatexchange pdq_from_bytes")
    return "threatexchange"


def compare(width: int, height: int, bar: float, other: str, files: list[Path], rounds: int) -> None:
    """Measure one size and print its line."""
    ours, theirs, furthest = [], [], 0
    for _ in range(rounds):
        own_time, own_hashes = measured("kaval", files)
        their_time, their_hashes = measured(other, files)
        ours.append(own_time)
        theirs.append(their_time)
        furthest = max((own ^ their).bit_count() for own, their in zip(own_hashes, their_hashes, strict=True))
    mine, others = statistics.median(ours), statistics.median(theirs)
    print(
        f"{width * height / 1e6:4.1f} MP: Kaval {mine:.2f} ms, peer {others:.2f} ms: "
        f"{others / mine:.1f} times as fast (bar: {bar:.0f}), at most {furthest} bits away (bar: 2)",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.measure[0], chosen.measure[1:])
        return
    other = peer()
    with tempfile.TemporaryDirectory() as folder:
        for width, height, bar in SIZES:
            files = [Path(folder) / f"{width}-{seed}.jpg" for seed in range(chosen.pictures)]
            for seed, file in enumerate(files):
                draw(file, width, height, seed)
            compare(width, height, bar, other, files, chosen.rounds)


if __name__ == "__main__":
    main()
