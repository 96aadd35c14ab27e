"""Apple disk images: the sample of dfvfs, and small ones made in code with chunks of every kind."""

from __future__ import annotations

import bz2
import lzma
import plistlib
import struct
import zlib
from collections.abc import Callable, Mapping

import pytest

from kaval.containers import CONTAINERS
from kaval.containers.blockcodecs import unadc
from kaval.core.contracts import Opened
from kaval.core.errors import CorruptStructureError, KavalError, LockedError, UnreadableError, UnsupportedError
from kaval.core.records import NoticeCode
from kaval.core.sources import ByteSource, BytesSource, FileSource
from tests.containers.images import content_of, disk, mutations, no_siblings, read_everything, stays_inside
from tests.testdata import shared

CHUNK = 32 << 10


def _adc(chunk: bytes) -> bytes:
    """Return a chunk as literals and matches of one byte: of runs ADC keeps the first byte."""
    packed, place = b"", 0
    while place < len(chunk):
        run = 1
        while run < 64 and place + run < len(chunk) and chunk[place + run] == chunk[place]:
            run += 1
        packed += b"\x80" + chunk[place : place + 1]
        if 4 <= run - 1 <= 18:
            packed += bytes([(run - 1 - 3) << 2, 0])
        elif run - 1 > 18:
            packed += bytes([0x40 | (run - 1 - 4), 0, 0])
        else:
            run = 1
        place += run
    return packed


def _lzfse(chunk: bytes) -> bytes:
    """Return a chunk as LZFSE stores what it cannot compress."""
    return b"bvx-" + struct.pack("<I", len(chunk)) + chunk + b"bvx$"


KINDS: Mapping[int, Callable[[bytes], bytes]] = {
    1: bytes,
    0x80000004: _adc,
    0x80000005: zlib.compress,
    0x80000006: bz2.compress,
    0x80000007: _lzfse,
    0x80000008: lzma.compress,
}


def trailer(list_offset: int, list_size: int, sectors: int, segments: int = 1) -> bytes:
    """Return the last 512 bytes of an image."""
    head = struct.pack(">4sIIIQQQQQII", b"koly", 4, 512, 1, 0, 16, list_offset - 16, 0, 0, 1, segments)
    places = head.ljust(216, b"\0") + struct.pack(">QQ", list_offset, list_size)
    return (places.ljust(492, b"\0") + struct.pack(">Q", sectors)).ljust(512, b"\0")


def write_dmg(content: bytes, *kinds: int, lists: int = 2) -> bytes:
    """Return an image; its chunks are of the kinds given in turn, those of zeros of kind 0."""
    stored = bytes(16)
    starts = range(0, len(content), CHUNK)
    share = -(-len(starts) // lists)
    tables = []
    for first in range(0, len(starts), share):
        rows = b""
        for number, start in enumerate(starts[first : first + share], first):
            chunk = content[start : start + CHUNK]
            kind = kinds[number % len(kinds)] if any(chunk) else 0
            packed = KINDS[kind](chunk) if kind else b""
            sector = (start - starts[first]) // 512
            rows += struct.pack(">IIQQQQ", kind, 0, sector, len(chunk) // 512, len(stored) - 16, len(packed))
            stored += packed
        rows += struct.pack(">IIQQQQ", 0xFFFFFFFF, 0, 0, 0, 0, 0)
        head = struct.pack(">4sIQQQ", b"mish", 1, starts[first] // 512, 0, 0).ljust(200, b"\0")
        tables.append({"Data": head + struct.pack(">I", len(rows) // 40) + rows, "ID": "0"})
    listed = plistlib.dumps({"resource-fork": {"blkx": tables}})
    return stored + listed + trailer(len(stored), len(listed), len(content) // 512)


def _open(file: bytes) -> Opened:
    source = BytesSource(file)
    capability = next(each for each in CONTAINERS.available() if each.probe(source, "disk.dmg"))
    assert capability.name == "dmg"
    return capability.open(source, "disk.dmg", no_siblings)


def _source(opened: Opened) -> ByteSource:
    assert opened.source is not None
    return opened.source


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), tuple(KINDS)])
def test_an_image_reads_as_what_was_written(kinds: tuple[int, ...]) -> None:
    content = disk(1 << 20)

    opened = _open(write_dmg(content, *kinds))
    stays_inside(_source(opened), content)
    assert opened.notices == ()


def test_the_image_of_dfvfs_reads_as_libmodi_reads_it() -> None:
    path = shared("engine/dfvfs/hfsplus_zlib.dmg")
    opened = CONTAINERS.get("dmg").open(FileSource(path), path.name, no_siblings)

    content = content_of(_source(opened))
    assert content[40 * 512 + 1024 : 40 * 512 + 1026] == b"H+"
    [notice] = opened.notices
    assert notice.code is NoticeCode.SKIPPED
    assert "free space were left out" in notice.message
    pymodi = pytest.importorskip("pymodi", reason="libmodi-python is absent")
    handle = pymodi.handle()
    handle.open(str(path))
    assert handle.read_buffer(handle.get_media_size()) == content
    handle.close()


@pytest.mark.parametrize("kind", [0x80000005, 0x80000006, 0x80000008])
def test_a_damaged_chunk_is_unreadable_and_no_other(kind: int) -> None:
    content = disk(1 << 20)
    file = bytearray(write_dmg(content, kind))
    place = 16 + len(KINDS[kind](content[:CHUNK])) // 2
    file[place] ^= 0xFF

    source = _source(_open(bytes(file)))
    with pytest.raises(UnreadableError, match="chunk at byte 16 of the disk image") as error:
        source.read_at(100, 10)
    assert (error.value.offset, error.value.length) == (0, CHUNK)
    assert source.read_at(CHUNK, len(content)) == content[CHUNK:]


def test_what_no_block_list_covers_is_unreadable() -> None:
    content = disk(1 << 20)
    file = write_dmg(content, 1)
    longer = file[:-512] + file[-512:-20] + struct.pack(">Q", len(content) // 512 + 10) + file[-12:]

    source = _source(_open(longer))
    assert source.size == len(content) + 5120
    assert source.read_at(0, len(content)) == content
    with pytest.raises(UnreadableError, match="no block list"):
        source.read_at(len(content) - 1, 2)


def test_what_is_not_read_is_told() -> None:
    file = write_dmg(disk(1 << 18), 1)
    listed = file.index(b"<?xml")
    cases: tuple[tuple[bytes, type[KavalError], str], ...] = (
        (b"encrcdsa" + bytes(1000), LockedError, "hdiutil and its passphrase"),
        (bytes(1000) + b"cdsaencr", LockedError, "hdiutil and its passphrase"),
        (bytes(600) + trailer(16, 100, 8, segments=3), UnsupportedError, "in 3 segments"),
        (bytes(600) + trailer(16, 1 << 40, 8), CorruptStructureError, "cannot be there"),
        (file[:listed] + b"?" + file[listed + 1 :], CorruptStructureError, "cannot be read"),
        (file.replace(b"blkx", b"blky"), CorruptStructureError, "has no 'blkx'"),
    )
    for content, error, message in cases:
        with pytest.raises(error, match=message):
            _open(content)


def test_damaged_images_end_in_bytes_or_in_our_errors() -> None:
    file = write_dmg(disk(400 << 10), *KINDS)
    opened = 0
    for damaged in mutations(file, 300, seed=4, hot=12_000):
        try:
            image = CONTAINERS.get("dmg").open(BytesSource(damaged), "disk.dmg", no_siblings)
        except KavalError:
            continue
        opened += 1
        read_everything(_source(image))
    assert opened > 50


def test_adc_decodes_literals_and_both_kinds_of_matches() -> None:
    assert unadc(b"\x83tarn" + b"\x04\x03" + b"\x41\x00\x01", 4 + 4 + 5) == b"tarn" + b"tarn" + b"rnrnr"
    assert unadc(b"\x80t\x04\x01", 5) is None
    assert unadc(b"\x80t", 5) is None
