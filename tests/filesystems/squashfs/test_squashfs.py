"""SquashFS: every compression is read, and no damaged image hangs, swells or lies."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, LimitExceededError, LocatorError, UnreadableError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import EntryState, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.squashfs.tree import SquashfsTree, open_tree
from tests.filesystems.kept import check_damage, check_living, read, split

IMAGES = Path(__file__).parent / "images"
TRUTH = json.loads((IMAGES / "truth.json").read_text())
COMPRESSIONS = sorted(TRUTH["sha256"])


def image(name: str) -> bytes:
    content = (IMAGES / f"{name}.squashfs").read_bytes()
    assert hashlib.sha256(content).hexdigest() == TRUTH["sha256"][name]
    return content


def opened(content: bytes) -> SquashfsTree:
    return open_tree(BytesSource(content))


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_everything_is_listed_and_read(name: str) -> None:
    content = image(name)
    entries = check_living(opened(content), content, TRUTH["live"])

    assert len({entries["dast.txt"].address, entries["bralo/timpa09.txt"].address}) == 2
    assert list(opened(content).unallocated()) == []


def test_the_capability_opens_what_it_probes() -> None:
    squashfs = FILESYSTEMS.get("squashfs")

    assert squashfs.probe(BytesSource(image("gzip")))
    assert not squashfs.probe(BytesSource(bytes(100)))
    assert squashfs.open(BytesSource(image("xz")), Keyring()).facts["compression"] == "xz"


def test_a_stream_is_opened_by_its_address() -> None:
    content = image("gzip")
    tree = opened(content)
    entry = split(tree)[0]["holes.bin"]

    assert (
        tree.open_stream(entry.address).read_at(299_990, 50) == read(tree, BytesSource(content), entry)[299_990:300_040]
    )
    for address in ("x", "5", "5-x"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_older_versions_are_recognised_and_refused() -> None:
    content = bytearray(image("gzip"))
    struct.pack_into("<H", content, 28, 3)

    with pytest.raises(UnsupportedError, match="version 4"):
        opened(bytes(content))
    with pytest.raises(UnsupportedError):
        opened(b"sqsh" + bytes(200))


def test_a_cut_image_tells_what_it_lacks() -> None:
    content = image("gzip")
    used = struct.unpack_from("<Q", content, 40)[0]

    with pytest.raises(UnreadableError):
        opened(content[: used // 2])
    with pytest.raises(CorruptStructureError):
        opened(content[:50])


def test_bytes_missing_at_the_end_are_told() -> None:
    content = bytearray(image("gzip"))
    struct.pack_into("<Q", content, 40, len(content) + 4096)
    _, notices = split(opened(bytes(content)))

    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.TRUNCATED, len(content))]


def test_a_block_that_unpacks_to_more_than_its_size_is_cut_there() -> None:
    import zlib

    tree = opened(image("gzip"))
    bomb = zlib.compress(bytes(64 << 20))

    assert len(tree._system._unpack(bomb, 8192)) == 8192


def test_a_file_of_an_absurd_size_is_not_opened() -> None:
    from kaval.filesystems.squashfs.bounded import SquashedStream

    class Huge:
        size = 1 << 50

    with pytest.raises(LimitExceededError):
        SquashedStream(opened(image("gzip"))._system, Huge())


def test_an_empty_block_of_metadata_is_damage_and_no_endless_walk() -> None:
    content = bytearray(image("gzip"))
    table = struct.unpack_from("<Q", content, 64)[0]
    content[table : table + 2] = b"\0\x80"

    _, notices = split(opened(bytes(content)))

    assert notices
    assert all("0 bytes" in notice.message for notice in notices)


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_image_is_examined_to_the_end(name: str, seed: int) -> None:
    content = image(name)
    inodes = struct.unpack_from("<Q", content, 64)[0]
    used = struct.unpack_from("<Q", content, 40)[0]
    check_damage(open_tree, content, [range(96), range(96, inodes), range(inodes, used), range(inodes, used)], seed)


def test_entries_are_allocated_and_carry_one_time() -> None:
    entries = split(opened(image("lz4")))[0]

    assert {entry.state for entry in entries.values()} == {EntryState.ALLOCATED}
    assert all(entry.times.modified and entry.times.accessed is None for entry in entries.values())
