"""Drive mutated images through the seams of the readers, and keep what misbehaves. See README.md."""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from kaval.containers import CONTAINERS
from kaval.core.contracts import Tree
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Entry
from kaval.core.sources import ByteSource, BytesSource, ExtentSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from kaval.volumes import VOLUMES

FOUND = Path(__file__).parent / "found"
MOST_ENTRIES = 5000
MOST_BYTES = 65_536


class HangError(Exception):
    """A reader took longer than it may."""


def read(content: bytes, name: str) -> int:
    """Drive bytes through every reader that takes them; return the number of entries listed."""
    source = BytesSource(content)
    listed = 0
    for container in CONTAINERS.available():
        if container.probe(source, name):
            try:
                opened = container.open(source, name, lambda _: None)
            except KavalError:
                continue
            if opened.tree is not None:
                listed += walk(opened.tree, None)
            elif opened.source is not None:
                listed += below(opened.source, 0)
    return listed


def below(source: ByteSource, depth: int) -> int:
    """Drive a source through volume systems and file systems."""
    listed = 0
    for system in VOLUMES.available():
        try:
            if depth < 3 and system.probe(source):
                for volume in system.open(source, Keyring()):
                    listed += below(volume.source, depth + 1) if hasattr(volume, "source") else 0
        except KavalError:
            continue
    for file_system in FILESYSTEMS.available():
        try:
            if file_system.probe(source):
                tree = file_system.open(source, Keyring())
                listed += walk(tree, source)
                for recovery in RECOVERIES.available():
                    if file_system.name in recovery.layers:
                        listed += sum(1 for _ in recovery.recover(source, tree))
        except KavalError:
            continue
    return listed


def walk(tree: Tree, source: ByteSource | None) -> int:
    """List a tree and read the start of every stream."""
    listed = 0
    try:
        for record in tree.entries():
            listed += 1
            if listed > MOST_ENTRIES:
                break
            if isinstance(record, Entry) and record.kind == "file" and record.size > 0:
                read_start(tree, source, record)
        for _ in tree.unallocated():
            pass
    except KavalError:
        return listed
    return listed


def read_start(tree: Tree, source: ByteSource | None, entry: Entry) -> None:
    """Read the first bytes of one stream."""
    try:
        if entry.extents is not None and source is not None:
            ExtentSource(source, entry.extents, entry.size).read_at(0, MOST_BYTES)
        elif entry.extents is None:
            tree.open_stream(entry.address).read_at(0, MOST_BYTES)
    except KavalError:
        return


def mutations(seed: bytes, chance: random.Random) -> Iterator[bytes]:
    """Yield the seed with bytes flipped, fields set to extremes, parts cut out, doubled or shifted; for ever."""
    while True:
        content = bytearray(seed)
        for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
            place = (
                chance.randrange(len(content)) if chance.random() < 0.5 else chance.randrange(min(len(content), 4096))
            )
            kind = chance.randrange(4)
            if kind == 0:
                content[place] ^= 1 << chance.randrange(8)
            elif kind == 1:
                width = chance.choice((1, 2, 4, 8))
                content[place : place + width] = chance.choice((b"\xff", b"\x00", b"\x7f")) * width
            elif kind == 2:
                length = chance.randrange(1, 512)
                other = chance.randrange(len(content))
                content[place : place + length] = content[other : other + length]
            elif len(content) > 1024:
                del content[chance.randrange(len(content) // 2, len(content)) :]
        yield bytes(content)


def keep(content: bytes, name: str, reason: str) -> None:
    """Keep one input that misbehaved."""
    FOUND.mkdir(exist_ok=True)
    digest = hashlib.sha256(content).hexdigest()[:16]
    (FOUND / f"{digest}-{name}").write_bytes(content)
    (FOUND / f"{digest}.txt").write_text(reason, encoding="utf-8")
    print(f"found {digest}: {reason.strip().splitlines()[-1]}", file=sys.stderr)


def _alarm(number: int, frame: FrameType | None) -> None:
    raise HangError("it took longer than ten seconds")


def plain_run(seeds: list[Path], runs: int, seconds: float, number: int) -> int:
    """Mutate and drive without coverage guidance; return how many inputs misbehaved."""
    chance = random.Random(number)
    signal.signal(signal.SIGALRM, _alarm)
    streams: list[tuple[str, Iterator[bytes]]] = [(path.name, mutations(path.read_bytes(), chance)) for path in seeds]
    found = done = 0
    ending = time.monotonic() + seconds
    while done < runs and time.monotonic() < ending:
        name, stream = streams[done % len(streams)]
        content = next(stream)
        signal.alarm(10)
        try:
            read(content, name)
        except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
            signal.alarm(0)
            found += 1
            keep(content, name, traceback.format_exc())
        signal.alarm(0)
        done += 1
    print(f"{done} inputs, {found} misbehaved")
    return found


def guided_run(seeds: list[Path], options: list[str]) -> None:
    """Let atheris choose the inputs."""
    import atheris

    name = seeds[0].name
    corpus = FOUND.parent / "corpus"
    corpus.mkdir(exist_ok=True)
    for path in seeds:
        (corpus / path.name).write_bytes(path.read_bytes())
    drive: Callable[[bytes], object] = lambda content: read(content, name)  # noqa: E731
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(corpus), *options], drive)
    atheris.Fuzz()


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--number", type=int, default=1, help="number the mutations start from")
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("options", nargs="*", help="after --: passed on to atheris")
    if "--" in sys.argv:
        place = sys.argv.index("--")
        chosen, options = parser.parse_args(sys.argv[1:place]), sys.argv[place + 1 :]
    else:
        chosen, options = parser.parse_args(), []
    if chosen.atheris:
        guided_run(chosen.seeds, options)
    else:
        sys.exit(plain_run(chosen.seeds, chosen.runs, chosen.seconds, chosen.number) > 0)


if __name__ == "__main__":
    main()
