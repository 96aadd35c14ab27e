"""What every container that lists a tree must keep, as functions for their tests."""

from __future__ import annotations

from collections.abc import Callable

from kaval.core.contracts import Opened, Siblings, Tree
from kaval.core.errors import KavalError
from kaval.core.records import ContentState, Entry, EntryKind, Notice
from kaval.core.sources import ByteSource, BytesSource, ExtentSource

READABLE = frozenset({EntryKind.FILE, EntryKind.STREAM})
NO_CONTENT = frozenset({ContentState.NONE, ContentState.GONE, ContentState.ENCRYPTED})

Open = Callable[[ByteSource, str, Siblings], Opened]


class GuardedSource:
    """Bytes that fail the test when a reader asks for absurd lengths, and count what was read."""

    def __init__(self, content: bytes) -> None:
        self._inner = BytesSource(content)
        self.read_size = 0

    @property
    def size(self) -> int:
        return self._inner.size

    def read_at(self, offset: int, length: int) -> bytes:
        assert length <= 256 << 20, f"{length} bytes were asked for at once"
        block = self._inner.read_at(offset, length)
        self.read_size += len(block)
        return block


def no_siblings(name: str) -> ByteSource | None:
    return None


def entries_of(tree: Tree | None) -> list[Entry]:
    assert tree is not None
    return [record for record in tree.entries() if isinstance(record, Entry)]


def notices_of(tree: Tree | None) -> list[Notice]:
    assert tree is not None
    return [record for record in tree.entries() if isinstance(record, Notice)]


def stream_of(tree: Tree | None, entry: Entry, source: ByteSource | None = None) -> ByteSource:
    """Return the stream of an entry as the driver opens it: by its extents where it has some."""
    assert tree is not None
    if entry.extents is not None and source is not None:
        return ExtentSource(source, entry.extents, entry.size)
    return tree.open_stream(entry.address)


def read_all(tree: Tree | None, entry: Entry, source: ByteSource | None = None, block: int = 1 << 20) -> bytes:
    stream = stream_of(tree, entry, source)
    parts = []
    offset = 0
    while offset < stream.size:
        part = stream.read_at(offset, block)
        assert part, "nothing was read inside the stream"
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def check_tree(open_it: Open, content: bytes, name: str) -> list[Entry]:
    """Check the contract on sound input; return the entries."""
    source = GuardedSource(content)
    opened = open_it(source, name, no_siblings)
    records = list(opened.tree.entries()) if opened.tree else []
    again = open_it(BytesSource(content), name, no_siblings)
    assert opened.tree is not None
    assert again.tree is not None
    assert records == list(again.tree.entries()), "the same bytes gave other records"
    found = [record for record in records if isinstance(record, Entry)]
    assert len({entry.address for entry in found}) == len(found), "an address occurs twice"
    for entry in found:
        assert not entry.path.startswith("/") or entry.path_raw is not None or entry.path.startswith("//") is False
        if entry.kind in READABLE and entry.content not in NO_CONTENT:
            stream = stream_of(opened.tree, entry, source)
            assert stream.size == entry.size
            by_address = again.tree.open_stream(entry.address)
            whole = read_all(opened.tree, entry, source)
            assert len(whole) == entry.size
            assert by_address.read_at(0, entry.size) == whole, "the address alone leads to other bytes"
        else:
            assert entry.extents is None
    return found


def check_mutated(open_it: Open, content: bytes, name: str, *, most_records: int = 100_000) -> None:
    """Check that damaged input ends in records, notices or the engine's own errors, in bounded work."""
    source = GuardedSource(content)
    try:
        opened = open_it(source, name, no_siblings)
        assert opened.tree is not None
        for number, record in enumerate(opened.tree.entries()):
            assert number < most_records
            if isinstance(record, Notice):
                continue
            assert record.size >= 0
            if record.kind not in READABLE or record.content in NO_CONTENT:
                continue
            try:
                stream = stream_of(opened.tree, record, source)
                for offset in (0, max(0, stream.size - 100), stream.size // 2):
                    assert len(stream.read_at(offset, 4096)) <= 4096
            except KavalError:
                continue
    except KavalError:
        return
