"""What every reader of a file system has to keep, whatever its format."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from itertools import pairwise

from kaval.core.contracts import FileSystem, Tree
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Notice
from kaval.core.sources import ByteSource, BytesSource, ExtentSource, iterate_blocks

READ_KINDS = (EntryKind.FILE, EntryKind.STREAM, EntryKind.SYSTEM)


class GuardedSource(BytesSource):
    """Bytes that refuse to be asked for what no sane reader asks for: negative places, more than all of it."""

    def read_at(self, offset: int, length: int) -> bytes:
        assert offset >= 0, f"asked for byte {offset}"
        assert length <= max(self.size, 16 << 20), f"asked for {length} bytes at once"
        return super().read_at(offset, length)


def listing(system: FileSystem, image: bytes) -> tuple[Tree, list[Entry], list[Notice]]:
    """Return the tree of an image, its entries and notices; both are checked against the contract."""
    source = GuardedSource(image)
    assert system.probe(source)
    tree = system.open(source, Keyring())
    records = list(tree.entries())
    again = list(system.open(GuardedSource(image), Keyring()).entries())
    assert records == again, "the same bytes gave other records"
    entries = [record for record in records if isinstance(record, Entry)]
    notices = [record for record in records if isinstance(record, Notice)]
    addresses = [entry.address for entry in entries]
    assert len(addresses) == len(set(addresses)), "an address occurs twice"
    states = [entry.state is EntryState.ALLOCATED for entry in entries]
    assert states == sorted(states, reverse=True), "living entries come first"
    for entry in entries:
        assert not entry.path.startswith("/")
        assert all(extent.offset >= 0 and extent.length > 0 for extent in entry.extents or ())
    free = list(tree.unallocated())
    assert all(a.offset + a.length <= b.offset for a, b in pairwise(free))
    assert all(extent.offset + extent.length <= len(image) for extent in free)
    return tree, entries, notices


def stream_of(tree: Tree, source: ByteSource, entry: Entry) -> bytes:
    """Return the bytes of an entry as the engine reads them."""
    stream = (
        tree.open_stream(entry.address) if entry.extents is None else ExtentSource(source, entry.extents, entry.size)
    )
    return b"".join(iterate_blocks(stream))


def digests(tree: Tree, image: bytes, entries: list[Entry]) -> dict[str, str]:
    """Return the MD5 of every stream that claims bytes, by path."""
    source = BytesSource(image)
    return {
        entry.path: hashlib.md5(stream_of(tree, source, entry)).hexdigest()
        for entry in entries
        if entry.kind in READ_KINDS
        and entry.content not in (ContentState.GONE, ContentState.NONE, ContentState.PARTIAL)
    }


def mutations(image: bytes, count: int, seed: int, places: list[tuple[int, int]]) -> Iterator[bytes]:
    """Yield damaged copies: bytes of the places that matter changed, numbers made absurd, ends cut off."""
    source = random.Random(seed)
    for number in range(count):
        block = bytearray(image)
        for _ in range(source.choice((1, 2, 8, 40))):
            first, size = source.choice(places)
            place = first + source.randrange(size)
            change = source.randrange(4)
            if change == 0:
                block[place] = source.randrange(256)
            elif change == 1:
                block[place] ^= 1 << source.randrange(8)
            elif change == 2:
                block[place : place + 4] = source.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
            else:
                other, room = source.choice(places)
                start = other + source.randrange(room)
                block[place : place + 32] = image[start : start + 32]
        del block[len(image) :]
        if number % 7 == 0:
            del block[source.randrange(len(block)) :]
        yield bytes(block)


def survives(system: FileSystem, image: bytes, *, most: int = 20000) -> None:
    """List a damaged image and read what it lists: it ends in records, notices or our own errors, and soon."""
    source = GuardedSource(image)
    try:
        if not system.probe(source):
            return
        tree = system.open(source, Keyring())
        for number, record in enumerate(tree.entries()):
            assert number < most, "more records than the image can hold"
            if isinstance(record, Entry) and record.kind in READ_KINDS and record.size < 1 << 20:
                _read(tree, source, record)
        for number, _ in enumerate(tree.unallocated()):
            assert number < most
    except KavalError:
        return


def _read(tree: Tree, source: ByteSource, entry: Entry) -> None:
    try:
        stream_of(tree, source, entry)
    except KavalError:
        return
