"""Types come from content; names only say whether they agree; noise is nothing."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kaval.filetypes import FILETYPES, HEAD_SIZE
from kaval.filetypes.identify import identify, mismatch
from tests.testdata import shared


def _picture(form: str) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, "osk")
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("osk"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (_picture("JPEG"), "image/jpeg"),
        (_picture("PNG"), "image/png"),
        (_picture("GIF"), "image/gif"),
        (_picture("WEBP"), "image/webp"),
        (_picture("BMP"), "image/bmp"),
        (_picture("TIFF"), "image/tiff"),
        (_zip("a.txt"), "application/zip"),
        (_zip("META-INF/MANIFEST.MF", "a.class"), "application/java-archive"),
        (
            _zip("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (_tar(), "application/x-tar"),
        (gzip.compress(b"osk" * 100, mtime=0), "application/gzip"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"EVF\x09\x0d\x0a\xff\x00" + bytes(64), "application/x-disk-image-ewf"),
        (b"<!DOCTYPE html><html></html>", "text/html"),
        (b'{"a": [1, 2]}', "application/json"),
        ("വാക്ക് शब्द word\n".encode(), "text/plain"),
        ("\ufeffword".encode("utf-16"), "text/plain"),
    ],
)
def test_a_type_is_told_by_content(content: bytes, media_type: str) -> None:
    found = identify(content[:HEAD_SIZE], len(content))

    assert found is not None
    assert found.media_type == media_type


def test_a_database_is_told(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("create table osk(a)")
    connection.commit()
    connection.close()
    content = (tmp_path / "a.db").read_bytes()
    found = identify(content[:HEAD_SIZE], len(content))

    assert found is not None
    assert found.media_type == "application/vnd.sqlite3"


def test_a_video_is_told() -> None:
    content = shared("formats/vpdq/pattern-sd-grey-bar.mp4").read_bytes()
    found = identify(content[:HEAD_SIZE], len(content))

    assert found is not None
    assert found.media_type == "video/mp4"


def test_noise_is_nothing() -> None:
    source = np.random.default_rng(7)
    found = [identify(source.bytes(HEAD_SIZE), 100_000) for _ in range(2000)]

    assert found == [None] * 2000


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.binary(max_size=700),
    st.integers(0, 1 << 40),
    st.sampled_from([b"", b"BM", b"RIFF", b"\0\0\0\x20ftyp", b"PK\3\4"]),
)
def test_no_bytes_make_it_fail(head: bytes, size: int, start: bytes) -> None:
    identify(start + head, size)


def test_a_name_of_another_type_is_a_mismatch_and_a_strange_name_is_not() -> None:
    jpeg = identify(_picture("JPEG")[:HEAD_SIZE], 5000)

    assert jpeg is not None
    assert mismatch(jpeg, "letter.docx")
    assert not mismatch(jpeg, "picture.JPG")
    assert not mismatch(jpeg, "picture.osk")
    assert not mismatch(jpeg, "picture")


def test_every_type_has_a_title_and_no_name_is_used_twice() -> None:
    types = [file_type for family in FILETYPES.available() for file_type in family.types]

    assert all(file_type.title and "/" in file_type.media_type for file_type in types)
    assert len({file_type.media_type for file_type in types}) == len(types)


def _disk(place: int, content: bytes) -> bytes:
    disk = bytearray(1 << 17)
    disk[510:512] = b"\x55\xaa"
    disk[place : place + len(content)] = content
    return bytes(disk)


_ENTRY = b"\0\0\0\0\x83\0\0\0" + (64).to_bytes(4, "little") + (100).to_bytes(4, "little")


@pytest.mark.parametrize(
    "content",
    [
        _disk(3, b"NTFS    "),
        _disk(82, b"FAT32   "),
        _disk(1080, b"\x53\xef"),
        _disk(446, _ENTRY),
    ],
)
def test_a_disk_is_told_whatever_it_is_called(content: bytes) -> None:
    found = identify(content[:HEAD_SIZE], len(content))

    assert found is not None
    assert found.media_type == "application/x-raw-disk-image"


def test_a_mark_at_the_end_of_a_sector_makes_no_disk() -> None:
    assert identify(_disk(0, b"\1")[:HEAD_SIZE], 1 << 17) is None
