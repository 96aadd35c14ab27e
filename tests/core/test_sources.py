"""Sources read what they hold, never more, never something in place of it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaval.core.errors import UnreadableError
from kaval.core.records import Extent
from kaval.core.sources import (
    BytesSource,
    ExtentSource,
    FileSource,
    JoinedSource,
    SliceSource,
    SourceFile,
    iterate_blocks,
    pieces,
)
from tests.spoilt import SpoiltSource

CONTENT = bytes(range(256)) * 16
PLACES = st.tuples(st.integers(-10, 5000), st.integers(-10, 5000))


def _expected(content: bytes, offset: int, length: int) -> bytes:
    return content[offset : offset + length] if offset >= 0 and length > 0 else b""


@given(PLACES)
def test_bytes_and_slices_and_joins_read_the_same(place: tuple[int, int]) -> None:
    offset, length = place
    joined = JoinedSource([BytesSource(CONTENT[:100]), BytesSource(b""), BytesSource(CONTENT[100:])])
    sliced = SliceSource(BytesSource(b"xx" + CONTENT + b"yy"), 2, len(CONTENT))

    for source in (BytesSource(CONTENT), joined, sliced):
        assert source.size == len(CONTENT)
        assert source.read_at(offset, length) == _expected(CONTENT, offset, length)


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 96), st.booleans()), max_size=8), PLACES)
def test_extents_read_as_if_they_were_laid_end_to_end(
    runs: list[tuple[int, int, bool]], place: tuple[int, int]
) -> None:
    extents = [Extent(offset=offset, length=length, sparse=sparse) for offset, length, sparse in runs]
    whole = b"".join(
        bytes(run.length) if run.sparse else CONTENT[run.offset : run.offset + run.length] for run in extents
    )
    source = ExtentSource(BytesSource(CONTENT), extents, len(whole))

    assert source.read_at(*place) == _expected(whole, *place)


def test_a_file_reads_its_bytes_and_ends_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "image.dd"
    path.write_bytes(CONTENT)
    source = FileSource(path)

    assert source.size == len(CONTENT)
    assert source.read_at(4000, 1000) == CONTENT[4000:]
    assert source.read_at(4096, 1) == b""
    source.close()
    with pytest.raises(UnreadableError):
        source.read_at(0, 1)


def test_a_file_that_became_shorter_is_an_error_not_a_short_read(tmp_path: Path) -> None:
    path = tmp_path / "image.dd"
    path.write_bytes(CONTENT)
    source = FileSource(path)
    os.truncate(path, 1000)

    with pytest.raises(UnreadableError) as raised:
        source.read_at(500, 1000)
    assert raised.value.offset == 1000


def test_a_slice_past_the_end_says_where_bytes_are_missing() -> None:
    source = SliceSource(BytesSource(CONTENT), 4000, 1000)

    assert source.read_at(0, 96) == CONTENT[4000:]
    with pytest.raises(UnreadableError, match=f"byte {len(CONTENT)} there") as raised:
        source.read_at(0, 200)
    assert (raised.value.offset, raised.value.length) == (96, 104)


def test_extents_outside_the_image_and_extents_that_end_early_are_errors() -> None:
    outside = ExtentSource(BytesSource(CONTENT), [Extent(offset=4090, length=100)], 100)
    short = ExtentSource(BytesSource(CONTENT), [Extent(offset=0, length=10)], 100)

    with pytest.raises(UnreadableError, match="outside the image"):
        outside.read_at(0, 50)
    with pytest.raises(UnreadableError, match="extents end before"):
        short.read_at(5, 50)
    with pytest.raises(UnreadableError, match="extents end before"):
        short.read_at(50, 1)


def test_a_source_file_is_a_seekable_file_that_cannot_be_written() -> None:
    file = SourceFile(BytesSource(CONTENT))
    target = bytearray(16)

    assert file.read(4) == CONTENT[:4]
    assert file.seek(-6, io.SEEK_END) == len(CONTENT) - 6
    assert file.readinto(target) == 6
    assert file.read() == b""
    assert not file.writable()
    with pytest.raises(ValueError, match="cannot seek"):
        file.seek(-1)


def test_blocks_are_the_whole_source_in_order() -> None:
    assert b"".join(iterate_blocks(BytesSource(CONTENT), 100)) == CONTENT


class _Liar:
    size = 10

    def read_at(self, offset: int, length: int) -> bytes:
        return b""


def test_a_source_that_ends_early_is_an_error_not_an_end() -> None:
    with pytest.raises(UnreadableError, match="ended early"):
        list(iterate_blocks(_Liar()))


def test_what_cannot_be_read_is_told_in_the_bytes_of_the_source_that_was_asked() -> None:
    spoilt = SpoiltSource(CONTENT, {5})
    stream = ExtentSource(
        SliceSource(JoinedSource([BytesSource(CONTENT), spoilt]), 4096, 4096),
        [Extent(offset=1024, length=512), Extent(offset=2048, length=1024)],
        1500,
    )

    assert stream.read_at(0, 1024) == CONTENT[1024:1536] + CONTENT[2048:2560]
    with pytest.raises(UnreadableError, match=r"a scratch .*byte 2560 of what holds it") as raised:
        stream.read_at(100, 1400)
    assert (raised.value.offset, raised.value.length) == (1024, 476)


@given(st.sets(st.integers(0, 15)), st.integers(0, 5000), st.integers(1, 9000))
def test_a_bad_sector_costs_a_sector_and_nothing_else(bad: set[int], offset: int, length: int) -> None:
    content = CONTENT * 2
    covered = bytearray(b"?" * len(content))
    place = offset
    for found in pieces(SpoiltSource(content, bad), offset, length):
        start, size = (found.offset, found.length) if isinstance(found, UnreadableError) else (found[0], len(found[1]))
        assert start == place
        place += size
        if not isinstance(found, UnreadableError):
            covered[start : start + size] = found[1]
    expected = bytearray(content)
    for sector in bad:
        expected[sector * 512 : sector * 512 + 512] = b"?" * 512

    assert covered[offset : offset + length] == expected[offset : offset + length]
    assert place == min(offset + length, len(content)) or (place >= len(content) and 15 in bad)


def test_a_range_that_is_bad_throughout_is_given_up_in_larger_parts() -> None:
    spoilt = SpoiltSource(bytes(1 << 20), set(range(2048)))
    found = list(pieces(spoilt, 0, 1 << 20))

    assert [(error.offset, error.length) for error in found if isinstance(error, UnreadableError)] == [(0, 1 << 20)]
    assert spoilt.reads < 400
