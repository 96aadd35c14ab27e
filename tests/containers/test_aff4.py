"""AFF4 images: the canonical ones, and small ones made in code with every compression and every kind of gap."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pyarrow
import pytest

from kaval.containers import CONTAINERS
from kaval.containers.aff4.streams import Streams
from kaval.containers.aff4.turtle import AFF4, RDF_TYPE, Value, read_turtle
from kaval.containers.aff4.volume import gather
from kaval.core.contracts import Opened
from kaval.core.errors import CorruptStructureError, KavalError, LockedError, UnreadableError, UnsupportedError
from kaval.core.records import NoticeCode
from kaval.core.sources import ByteSource, BytesSource, FileSource
from tests.containers.images import (
    beside,
    beside_path,
    content_of,
    disk,
    mutations,
    no_siblings,
    read_everything,
    stays_inside,
)
from tests.testdata import shared

CHUNK = 4096
PER_BEVY = 64
SIZE = 1 << 20
VOLUME, IMAGE, MAP, STREAM = "aff4://volume", "aff4://image", "aff4://map", "aff4://stream"


def _deflate(chunk: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(chunk) + packer.flush()


METHODS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "snappy": ("http://code.google.com/p/snappy/", lambda chunk: pyarrow.Codec("snappy").compress(chunk, asbytes=True)),
    "lz4": ("https://code.google.com/p/lz4/", lambda chunk: pyarrow.Codec("lz4_raw").compress(chunk, asbytes=True)),
    "zlib": ("https://www.ietf.org/rfc/rfc1950.txt", zlib.compress),
    "deflate": ("https://tools.ietf.org/html/rfc1951", _deflate),
    "stored": (f"{AFF4}NullCompressor", bytes),
}


def stream_members(content: bytes, method: str, *, digests: bool = True, stream: str = STREAM) -> dict[str, bytes]:
    """Return the members of an image stream by name."""
    pack = METHODS[method][1]
    members = {}
    chunks = [content[start : start + CHUNK].ljust(CHUNK, b"\0") for start in range(0, len(content), CHUNK)]
    for number, first in enumerate(range(0, len(chunks), PER_BEVY)):
        bevy, index, hashes = bytearray(), b"", b""
        for chunk in chunks[first : first + PER_BEVY]:
            packed = pack(chunk)
            packed = packed if len(packed) < CHUNK else chunk
            index += struct.pack("<QI", len(bevy), len(packed))
            bevy += packed
            hashes += hashlib.sha1(chunk).digest()
        members[f"{stream}/{number:08}"] = bytes(bevy)
        members[f"{stream}/{number:08}.index"] = index
        if digests:
            members[f"{stream}/{number:08}.blockHash.sha1"] = hashes
    return members


def stream_text(size: int, method: str, stream: str = STREAM) -> str:
    """Return what a description says of an image stream."""
    return (
        f"<{stream}> a aff4:ImageStream ; aff4:chunkSize {CHUNK} ; aff4:chunksInSegment {PER_BEVY} ;\n"
        f' aff4:compressionMethod <{METHODS[method][0]}> ; aff4:size "{size}"^^xsd:long .\n'
    )


def map_members(points: list[tuple[int, int, int, int]], targets: list[str]) -> dict[str, bytes]:
    """Return the members of a map by name."""
    return {
        f"{MAP}/map": b"".join(struct.pack("<QQQI", *point) for point in points),
        f"{MAP}/idx": "\n".join(targets).encode() + b"\n",
        f"{MAP}/mapPath": b"",
    }


def describe(size: int, *more: str, data: str = MAP, kinds: str = "aff4:DiskImage , aff4:Image") -> str:
    """Return a description of an image of a disk."""
    return (
        "@prefix : <aff4://volume> .\n@prefix aff4: <http://aff4.org/Schema#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        ': a aff4:ZipVolume ; aff4:stored "disk.aff4" .\n'
        f'<{IMAGE}> a {kinds} ; aff4:dataStream <{data}> ; aff4:size "{size}"^^xsd:long ; aff4:diskModel "mirul" .\n'
        f'<aff4://notes> a aff4:CaseNotes ; aff4:caseNumber "case-7" ; aff4:target <{IMAGE}> .\n'
        f'<{MAP}> a aff4:Map ; aff4:size "{size}"^^xsd:long ; aff4:dependentStream <{STREAM}> .\n' + "".join(more)
    )


def write_aff4(members: Mapping[str, bytes], text: str, version: str = "major=1\nminor=0\ntool=Tarn 2.1\n") -> bytes:
    """Return a volume."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.comment = VOLUME.encode()
        for name, content in {"container.description": VOLUME.encode(), "version.txt": version.encode()}.items():
            packed.writestr(zipfile.ZipInfo(name), content)
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(quote(name, safe="/")), content)
        packed.writestr(zipfile.ZipInfo("information.turtle"), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def simple(content: bytes, method: str) -> bytes:
    """Return an image whose data stream is an image stream, without a map."""
    text = describe(len(content), stream_text(len(content), method), data=STREAM)
    return write_aff4(stream_members(content, method), text)


def _open(file: bytes, files: Mapping[str, bytes] | None = None, name: str = "disk.aff4") -> Opened:
    source = BytesSource(file)
    capability = next(each for each in CONTAINERS.available() if each.probe(source, name))
    assert capability.name == "aff4"
    return capability.open(source, name, beside(files or {}))


def _source(opened: Opened) -> ByteSource:
    assert opened.source is not None
    return opened.source


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [SIZE, SIZE - 1000, 512])
def test_an_image_stream_reads_as_what_was_written(method: str, size: int) -> None:
    content = disk(SIZE)[:size]

    opened = _open(simple(content, method))
    stays_inside(_source(opened), content)
    assert opened.notices == ()
    assert (opened.facts["model"], opened.facts["case number"]) == ("mirul", "case-7")
    assert opened.facts["acquisition tool version"] == "Tarn 2.1"


def test_a_map_lays_out_streams_and_symbols() -> None:
    content = disk(SIZE)
    points = [(0, 8192, 4096, 0), (8192, 100, 0, 1), (8292, 92, 0, 2), (20480, 4096, 0, 0)]
    targets = [STREAM, f"{AFF4}SymbolicStream61", f"{AFF4}Zero"]
    text = describe(30000, stream_text(SIZE, "snappy"))

    opened = _open(write_aff4({**stream_members(content, "snappy"), **map_members(points, targets)}, text))
    expected = content[4096 : 4096 + 8192] + b"a" * 100 + bytes(92) + bytes(20480 - 8384) + content[:4096]
    stays_inside(_source(opened), expected.ljust(30000, b"\0"))
    assert opened.notices == ()


def test_what_was_not_acquired_is_unreadable_and_told() -> None:
    content = disk(SIZE)
    points = [(0, 4096, 0, 0), (4096, 4096, 0, 1), (8192, 4096, 0, 1), (12288, 4096, 0, 2), (16384, 4096, 4096, 0)]
    targets = [STREAM, f"{AFF4}UnknownData", f"{AFF4}UnreadableData"]
    text = describe(20480, stream_text(SIZE, "zlib"))

    opened = _open(write_aff4({**stream_members(content, "zlib"), **map_members(points, targets)}, text))
    told = [(notice.code, notice.offset, notice.message.partition(" bytes")[0]) for notice in opened.notices]
    assert told == [(NoticeCode.UNREADABLE, 4096, "8192"), (NoticeCode.UNREADABLE, 12288, "4096")]
    assert _source(opened).read_at(16384, 4096) == content[4096:8192]
    with pytest.raises(UnreadableError, match="was not acquired") as error:
        _source(opened).read_at(0, 8192)
    assert error.value.offset == 4096
    with pytest.raises(UnreadableError, match="could not be read when it was acquired"):
        _source(opened).read_at(12288, 1)


@pytest.mark.parametrize("method", ["snappy", "stored"])
def test_a_flipped_byte_makes_its_chunk_unreadable_and_no_other(method: str) -> None:
    content = disk(SIZE)
    noise = next(start for start in range(CHUNK, SIZE, CHUNK) if len(set(content[start : start + 64])) > 40)
    file = bytearray(simple(content, method))
    place = file.index(content[noise + 100 : noise + 160])
    file[place + 10] ^= 1

    source = _source(_open(bytes(file)))
    with pytest.raises(UnreadableError, match=rf"chunk {noise // CHUNK}, at byte .* its sha1 is another") as error:
        source.read_at(noise - 1000, 3 * CHUNK)
    assert (error.value.offset, error.value.length) == (noise, CHUNK)
    assert source.read_at(0, noise) == content[:noise]
    assert source.read_at(noise + CHUNK, SIZE) == content[noise + CHUNK :]


def test_a_missing_bevy_is_unreadable_and_the_others_are_not() -> None:
    content = disk(SIZE)
    members = stream_members(content, "snappy")
    del members[f"{STREAM}/00000001"]
    text = describe(SIZE, stream_text(SIZE, "snappy"), data=STREAM)

    source = _source(_open(write_aff4(members, text)))
    bevy = CHUNK * PER_BEVY
    assert source.read_at(0, bevy) == content[:bevy]
    assert source.read_at(2 * bevy, bevy) == content[2 * bevy : 3 * bevy]
    with pytest.raises(UnreadableError, match="the bevy 1 of the stream"):
        source.read_at(bevy - 1, 2)


def test_streams_in_other_volumes_are_found_beside_it() -> None:
    content = disk(SIZE)
    half = SIZE // 2
    other = "aff4://other"
    points = [(0, half, 0, 0), (half, half, 0, 1)]
    text = describe(SIZE, stream_text(half, "snappy"))
    first = write_aff4({**stream_members(content[:half], "snappy"), **map_members(points, [STREAM, other])}, text)
    prefixes = text.partition(": a")[0]
    second = write_aff4(
        stream_members(content[half:], "snappy", stream=other), prefixes + stream_text(half, "snappy", other)
    )

    opened = _open(first, {"disk_2.aff4": second}, "disk_1.aff4")
    stays_inside(_source(opened), content)
    assert opened.facts["volumes"] == "2"
    alone = _open(first, {}, "disk_1.aff4")
    assert [(notice.code, notice.offset) for notice in alone.notices] == [(NoticeCode.UNREADABLE, half)]
    assert _source(alone).read_at(0, half) == content[:half]
    with pytest.raises(UnreadableError, match="the stream aff4://other is in no volume beside this one"):
        _source(alone).read_at(half, 1)


def test_digests_of_the_whole_stream_are_kept_and_no_others() -> None:
    content = disk(SIZE)
    digest = hashlib.sha256(content).hexdigest()
    more = (
        f'<{STREAM}> aff4:hash "{digest.upper()}"^^aff4:SHA256 .\n<{IMAGE}> aff4:hash "00"^^aff4:blockMapHashSHA512 .\n'
    )
    text = describe(SIZE, stream_text(SIZE, "snappy"), more, data=STREAM)

    assert _open(write_aff4(stream_members(content, "snappy"), text)).stored_digests == {"sha256": digest}


def test_a_second_image_is_told() -> None:
    more = f'<aff4://zweit> a aff4:Image , aff4:DiskImage ; aff4:dataStream <{STREAM}> ; aff4:size "512"^^xsd:long .\n'
    text = describe(SIZE, stream_text(SIZE, "snappy"), more, data=STREAM)

    [notice] = _open(write_aff4(stream_members(disk(SIZE), "snappy"), text)).notices
    assert notice.code is NoticeCode.SKIPPED
    assert "aff4://zweit" in notice.message


def test_what_is_not_read_is_told() -> None:
    members = stream_members(disk(SIZE), "snappy")
    stream = stream_text(SIZE, "snappy")
    image = describe(SIZE, stream, data=STREAM)
    logical = describe(SIZE, stream, kinds="aff4:FileImage , aff4:Image", data=STREAM)
    keys = image + f"<{STREAM}> a aff4:EncryptedStream .\n"
    cases: tuple[tuple[bytes, type[KavalError], str], ...] = (
        (write_aff4(members, logical), UnsupportedError, "holds files"),
        (write_aff4(members, describe(SIZE, kinds="aff4:CaseNotes")), UnsupportedError, "describes no image"),
        (write_aff4(members, keys), LockedError, "encrypted"),
        (write_aff4(members, image, "major=0\nminor=1\n"), UnsupportedError, r"version 0\.1"),
        (write_aff4(members, image.replace("p/snappy/", "p/osk/")), UnsupportedError, "compressed by"),
        (write_aff4(members, image.replace('"1048576"', '"-5"')), CorruptStructureError, "its size is '-5'"),
        (write_aff4(members, image + "<a> <b> [ ] ."), CorruptStructureError, "has no meaning"),
        (write_aff4({}, ""), CorruptStructureError, "no description"),
        (write_aff4(members, image)[:-400], CorruptStructureError, "no ZIP directory"),
    )
    for file, error, message in cases:
        with pytest.raises(error, match=message):
            _open(file)


def test_maps_that_cannot_be_are_damaged() -> None:
    text = describe(SIZE, stream_text(SIZE, "snappy"))
    members = stream_members(disk(SIZE), "snappy")
    for points, targets, message in (
        ([(0, 512, 0, 3)], [STREAM], "names a stream beyond its 1"),
        ([(0, 512, 0, 0)], [MAP], "maps to itself"),
    ):
        with pytest.raises(CorruptStructureError, match=message):
            _open(write_aff4({**members, **map_members(points, targets)}, text))


@pytest.mark.parametrize(
    ("name", "stream_md5"),
    [("Base-Linear", "d5825dc1152a42958c8219ff11ed01a3"), ("Base-Allocated", "6d8817e92e14ddcf7a343455f57af3e6")],
)
def test_the_canonical_images_have_their_published_digests(name: str, stream_md5: str) -> None:
    path = shared(f"engine/aff4/AFF4Std/{name}.aff4")
    volumes = gather(FileSource(path), path.name, no_siblings)
    streams = Streams(volumes)
    [stream] = [each for each in volumes.graph if "ImageStream" in streams.kinds(each)]

    assert hashlib.md5(content_of(streams.open(stream))).hexdigest() == stream_md5
    assert stream_md5 in {value.text for value in streams.values(stream, "hash")}
    opened = CONTAINERS.get("aff4").open(FileSource(path), path.name, beside_path(path))
    assert _source(opened).size == 268435456
    assert opened.facts["serial number"] == "SGAT5060001234"
    if name == "Base-Linear":
        sha1 = hashlib.sha1(content_of(_source(opened))).hexdigest()
        assert sha1 == "7d3d27f667f95f7ec5b9d32121622c0f4b60b48d"
        assert opened.notices == ()
    else:
        assert [notice.offset for notice in opened.notices] == [17825792, 89128960, 266338304]


def test_damaged_images_end_in_bytes_or_in_our_errors() -> None:
    content = disk(300_000)[:300_000]
    points = [(0, 100_000, 0, 0), (100_000, 100_000, 0, 1), (200_000, 100_000, 100_000, 0)]
    text = describe(300_000, stream_text(300_000, "snappy"))
    members = {**stream_members(content, "snappy", digests=False), **map_members(points, [STREAM, f"{AFF4}Zero"])}
    file = write_aff4(members, text)
    opened = 0
    for damaged in mutations(file, 300, seed=6, hot=8192):
        source = BytesSource(damaged)
        if not CONTAINERS.get("aff4").probe(source, "disk.aff4"):
            continue
        try:
            image = CONTAINERS.get("aff4").open(source, "disk.aff4", no_siblings)
        except KavalError:
            continue
        opened += 1
        read_everything(_source(image))
    assert opened > 50


def test_turtle_is_read_as_w3c_writes_it() -> None:
    graph = read_turtle(
        "@prefix : <x:> .\nPREFIX y: <y#>\n# a remark\n<x:s> a y:T , y:U ;"
        ' y:p "a\\"b\\u0d15\\n"^^y:d , "c"@en-GB , 4.5 ; .\n'
        'y:q y:r """one "two"\nthree""" , true ; y:s : , y:a-b.c .'
    )

    assert graph["x:s"][RDF_TYPE] == [Value("y#T", "", True), Value("y#U", "", True)]
    assert graph["x:s"]["y#p"] == [Value('a"bക\n', "y#d", False), Value("c", "", False), Value("4.5", "", False)]
    assert graph["y#q"]["y#r"] == [Value('one "two"\nthree', "", False), Value("true", "", False)]
    assert graph["y#q"]["y#s"] == [Value("x:", "", True), Value("y#a-b.c", "", True)]


NO_TURTLE = ["<a> <b> .", "<a> <b> <c>", "z:a <b> <c> .", '<a> <b> "c .', "<a> ; .", "@prefix x <y> ."]


@pytest.mark.parametrize("text", NO_TURTLE)
def test_turtle_that_is_none_is_damaged(text: str) -> None:
    with pytest.raises(CorruptStructureError):
        read_turtle(text)
