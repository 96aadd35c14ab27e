"""Images that a kernel made and the repository keeps, and what every reader of file systems is held to."""

from __future__ import annotations

import hashlib
import json
import lzma
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from kaval.core.contracts import Tree
from kaval.core.errors import KavalError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice, NoticeCode
from kaval.core.sources import ByteSource, BytesSource, ExtentSource


@cache
def kept_image(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return an image, and what is true of it (``truth.json`` beside it); they belong together."""
    content = lzma.decompress(path.read_bytes())
    truth: dict[str, Any] = json.loads((path.parent / "truth.json").read_text())
    assert hashlib.sha256(content).hexdigest() == truth["sha256"]
    return content, truth


def living_in(root: Path, resolution: int = 1) -> dict[str, dict[str, Any]]:
    """Return what is true of the files below a folder; times are cut to ``resolution`` nanoseconds."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        modified = status.st_mtime_ns // resolution * resolution
        facts: dict[str, Any] = {"mode": status.st_mode, "size": status.st_size, "modified": modified}
        if path.is_symlink():
            facts["target"] = str(path.readlink())
        elif path.is_file():
            facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(root))] = facts
    return found


def split(tree: Tree) -> tuple[dict[str, Entry], list[Notice]]:
    """Return the entries of a tree by path, and the notices; no address occurs twice."""
    records = list(tree.entries())
    entries = [record for record in records if isinstance(record, Entry)]
    assert len({entry.address for entry in entries}) == len(entries)
    return {entry.path: entry for entry in entries}, [record for record in records if isinstance(record, Notice)]


def read(tree: Tree, source: ByteSource, entry: Entry, step: int = 50_000) -> bytes:
    """Return the bytes of an entry, by its extents where it has some, else through its tree."""
    opened = (
        ExtentSource(source, entry.extents, entry.size)
        if entry.extents is not None
        else tree.open_stream(entry.address)
    )
    return b"".join(opened.read_at(offset, step) for offset in range(0, entry.size, step))


def check_living(
    tree: Tree, content: bytes, living: dict[str, dict[str, Any]], expected: tuple[NoticeCode, ...] = ()
) -> dict[str, Entry]:
    """Hold a tree against all that is known to live in it; return its entries. ``expected`` are its notices."""
    entries, notices = split(tree)
    source = BytesSource(content)
    assert tuple(notice.code for notice in notices) == expected
    assert {path for path, entry in entries.items() if entry.state is EntryState.ALLOCATED} == set(living)
    for path, true in living.items():
        entry = entries[path]
        assert (entry.mode, entry.times.modified) == (true["mode"], true["modified"])
        assert entry.link_target == true.get("target")
        if "sha256" in true:
            assert (entry.kind, entry.content, entry.size) == (EntryKind.FILE, ContentState.INTACT, true["size"])
            assert hashlib.sha256(read(tree, source, entry)).hexdigest() == true["sha256"]
    return entries


def check_free_space(tree: Tree) -> int:
    """Check that free space is in order and no living file lies in it; return its size."""
    free = [(extent.offset, extent.offset + extent.length) for extent in tree.unallocated()]
    assert free == sorted(free)
    for entry in split(tree)[0].values():
        for extent in entry.extents or ():
            end = extent.offset + extent.length
            inside = any(start < end and extent.offset < stop for start, stop in free)
            assert extent.sparse or extent.assumed or not inside
    return sum(end - start for start, end in free)


def check_damage(open_tree: Callable[[ByteSource], Tree], content: bytes, ranges: list[range], seed: int) -> None:
    """Damage metadata and examine the rest; only our own errors may come, and no claim that cannot hold."""
    chosen = random.Random(seed)
    changed = bytearray(content)
    for _ in range(chosen.choice([1, 4, 20, 200])):
        place = chosen.choice(chosen.choice(ranges))
        size = chosen.choice([1, 2, 4, 8])
        changed[place : place + size] = chosen.choice([bytes(size), b"\xff" * size, chosen.randbytes(size)])
    if chosen.random() < 0.1:
        del changed[chosen.randrange(len(changed)) :]
    source = BytesSource(bytes(changed))
    try:
        tree = open_tree(source)
        entries, _ = split(tree)
    except KavalError:
        return
    for entry in entries.values():
        assert 0 <= entry.overlap_size <= entry.size
        if entry.kind is EntryKind.FILE and entry.content is ContentState.INTACT and entry.size < 1 << 26:
            try:
                assert len(read(tree, source, entry)) == entry.size
            except KavalError:
                continue
    try:
        assert all(extent.length > 0 for extent in tree.unallocated())
    except KavalError:
        return
