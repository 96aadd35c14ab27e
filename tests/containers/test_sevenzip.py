"""7z archives; py7zr writes them and is the oracle for what is in them."""

from __future__ import annotations

import io
import random
import stat
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py7zr.properties import FILTER_DEFLATE64

from kaval.containers import CONTAINERS
from kaval.containers.inflate import CheckpointedSource, _State
from kaval.containers.sevenzip.headers import Reader
from kaval.core.contracts import Opened, Tree
from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    LocatorError,
    LockedError,
    UnreadableError,
    UnsupportedError,
)
from kaval.core.records import ContentState, EntryKind, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import check_mutated, check_tree, entries_of, no_siblings, notices_of, read_all

WORDS = b"gromble fint sel quorn ope " * 5000
NOISE = random.Random(1).randbytes(70_001)
CODE = b"".join(b"\xe8" + (number * 37 % 5000).to_bytes(4, "little") + b"\x90\x8b\xff" for number in range(9000))
SAMPLE = {"fold/words.txt": WORDS, "noise.bin": NOISE, "empty": b"", "code.exe": CODE, "ചിത്രം.jpg": NOISE[:999]}

FILTERS: dict[str, list[dict[str, Any]] | None] = {
    "default": None,
    "LZMA": [{"id": py7zr.FILTER_LZMA, "preset": 3}],
    "LZMA2": [{"id": py7zr.FILTER_LZMA2, "preset": 3}],
    "Delta + LZMA2": [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 3}],
    "x86 + LZMA2": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 3}],
    "x86 + LZMA": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA, "preset": 3}],
    "ARM + Deflate": [{"id": py7zr.FILTER_ARM}, {"id": py7zr.FILTER_DEFLATE}],
    "x86 + Copy": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_COPY}],
    "Deflate": [{"id": py7zr.FILTER_DEFLATE}],
    "bzip2": [{"id": py7zr.FILTER_BZIP2}],
    "Zstandard": [{"id": py7zr.FILTER_ZSTD}],
    "Copy": [{"id": py7zr.FILTER_COPY}],
}


def _built(
    members: dict[str, bytes],
    filters: list[dict[str, Any]] | None = None,
    *,
    plain_header: bool = False,
    **options: Any,
) -> bytes:
    held = io.BytesIO()
    with py7zr.SevenZipFile(held, "w", filters=filters, **options) as archive:
        archive.set_encoded_header_mode(not plain_header)
        for name, content in members.items():
            archive.writestr(content, name)
    return held.getvalue()


def _open(content: bytes) -> Opened:
    return CONTAINERS.get("sevenzip").open(BytesSource(content), "a.7z", no_siblings)


def _tree(content: bytes) -> Tree:
    tree = _open(content).tree
    assert tree is not None
    return tree


@pytest.mark.parametrize("packing", FILTERS)
def test_what_py7zr_writes_is_listed_and_read_back(packing: str) -> None:
    content = _built(SAMPLE, FILTERS[packing])
    assert CONTAINERS.get("sevenzip").probe(BytesSource(content), "")

    found = check_tree(CONTAINERS.get("sevenzip").open, content, "a.7z")

    tree = _tree(content)
    assert {entry.path: entry.size for entry in found} == {name: len(body) for name, body in SAMPLE.items()}
    assert {entry.path: read_all(tree, entry) for entry in found} == SAMPLE
    assert {entry.content for entry in found} == {ContentState.INTACT}
    assert notices_of(tree) == []


def test_stored_files_are_plain_runs_of_bytes() -> None:
    content = _built(SAMPLE, FILTERS["Copy"])
    for entry in entries_of(_tree(content)):
        assert entry.extents is not None
        assert b"".join(content[run.offset : run.offset + run.length] for run in entry.extents) == SAMPLE[entry.path]


def test_kinds_modes_times_and_targets_are_told(tmp_path: Path) -> None:
    (tmp_path / "fold").mkdir()
    (tmp_path / "fold" / "a.txt").write_bytes(WORDS)
    (tmp_path / "fold" / "a.txt").chmod(0o640)
    (tmp_path / "fold" / "link").symlink_to("a.txt")
    (tmp_path / "fold" / "empty").touch()
    held = io.BytesIO()
    with py7zr.SevenZipFile(held, "w") as archive:
        archive.writeall(tmp_path / "fold", "fold")

    found = {entry.path: entry for entry in entries_of(_tree(held.getvalue()))}

    assert {path: entry.kind for path, entry in found.items()} == {
        "fold": EntryKind.DIRECTORY,
        "fold/a.txt": EntryKind.FILE,
        "fold/link": EntryKind.SYMLINK,
        "fold/empty": EntryKind.FILE,
    }
    assert found["fold/link"].link_target == "a.txt"
    assert found["fold/a.txt"].mode == stat.S_IFREG | 0o640
    modified = (tmp_path / "fold" / "a.txt").stat().st_mtime_ns
    stored = found["fold/a.txt"].times
    assert stored.modified is not None
    assert abs(stored.modified - modified) < 2000
    assert (stored.zone, stored.resolution) == ("utc", "m=100ns")


def test_a_header_that_is_not_packed_is_read_alike() -> None:
    packed, plain = (_tree(_built(SAMPLE, plain_header=flag)) for flag in (False, True))

    assert [(entry.path, entry.size) for entry in entries_of(packed)] == [
        (entry.path, entry.size) for entry in entries_of(plain)
    ]


def test_an_empty_archive_is_one() -> None:
    content = b"7z\xbc\xaf\x27\x1c\0\4" + zlib.crc32(bytes(20)).to_bytes(4, "little") + bytes(20)
    assert list(_tree(content).entries()) == []


def test_an_address_that_is_none_is_refused() -> None:
    tree = _tree(_built(SAMPLE))
    for address in ("", "-1", "99", "x", "01", "٣", "9" * 20):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_reading_in_order_unpacks_a_solid_archive_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    original = CheckpointedSource._decoded

    def counted(self: CheckpointedSource, state: _State, maximum: int) -> bytes:
        nonlocal decoded
        block = original(self, state, maximum)
        decoded += len(block)
        return block

    tree = _tree(_built({f"{number}": NOISE for number in range(60)}, FILTERS["LZMA2"]))
    monkeypatch.setattr(CheckpointedSource, "_decoded", counted)
    for entry in entries_of(tree):
        assert read_all(tree, entry) == NOISE

    assert decoded == 60 * len(NOISE)


# Locked, unsupported, damaged


def test_encrypted_files_are_listed_and_told_as_locked() -> None:
    tree = _tree(_built(SAMPLE, password="nonsense", plain_header=False))
    found = {entry.path: entry for entry in entries_of(tree)}

    assert found.keys() == SAMPLE.keys()
    assert found["noise.bin"].content is ContentState.ENCRYPTED
    assert found["empty"].content is ContentState.INTACT
    (notice,) = notices_of(tree)
    assert (notice.code, notice.message[:7]) == (NoticeCode.LOCKED, "4 files")
    with pytest.raises(LockedError):
        tree.open_stream(found["noise.bin"].address)


def test_an_archive_with_encrypted_names_is_locked() -> None:
    with pytest.raises(LockedError, match="names are encrypted"):
        _open(_built(SAMPLE, password="nonsense", header_encryption=True))


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ([{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 16}], "PPMd"),
        ([{"id": FILTER_DEFLATE64}], "Deflate64"),
    ],
)
def test_a_method_not_read_here_is_named(filters: list[dict[str, Any]], told: str) -> None:
    opened = _open(_built({"a": WORDS}, filters))
    (entry,) = entries_of(opened.tree)

    assert opened.facts["methods"] == told
    assert entry.size == len(WORDS)
    assert opened.tree is not None
    with pytest.raises(UnsupportedError, match=told):
        opened.tree.open_stream(entry.address)


def test_an_archive_without_its_header_says_that_it_is_cut() -> None:
    with pytest.raises(UnreadableError, match="cut short"):
        _open(_built(SAMPLE)[:-20])


def test_a_wrong_checksum_of_start_or_header_is_told() -> None:
    content = _built(SAMPLE)
    for place in (12, len(content) - 3):
        changed = bytearray(content)
        changed[place] ^= 255
        with pytest.raises(CorruptStructureError, match="checksum"):
            _open(bytes(changed))


def test_damage_in_a_folder_costs_what_lies_behind_it() -> None:
    content = bytearray(_built({"first": WORDS, "second": NOISE, "third": NOISE}, FILTERS["LZMA2"]))
    place = 32 + 60_000
    content[place : place + 50] = b"\xff" * 50
    tree = _tree(bytes(content))
    first, second, _ = entries_of(tree)

    assert read_all(tree, first) == WORDS
    with pytest.raises(CorruptStructureError):
        read_all(tree, second)


def test_a_wrong_crc_is_found_when_the_file_is_read_to_its_end() -> None:
    content = bytearray(_built({"a": NOISE}, FILTERS["Copy"]))
    content[32 + 500] ^= 255
    tree = _tree(bytes(content))
    stream = tree.open_stream("0")

    assert stream.read_at(0, 400) == NOISE[:400]
    with pytest.raises(CorruptStructureError, match="CRC-32"):
        stream.read_at(400, 1 << 20)
    assert stream.read_at(60_000, 100) == NOISE[60_000:60_100]


# Headers by hand


def _archive(header: bytes, packed: bytes = b"") -> bytes:
    start = struct.pack("<QQL", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<L", zlib.crc32(start)) + start + packed + header


def _names(*names: str) -> bytes:
    text = b"\0" + b"".join(name.encode("utf-16-le", "surrogatepass") + b"\0\0" for name in names)
    return b"\x11" + _number(len(text)) + text


def _number(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else b"\xff" + value.to_bytes(8, "little")


def _streams(coder: bytes, packed_size: int, sizes: list[int]) -> bytes:
    pack = b"\x06" + _number(0) + _number(1) + b"\x09" + _number(packed_size) + b"\0"
    unpack = b"\x07\x0b\x01\0" + coder + b"\x0c" + b"".join(map(_number, sizes)) + b"\0"
    return b"\x04" + pack + unpack + b"\0"


def _files(count: int, properties: bytes) -> bytes:
    return b"\x05" + _number(count) + properties + b"\0"


LZMA2_CODER = b"\x01\x21\x21\x01"


def test_numbers_of_every_length_are_read() -> None:
    for text, value in (
        (b"\x7f", 0x7F),
        (b"\x81\x02", 0x102),
        (b"\xc1\x02\x03", 0x10302),
        (b"\xfe" + b"\1" * 7, 0x01010101010101),
        (b"\xff" + b"\1" * 8, 0x0101010101010101),
    ):
        assert Reader(text).number() == value
    with pytest.raises(CorruptStructureError):
        Reader(b"\xff\0").number()


@pytest.mark.parametrize(
    ("name", "path", "kept"),
    [
        ("..\\..\\up", "../../up", True),
        ("/etc/passwd", "etc/passwd", True),
        ("a\ud800b", "a�b", True),
        ("a/b", "a/b", False),
    ],
)
def test_strange_names_are_facts_and_not_instructions(name: str, path: str, kept: bool) -> None:
    header = b"\x01" + _files(1, _names(name) + b"\x0e\x01\x80" + b"\x0f\x01\x80") + b"\0"
    (entry,) = entries_of(_tree(_archive(header)))

    assert entry.path == path
    assert entry.path_raw == (name.encode("utf-16-le", "surrogatepass") if kept else None)


def test_all_three_times_are_told() -> None:
    ticks = [(1_600_000_000 + 11_644_473_600 + number) * 10_000_000 for number in range(3)]
    columns = b"".join(bytes([0x12 + number, 10, 1, 0]) + struct.pack("<Q", ticks[number]) for number in range(3))
    header = b"\x01" + _files(1, _names("a") + b"\x0e\x01\x80" + columns) + b"\0"
    times = entries_of(_tree(_archive(header)))[0].times

    assert times.created == int(datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC).timestamp()) * 1_000_000_000
    assert (times.accessed, times.modified) == (1_600_000_001_000_000_000, 1_600_000_002_000_000_000)
    assert times.resolution == "m=100ns a=100ns b=100ns"


def test_a_mark_to_delete_is_no_file() -> None:
    header = b"\x01" + _files(1, _names("a") + b"\x0e\x01\x80\x10\x01\x80") + b"\0"
    tree = _tree(_archive(header))

    assert entries_of(tree)[0].kind is EntryKind.UNKNOWN
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.SKIPPED]
    with pytest.raises(LocatorError):
        tree.open_stream("0")


def test_a_file_without_a_stream_to_it_is_gone_and_told() -> None:
    header = b"\x01" + _streams(b"\x01\0", 5, [5]) + _files(2, _names("a", "b")) + b"\0"
    tree = _tree(_archive(header, b"12345"))
    first, second = entries_of(tree)

    assert read_all(tree, first) == b"12345"
    assert second.content is ContentState.GONE
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED, NoticeCode.DAMAGED]
    with pytest.raises(CorruptStructureError):
        tree.open_stream("1")


def test_a_part_that_ends_behind_the_archive_is_partial() -> None:
    header = b"\x01" + _streams(LZMA2_CODER + b"\x18", 10_000, [20_000]) + _files(1, _names("a")) + b"\0"
    tree = _tree(_archive(header, b"\x01"))
    (entry,) = entries_of(tree)

    assert entry.content is ContentState.PARTIAL
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.TRUNCATED]
    with pytest.raises(KavalError):
        read_all(tree, entry)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (b"\x01" + _files(1 << 40, b"") + b"\0", CorruptStructureError),
        (b"\x01\x04\x06" + _number(0) + _number(1 << 40), CorruptStructureError),
        (b"\x01\x04\x07\x0b" + _number(1 << 40) + b"\0", CorruptStructureError),
        (b"\x01" + _streams(b"\x01\0", 5, [5])[:-1] + b"\x08\x0d" + _number(1 << 40) + b"\0\0", CorruptStructureError),
        (b"\x01" + _files(3, _names("a")) + b"\0", CorruptStructureError),
        (b"\x01\x03", UnsupportedError),
        (b"\x05", CorruptStructureError),
        (b"\x01", CorruptStructureError),
        (b"\x01" + _streams(b"\x00", 5, [5]), CorruptStructureError),
        (b"\x01\x04\x07\x0b\x01\0\x02\x01\0\x01\0\x00\x05", CorruptStructureError),
        (b"\x17\x06\0\0\0\x07\x0b\x01\0" + LZMA2_CODER + b"\x18\x0c\x05\0\0", CorruptStructureError),
    ],
)
def test_impossible_headers_are_damaged_and_bounded(header: bytes, error: type[KavalError]) -> None:
    with pytest.raises(error):
        list(_tree(_archive(header)).entries())


def test_a_header_packed_in_itself_ends() -> None:
    packed = b"\x17\x06\x00\x01\x09\x17\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x17\x00\x00"
    packed = packed.replace(b"\x17\x00\x07", bytes([len(packed)]) + b"\x00\x07").replace(
        b"\x0c\x17", b"\x0c" + bytes([len(packed)])
    )
    with pytest.raises(CorruptStructureError, match="packed more than"):
        _open(_archive(packed, packed))


def test_coders_with_impossible_properties_are_corrupt() -> None:
    for coder in (
        LZMA2_CODER + b"\x29",
        b"\x01\x23\x03\x01\x01\x05\xff\0\0\1\0",
        b"\x01\x23\x03\x01\x01\x05\x60\0\0\1\0",
    ):
        header = b"\x01" + _streams(coder, 5, [5]) + _files(1, _names("a")) + b"\0"
        with pytest.raises(CorruptStructureError):
            _tree(_archive(header, b"12345")).open_stream("0").read_at(0, 5)


def test_an_absurd_dictionary_is_refused() -> None:
    for coder in (LZMA2_CODER + b"\x28", b"\x01\x23\x03\x01\x01\x05\x5d\xff\xff\xff\xff"):
        header = b"\x01" + _streams(coder, 5, [5]) + _files(1, _names("a")) + b"\0"
        tree = _tree(_archive(header, b"12345"))
        with pytest.raises(LimitExceededError):
            tree.open_stream("0").read_at(0, 5)


def test_an_absurd_packed_header_is_refused() -> None:
    header = b"\x17" + _streams(LZMA2_CODER + b"\x18", 5, [1 << 40])[1:]
    with pytest.raises(LimitExceededError):
        _open(_archive(header, b"12345"))


def test_a_bomb_is_stopped_at_the_ratio() -> None:
    held = io.BytesIO()
    with py7zr.SevenZipFile(held, "w", filters=FILTERS["LZMA2"]) as archive:
        archive.writef(io.BytesIO(bytes(150 << 20)), "zeros")
    tree = _tree(held.getvalue())
    (entry,) = entries_of(tree)

    assert entry.size == 150 << 20
    with pytest.raises(LimitExceededError):
        read_all(tree, entry)


def test_branching_coders_are_told() -> None:
    coder = b"\x02" + b"\x14\x03\x03\x01\x1b\x04\x01" + b"\x01\0" + b"\x00\x01"
    header = b"\x01" + _streams(coder + b"\x01\x02\x03\x04", 5, [5, 5]) + _files(1, _names("a")) + b"\0"
    header = header.replace(b"\x06\0\x01\x09\x05\0", b"\x06\0\x04\x09\x05\x05\x05\x05\0")
    opened = _open(_archive(header, b"12345" * 4))

    assert "BCJ2" in opened.facts["methods"]
    assert opened.tree is not None
    with pytest.raises(UnsupportedError, match="BCJ2"):
        opened.tree.open_stream("0")


@settings(max_examples=150, deadline=None)
@given(
    which=st.integers(0, 3),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
    mend=st.booleans(),
)
def test_mutated_archives_end_in_records_notices_or_our_errors(
    which: int, changes: list[tuple[float, bytes]], kept: float, mend: bool
) -> None:
    content = bytearray(_MUTATED[which])
    start = 32 + int.from_bytes(content[12:20], "little")
    for place, value in changes:
        at = start + int(place * (len(content) - start - 1)) if mend else int(place * (len(content) - 1))
        content[at : at + len(value)] = value
    if mend:
        length = int.from_bytes(content[20:28], "little")
        content[28:32] = zlib.crc32(content[start : start + length]).to_bytes(4, "little")
        content[8:12] = zlib.crc32(content[12:32]).to_bytes(4, "little")
    check_mutated(CONTAINERS.get("sevenzip").open, bytes(content[: int(kept * len(content))]), "a.7z")


_SMALL = {"fold/words.txt": WORDS[:600], "noise.bin": NOISE[:300], "empty": b""}
_MUTATED = (
    _built(_SMALL, plain_header=True),
    _built(_SMALL),
    _built(_SMALL, FILTERS["x86 + LZMA"], plain_header=True),
    _built(_SMALL, FILTERS["Copy"], plain_header=True),
)
