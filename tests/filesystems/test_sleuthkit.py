from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, LocatorError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.records import EntryKind, Extent
from kaval.core.sources import BytesSource, FileSource
from kaval.filesystems.hfs import HfsFileSystem
from kaval.filesystems.sleuthkit import Clock, SleuthkitVolume
from kaval.filesystems.ufs import UfsFileSystem
from tests.filesystems.contract import digests, listing, mutations, survives
from tests.testdata import shared

HFS = HfsFileSystem()
CLOCK = Clock(zone="utc", resolution="1s")


@pytest.fixture(scope="module")
def image() -> bytes:
    return shared("engine/dfvfs/hfsplus.raw").read_bytes()


class BadSector(BytesSource):
    """Bytes of which one sector cannot be read."""

    def __init__(self, content: bytes, bad: int) -> None:
        super().__init__(content)
        self.bad = bad

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < self.bad + 512 and self.bad < offset + length:
            raise UnreadableError(self.bad, 512, "bad sector")
        return super().read_at(offset, length)


def test_a_tree_has_names_streams_links_and_times(image: bytes) -> None:
    tree, entries, notices = listing(HFS, image)
    found = {entry.path: entry for entry in entries}

    assert found["a_link"].kind is EntryKind.SYMLINK
    assert found["a_link"].link_target == "a_directory/another_file"
    assert found["a_directory/a_resourcefork:RSRC"].kind is EntryKind.STREAM
    assert found["$CatalogFile"].kind is EntryKind.SYSTEM
    assert found["a_directory/a_file"].times.zone == "utc"
    assert found["a_directory/a_file"].parent == found["a_directory"].address
    assert digests(tree, image, entries)["passwords.txt"] == "39cb097008d17660abd0539891a672af"
    assert not notices


def test_the_tree_agrees_with_an_independent_reader(image: bytes, tmp_path: Path) -> None:
    pyfshfs = pytest.importorskip("pyfshfs")
    path = tmp_path / "hfs.dd"
    path.write_bytes(image)
    tree, entries, _ = listing(HFS, image)
    mine = {
        path: digest
        for path, digest in digests(tree, image, entries).items()
        if ":" not in path and not path.startswith(("$", "^"))
    }
    volume = pyfshfs.volume()
    volume.open(str(path))
    theirs: dict[str, str] = {}
    pending = [(volume.get_root_directory(), "")]
    while pending:
        directory, above = pending.pop()
        for item in directory.sub_file_entries:
            here = f"{above}/{item.name}" if above else item.name
            if item.file_mode & 0o170000 == 0o100000:
                theirs[here] = hashlib.md5(item.read(item.size) if item.size else b"").hexdigest()
            if item.number_of_sub_file_entries:
                pending.append((item, here))

    assert mine == theirs
    assert len(theirs) > 5


def blocks(extent: Extent) -> range:
    return range(extent.offset // 4096, -(-(extent.offset + extent.length) // 4096))


def test_free_space_is_what_the_allocation_file_calls_free(image: bytes) -> None:
    tree, entries, _ = listing(HFS, image)
    free = {
        block
        for extent in tree.unallocated()
        for block in range(extent.offset // 4096, (extent.offset + extent.length) // 4096)
    }

    used = {
        block
        for entry in entries
        for extent in entry.extents or ()
        for block in range(extent.offset // 4096, -(-(extent.offset + extent.length) // 4096))
    }
    assert free
    assert not free & used


def test_a_sector_that_cannot_be_read_is_told_as_unreadable_not_as_damage(image: bytes) -> None:
    with pytest.raises(UnreadableError) as raised:
        SleuthkitVolume(BadSector(image, 1024), "HFS+", CLOCK)
    assert raised.value.offset == 1024

    volume = SleuthkitVolume(BadSector(image, 65536 * 3), "HFS+", CLOCK)
    assert [name.raw for name in volume.names(volume.root_number)][:2] == [b"$ExtentsFile", b"$CatalogFile"]


def test_what_is_no_file_system_is_damage_with_the_words_of_the_library() -> None:
    with pytest.raises(CorruptStructureError, match="Cannot determine file system type"):
        SleuthkitVolume(BytesSource(bytes(4096)), "HFS+", CLOCK)


def test_addresses_that_lead_nowhere_are_refused(image: bytes) -> None:
    tree = HFS.open(BytesSource(image), Keyring())

    assert tree.open_stream("20").read_at(0, 5) == b"place"
    with pytest.raises(LocatorError):
        tree.open_stream("osk")
    with pytest.raises(CorruptStructureError):
        tree.open_stream("99999")


def test_probes_know_their_own_and_nothing_else(image: bytes) -> None:
    assert HFS.probe(BytesSource(image))
    assert not UfsFileSystem().probe(BytesSource(image))
    assert not HFS.probe(BytesSource(b""))
    ufs = bytearray(70000)
    ufs[65536 + 1372 : 65536 + 1376] = bytes.fromhex("19015419")
    assert UfsFileSystem().probe(BytesSource(bytes(ufs)))


def test_a_file_source_is_read_as_bytes_are(tmp_path: Path, image: bytes) -> None:
    path = tmp_path / "hfs.dd"
    path.write_bytes(image)

    assert list(HFS.open(FileSource(path), Keyring()).entries()) == list(
        HFS.open(BytesSource(image), Keyring()).entries()
    )


@pytest.mark.parametrize("seed", range(3))
def test_damage_ends_in_records_notices_or_our_own_errors(image: bytes, seed: int) -> None:
    for damaged in mutations(image, 15, seed, [(1024, 162), (761856, 8192), (8192, 512)]):
        survives(HFS, damaged)
