"""Compressed streams that hold one file."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.containers import CONTAINERS
from kaval.core import progress
from kaval.core.contracts import Opened, Tree
from kaval.core.errors import CorruptStructureError, LocatorError
from kaval.core.records import ContentState, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import check_mutated, check_tree, entries_of, no_siblings, notices_of, read_all

CONTENT = b"".join(random.Random(2).choices([b"gromble ", b"fint", b"sel ", bytes(9)], k=100_000))

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
    "zst": lambda content: importlib.import_module("backports.zstd").compress(content),
}


def _open(content: bytes, name: str = "a.txt.gz") -> Opened:
    return CONTAINERS.get("compressed").open(BytesSource(content), name, no_siblings)


def _tree(content: bytes, name: str = "a.txt.gz") -> Tree:
    tree = _open(content, name).tree
    assert tree is not None
    return tree


def _probe(content: bytes, name: str = "a") -> bool:
    return CONTAINERS.get("compressed").probe(BytesSource(content), name)


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("content", [CONTENT, b"x", b""], ids=["long", "short", "empty"])
def test_the_stream_is_listed_under_its_own_name_and_read_back(ending: str, content: bytes) -> None:
    packed = PACKERS[ending](content)
    name = f"fold.txt.{ending}"
    assert _probe(packed, name)

    (entry,) = check_tree(CONTAINERS.get("compressed").open, packed, name)

    assert (entry.path, entry.size, entry.content) == ("fold.txt", len(content), ContentState.INTACT)
    assert entry.address == f"0+{len(content)}"
    assert read_all(_tree(packed, name), entry) == content
    assert notices_of(_tree(packed, name)) == []


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("a.tgz", "a.tar"),
        ("A.IMG.GZ", "A.IMG"),
        ("a.svgz", "a.svg"),
        ("a", "a.decoded"),
        (".gz", ".gz.decoded"),
        ("", "decoded"),
    ],
)
def test_without_a_stored_name_it_follows_from_the_outer_one(name: str, inner: str) -> None:
    assert entries_of(_tree(gzip.compress(b"x", mtime=0), name))[0].path == inner


def _gzip(
    name: bytes = b"", *, mtime: int = 0, comment: bytes = b"", extra: bytes = b"", content: bytes = b"x"
) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    flags = (4 if extra else 0) | (8 if name else 0) | (16 if comment else 0)
    head = b"\x1f\x8b\x08" + bytes([flags]) + mtime.to_bytes(4, "little") + b"\0\3"
    head += len(extra).to_bytes(2, "little") + extra if extra else b""
    head += name + b"\0" if name else b""
    head += comment + b"\0" if comment else b""
    tail = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return head + packer.compress(content) + packer.flush() + tail


def test_name_time_and_comment_of_a_gzip_stream_are_told() -> None:
    content = _gzip("चित्र.jpg".encode(), mtime=1_600_000_000, comment=b"made of nonsense", extra=b"AB\2\0xy")
    opened = _open(content, "other.gz")
    (entry,) = entries_of(opened.tree)

    assert (entry.path, entry.path_raw) == ("चित्र.jpg", None)
    assert entry.times.modified == 1_600_000_000 * 1_000_000_000
    assert (entry.times.zone, entry.times.resolution) == ("utc", "m=1s")
    assert opened.facts == {"compression": "gzip", "comment": "made of nonsense"}
    assert read_all(opened.tree, entry) == b"x"


def test_strange_names_are_facts_and_not_instructions() -> None:
    for stored, path, raw in (
        (b"h\xfctte", "hütte", b"h\xfctte"),
        (b"/etc/passwd", "etc/passwd", b"/etc/passwd"),
        (b"../../up", "../../up", None),
    ):
        (entry,) = entries_of(_tree(_gzip(stored)))
        assert (entry.path, entry.path_raw) == (path, raw)


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_of_a_stream_that_is_cut_what_can_be_decoded_is_read(ending: str) -> None:
    packed = PACKERS[ending](random.Random(1).randbytes(2 << 20))
    tree = _tree(packed[: len(packed) // 2], f"a.{ending}")
    (entry,) = entries_of(tree)

    assert entry.content is ContentState.PARTIAL
    assert 0 < entry.size < 2 << 20
    assert read_all(tree, entry) == random.Random(1).randbytes(2 << 20)[: entry.size]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.TRUNCATED]


def test_a_wrong_checksum_is_told_and_costs_no_bytes() -> None:
    packed = bytearray(gzip.compress(CONTENT, mtime=0))
    packed[-6] ^= 255
    tree = _tree(bytes(packed))
    (entry,) = entries_of(tree)

    assert (entry.size, entry.content) == (len(CONTENT), ContentState.PARTIAL)
    assert read_all(tree, entry) == CONTENT
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


def test_bytes_behind_the_stream_are_told() -> None:
    tree = _tree(gzip.compress(b"x", mtime=0) + b"behind")
    (notice,) = notices_of(tree)

    assert (notice.code, notice.message[:7]) == (NoticeCode.SKIPPED, "6 bytes")


def test_a_bomb_is_stopped_at_the_ratio() -> None:
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb") as file:
        for _ in range(100):
            file.write(bytes(1 << 20))
    tree = _tree(held.getvalue())

    (entry,) = entries_of(tree)

    assert entry.size < 70 << 20
    assert entry.content is ContentState.PARTIAL
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.RATIO_LIMIT]


def test_long_decoding_shows_that_it_is_alive() -> None:
    signs = []
    progress.listen(lambda: signs.append(1))
    try:
        entries_of(_tree(gzip.compress(CONTENT * 10, 1, mtime=0)))
    finally:
        progress.listen(None)

    assert len(signs) >= len(CONTENT) * 10 // (1 << 18)


def test_an_address_that_is_none_is_refused() -> None:
    tree = _tree(gzip.compress(b"x", mtime=0))
    for address in ("", "0", "1+5", "0+05", "0+-1", "0+x", "0+" + "9" * 30):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08", b"BZh9" + bytes(20), b"\x1f\x8b\x08\xff" + bytes(20), b"PK\3\4"]
)
def test_other_bytes_are_not_claimed(content: bytes) -> None:
    assert not _probe(content)
    with pytest.raises(CorruptStructureError):
        _open(content)


@settings(max_examples=100, deadline=None)
@given(
    ending=st.sampled_from(sorted(PACKERS)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_mutated_streams_end_in_records_notices_or_our_errors(
    ending: str, changes: list[tuple[float, bytes]], kept: float
) -> None:
    content = bytearray(PACKERS[ending](CONTENT[:3000]))
    for place, value in changes:
        at = int(place * (len(content) - 1))
        content[at : at + len(value)] = value
    check_mutated(CONTAINERS.get("compressed").open, bytes(content[: int(kept * len(content))]), f"a.{ending}")
