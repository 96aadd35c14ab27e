"""Recover what was deleted from images with a known truth, beside the peers, on the same machine in the same run.

    python benchmarks/recovery.py IMAGE=TRUTH.json [IMAGE=TRUTH.json ...] [--tools kaval,tsk_recover,photorec,...]

TRUTH is the answer key beside the image: ``{"files": [{path, sha256, size, state, fate, frags, kind}, ...]}``, where
``fate`` says of a deleted file whether all its bytes are still on the disk (``intact`` or ``resident``). For each tool
that is installed: CPU and wall seconds, how many of the files still whole came back byte-exact, in all, as JPEG, and of
those in several fragments; how much of what it wrote is neither a deleted nor a live file (noise: embedded pictures are
counted here too), and how many live files it wrote again. Kaval lists, digests and carves in the same run, with two
workers and without decoding media; what it writes is what ``kaval extract --all-recovered`` brings out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass(kw_only=True)
class Run:
    """What one tool cost on one image."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: int = 0
    digests: list[str] = field(default_factory=list)


def run(commands: list[list[str]], scratch: Path, environment: dict[str, str] | None = None) -> Run:
    """Run commands one after the other in a folder of their own and return what they cost together."""
    done = Run()
    for command in commands:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run(
            command,
            check=False,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            cwd=scratch,
            **QUIET,
        )  # type: ignore[call-overload]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        done.wall += time.perf_counter() - begun
        done.cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        done.peak = max(done.peak, after.ru_maxrss)
    return done


def written(folder: Path) -> Iterator[str]:
    """Yield the SHA-256 of every file a tool wrote."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in ("report.xml", "audit.txt", "recovered.csv"):
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "sha256").hexdigest()


def kaval(image: Path, scratch: Path) -> Run:
    """Examine without media, then bring out what was recovered; only the examination is timed."""
    folder = scratch / "examination"
    base = [sys.executable, "-m", "kaval.cli"]
    left_out = ["--no-media", "--no-archives", "--no-artefacts", "--no-texts"]
    given = ["--exhibit", "BENCH", "--authority", "benchmark", *left_out]
    examine = [*base, "examine", str(image.resolve()), "--out", str(folder), *given]
    done = run([examine], scratch, {"KAVAL_KEYS": str(scratch / "keys")})
    out = scratch / "out"
    run([[*base, "extract", str(folder), "--all-recovered", "--out", str(out), "--purpose", "benchmark"]], scratch)
    done.digests = list(written(out))
    return done


def peer(*command: str) -> Callable[[Path, Path], Run]:
    """Return the runner of a tool that writes into a folder; ``{image}`` and ``{out}`` stand for the paths."""

    def runner(image: Path, scratch: Path) -> Run:
        out = scratch / "out"
        if command[0] not in ("scalpel", "foremost"):
            out.mkdir()
        done = run([[part.format(image=image.resolve(), out=out) for part in command]], scratch)
        done.digests = [digest for folder in scratch.glob("out*") for digest in written(folder)]
        return done

    return runner


def scalpel(image: Path, scratch: Path) -> Run:
    """Run scalpel with the types of its own table that matter here."""
    table = scratch / "scalpel.conf"
    lines = Path("/etc/scalpel/scalpel.conf").read_text(encoding="utf-8").splitlines()
    wanted = ("jpg", "gif", "png", "pdf", "zip", "avi", "mov", "doc")
    kept = [line.lstrip("# \t") for line in lines if line.lstrip("# \t").split("\t")[0].split(" ")[0] in wanted]
    table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return peer("scalpel", "-c", str(table), "-o", "{out}", "{image}")(image, scratch)


RUNNERS: dict[str, Callable[[Path, Path], Run]] = {
    "kaval": kaval,
    "tsk_recover": peer("tsk_recover", "{image}", "{out}"),
    "photorec": peer(
        "photorec", "/log", "/d", "{out}/recup", "/cmd", "{image}", "partition_none,options,paranoid,wholespace,search"
    ),
    "foremost": peer("foremost", "-t", "all", "-i", "{image}", "-o", "{out}"),
    "scalpel": scalpel,
    "recoverjpeg": peer("recoverjpeg", "-q", "-o", "{out}", "{image}"),
}


def score(truth: list[dict[str, Any]], done: Run) -> dict[str, str]:
    """Return the figures of one run as text."""
    deleted = [entry for entry in truth if entry["state"] == "deleted"]
    whole = [entry for entry in deleted if entry["fate"] in ("intact", "resident")]
    live = {entry["sha256"] for entry in truth if entry["state"] == "live"}
    known = {entry["sha256"] for entry in deleted} | live
    found = set(done.digests)

    def recall(entries: list[dict[str, Any]]) -> str:
        hit = sum(entry["sha256"] in found for entry in entries)
        return f"{hit}/{len(entries)} = {hit / len(entries):.3f}" if entries else "-"

    noise = sum(digest not in known for digest in done.digests)
    share = noise / len(done.digests) if done.digests else 0.0
    return {
        "CPU s": f"{done.cpu:.1f}",
        "wall s": f"{done.wall:.1f}",
        "whole": recall(whole),
        "JPEG": recall([entry for entry in whole if entry["kind"].startswith("jpg")]),
        "in fragments": recall([entry for entry in whole if (entry["frags"] or 0) > 1]),
        "noise": f"{noise} of {len(done.digests)} ({share:.1%})",
        "live again": str(sum(digest in live for digest in done.digests)),
    }


def main() -> None:
    """Measure and print one table an image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", metavar="IMAGE=TRUTH")
    parser.add_argument("--tools", default=",".join(RUNNERS))
    chosen = parser.parse_args()
    for pair in chosen.images:
        image, _, key = pair.partition("=")
        truth = json.loads(Path(key).read_text(encoding="utf-8"))["files"]
        print(f"\n{Path(image).name}")
        costs: dict[str, float] = {}
        for name in chosen.tools.split(","):
            if name != "kaval" and shutil.which(name) is None:
                print(f"{name:12} not installed")
                continue
            with tempfile.TemporaryDirectory() as folder:
                done = RUNNERS[name](Path(image), Path(folder))
            costs[name] = done.cpu
            print(f"{name:12} " + "  ".join(f"{title} {value}" for title, value in score(truth, done).items()))
        if "kaval" in costs:
            ratios = [f"{name} {cost / costs['kaval']:.1f}" for name, cost in costs.items() if name != "kaval"]
            print(
                "CPU of each peer, as a multiple of Kaval's (which lists and digests everything as well): "
                + ", ".join(ratios)
            )


if __name__ == "__main__":
    main()
