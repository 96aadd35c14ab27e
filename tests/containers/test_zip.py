"""ZIP archives."""

from __future__ import annotations

import io
import random
import stat
import struct
import time
import zipfile
import zlib
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.containers import CONTAINERS, remarks
from kaval.containers.zip import tree as zip_tree
from kaval.core.contracts import Opened
from kaval.core.errors import (
    CorruptStructureError,
    LimitExceededError,
    LocatorError,
    LockedError,
    UnreadableError,
    UnsupportedError,
)
from kaval.core.records import ContentState, Entry, EntryKind, Notice, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import check_mutated, check_tree, entries_of, no_siblings, notices_of, read_all

SECOND = 1_000_000_000
WORDS = b"".join(random.Random(5).choices([b"gromble ", b"fint ", b"sel ", b"quorn ", b"ope"], k=9000))


def _open(content: bytes, name: str = "a.zip") -> Opened:
    return CONTAINERS.get("zip").open(BytesSource(content), name, no_siblings)


def _probe(content: bytes, name: str = "a.zip") -> bool:
    return CONTAINERS.get("zip").probe(BytesSource(content), name)


def _built(
    *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"", streamed: bool = False
) -> bytes:
    held = io.BytesIO()
    target = _Unseekable(held) if streamed else held
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, (2021, 5, 17, 13, 45, 58))
            info.compress_type = method
            archive.writestr(info, content)
        archive.comment = comment
    return held.getvalue()


class _Unseekable(io.RawIOBase):
    """A pipe: zipfile then writes data descriptors."""

    def __init__(self, inner: io.BytesIO) -> None:
        self._inner = inner

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        return self._inner.write(content)


SAMPLE = (
    ("fold/", b""),
    ("fold/words.txt", WORDS),
    ("fold/empty", b""),
    ("noise.bin", random.Random(1).randbytes(5000)),
)


def _central_at(content: bytes, number: int = 0) -> int:
    place = -1
    for _ in range(number + 1):
        place = content.index(b"PK\x01\x02", place + 1)
    return place


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
@pytest.mark.parametrize("streamed", [False, True], ids=["seekable", "streamed"])
def test_what_zipfile_writes_is_listed_and_read_back(method: int, streamed: bool) -> None:
    content = _built(*SAMPLE, method=method, streamed=streamed)

    found = check_tree(CONTAINERS.get("zip").open, content, "a.zip")

    tree = _open(content).tree
    assert [(entry.path, entry.size) for entry in found] == [
        ("fold", 0),
        ("fold/words.txt", len(WORDS)),
        ("fold/empty", 0),
        ("noise.bin", 5000),
    ]
    assert [entry.kind for entry in found] == [EntryKind.DIRECTORY, *[EntryKind.FILE] * 3]
    assert [read_all(tree, entry) for entry in found[1:]] == [member for _, member in SAMPLE[1:]]
    assert {entry.content for entry in found[1:]} == {ContentState.INTACT}
    assert notices_of(tree) == []


def test_zstandard_members_are_read() -> None:
    zstd = pytest.importorskip("backports.zstd")
    content = _with_packed(b"words", zstd.compress(WORDS), WORDS, 93)

    (entry,) = entries_of(_open(content).tree)

    assert read_all(_open(content).tree, entry) == WORDS


def _with_packed(name: bytes, packed: bytes, content: bytes, method: int, flags: int = 0) -> bytes:
    """Return a ZIP of one member written by hand."""
    fields = (20, flags, method, 0, 0x21, zlib.crc32(content), len(packed), len(content), len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name + packed
    central = struct.pack("<4sH5H3L5H2L", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def test_a_stored_member_is_a_plain_run_of_bytes() -> None:
    content = _built(("a.bin", b"0123456789"), ("none", b""), method=zipfile.ZIP_STORED)

    first, second = entries_of(_open(content).tree)

    assert first.extents is not None
    (extent,) = first.extents
    assert content[extent.offset : extent.offset + extent.length] == b"0123456789"
    assert second.extents == ()


def test_the_address_is_the_byte_at_which_the_header_stands() -> None:
    content = b"prefix" + _built(*SAMPLE)
    for entry in entries_of(_open(content).tree):
        assert content[int(entry.address) :].startswith(b"PK\x01\x02")

    tree = _open(content).tree
    assert tree is not None
    for address in ("", "0", "5", "x", "-3", "local-", "local-5", "local-99999", "99999999", "٣", "9" * 30):
        with pytest.raises((LocatorError, CorruptStructureError)):
            tree.open_stream(address)


def test_bytes_before_and_behind_the_archive_are_told_and_do_not_matter() -> None:
    content = b"MZ" + bytes(500) + _built(*SAMPLE, comment=b"a comment") + b"trailing"

    opened = _open(content)

    assert opened.facts["bytes before the archive"] == "502"
    assert opened.facts["bytes behind the archive"] == "8"
    assert opened.facts["comment"] == "a comment"
    assert [read_all(opened.tree, entry) for entry in entries_of(opened.tree)[1:]] == [body for _, body in SAMPLE[1:]]
    assert notices_of(opened.tree) == []
    assert _probe(content, "a.zip")
    assert not _probe(content, "a.exe")


def test_an_empty_archive_is_one() -> None:
    content = _built()
    assert _probe(content, "")
    assert list(_open(content).tree.entries()) == []  # type: ignore[union-attr]


# Names


def _renamed(stored: bytes, *, flags: int, system: int = 3, extra: bytes = b"") -> Entry:
    content = _with_extra(stored, extra, flags=flags, system=system)
    (entry,) = entries_of(_open(content).tree)
    return entry


def _with_extra(
    name: bytes,
    extra: bytes,
    *,
    flags: int = 0,
    system: int = 3,
    local_extra: bytes = b"",
    attributes: int = 0,
    content: bytes = b"x",
    moment: tuple[int, int] = (0, 0x21),
) -> bytes:
    fields = (flags, 0, *moment, zlib.crc32(content), len(content), len(content), len(name))
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *fields, len(local_extra)) + name + local_extra + content
    central = struct.pack("<4sBBH4H3L5H2L", b"PK\x01\x02", 20, system, 20, *fields, len(extra), 0, 0, 0, attributes, 0)
    central += name + extra
    return local + central + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)


def test_names_are_decoded_as_the_header_says() -> None:
    utf8 = "ചിത്രം/चित्र.jpg".encode()
    assert _renamed(utf8, flags=1 << 11).path == "ചിത്രം/चित्र.jpg"
    assert _renamed(utf8, flags=1 << 11).path_raw is None
    assert _renamed(utf8, flags=0).path == "ചിത്രം/चित्र.jpg"
    assert _renamed(utf8, flags=0).path_raw == utf8
    assert _renamed(b"h\x81tte.txt", flags=0).path == "hütte.txt"
    assert _renamed(b"h\x81tte.txt", flags=0).path_raw == b"h\x81tte.txt"
    broken = _renamed(b"h\xfftte", flags=1 << 11)
    assert (broken.path, broken.path_raw) == ("h�tte", b"h\xfftte")


def test_the_unicode_path_field_counts_only_for_the_name_it_was_written_for() -> None:
    stored = b"h_\xfftte"
    wide = "hütte".encode()
    field = b"\x01" + zlib.crc32(stored).to_bytes(4, "little") + wide
    stale = b"\x01" + zlib.crc32(b"other").to_bytes(4, "little") + wide
    right = _renamed(stored, flags=0, extra=struct.pack("<HH", 0x7075, len(field)) + field)
    wrong = _renamed(stored, flags=0, extra=struct.pack("<HH", 0x7075, len(stale)) + stale)

    assert (right.path, right.path_raw) == ("hütte", stored)
    assert wrong.path == stored.decode("cp437")


@pytest.mark.parametrize(
    ("stored", "system", "path"),
    [
        (b"/etc/passwd", 3, "etc/passwd"),
        (b"../../up", 3, "../../up"),
        (b"C:\\fold\\a.txt", 0, "C:/fold/a.txt"),
        (b"back\\slash", 3, "back\\slash"),
        (b"", 3, "_"),
        (b"nul\0name", 3, "nul\0name"),
    ],
)
def test_strange_paths_are_facts_and_not_instructions(stored: bytes, system: int, path: str) -> None:
    entry = _renamed(stored, flags=0, system=system)

    assert entry.path == path
    assert entry.path_raw == (None if path == stored.decode() and b"\0" not in stored else stored)


# Times, owners, modes, kinds


def _times_field(*numbers: int, flags: int) -> bytes:
    body = bytes([flags]) + b"".join(struct.pack("<l", number) for number in numbers)
    return struct.pack("<HH", 0x5455, len(body)) + body


def test_a_dos_time_keeps_its_zone_unknown() -> None:
    (entry,) = entries_of(_open(_built(("a", b"x"))).tree)

    assert entry.times.modified == int(datetime(2021, 5, 17, 13, 45, 58, tzinfo=UTC).timestamp()) * SECOND
    assert (entry.times.zone, entry.times.resolution) == ("unknown", "m=2s")
    assert entry.times.created is None


def test_an_impossible_dos_time_is_told_and_no_time_is_no_time() -> None:
    tree = _open(_with_extra(b"a", b"", moment=(0xFFFF, 0xFFFF))).tree
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.TIME_IMPOSSIBLE]
    assert entries_of(tree)[0].times.modified is None

    tree = _open(_with_extra(b"a", b"", moment=(0, 0))).tree
    assert notices_of(tree) == []
    assert entries_of(tree)[0].times.modified is None


def test_unix_times_are_utc_and_the_local_header_knows_more_of_them() -> None:
    content = _with_extra(
        b"a",
        _times_field(1_600_000_000, flags=7),
        local_extra=_times_field(1_600_000_000, 1_600_000_001, -5, flags=7),
    )
    (entry,) = entries_of(_open(content).tree)

    times = entry.times
    assert (times.modified, times.accessed) == (1_600_000_000 * SECOND, 1_600_000_001 * SECOND)
    assert times.created == -5 * SECOND
    assert (times.zone, times.resolution) == ("utc", "m=1s a=1s b=1s")


def test_ntfs_times_are_utc_in_steps_of_100_nanoseconds() -> None:
    ticks = [(1_600_000_000 + 11_644_473_600) * 10_000_000 + 7, 0, 5]
    body = bytes(4) + struct.pack("<HH3Q", 1, 24, *ticks)
    extra = struct.pack("<HH", 10, len(body)) + body
    (entry,) = entries_of(_open(_with_extra(b"a", extra)).tree)

    assert entry.times.modified == 1_600_000_000 * SECOND + 700
    assert entry.times.accessed is None
    assert entry.times.created == 500 - 11_644_473_600 * SECOND
    assert (entry.times.zone, entry.times.resolution) == ("utc", "m=100ns b=100ns")


def test_owner_and_mode_come_from_the_unix_fields() -> None:
    extra = struct.pack("<HHBB2sB4s", 0x7875, 9, 1, 2, b"\xe8\x03", 4, b"\x0a\0\0\0")
    content = _with_extra(b"a", extra, attributes=(stat.S_IFREG | 0o640) << 16)
    (entry,) = entries_of(_open(content).tree)

    assert (entry.owner, entry.group, entry.mode) == ("1000", "10", stat.S_IFREG | 0o640)

    (dos,) = entries_of(_open(_with_extra(b"a", b"", attributes=(stat.S_IFREG | 0o640) << 16, system=0)).tree)
    assert dos.mode is None


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(stat.S_IFIFO, EntryKind.FIFO), (stat.S_IFCHR, EntryKind.DEVICE), (stat.S_IFSOCK, EntryKind.SOCKET)],
)
def test_special_kinds_hold_no_content(mode: int, kind: EntryKind) -> None:
    (entry,) = entries_of(_open(_with_extra(b"a", b"", attributes=mode << 16)).tree)

    assert (entry.kind, entry.content, entry.size, entry.extents) == (kind, ContentState.NONE, 0, None)


def test_a_symbolic_link_is_told_with_its_target() -> None:
    content = _with_extra(b"a", b"", attributes=(stat.S_IFLNK | 0o777) << 16, content=b"../\xffb")
    (entry,) = entries_of(_open(content).tree)

    assert (entry.kind, entry.link_target, entry.content) == (EntryKind.SYMLINK, "../�b", ContentState.NONE)


def test_a_directory_that_holds_bytes_is_listed_as_a_file() -> None:
    tree = _open(_built(("fold/", b"hidden"), method=zipfile.ZIP_STORED)).tree
    (entry,) = entries_of(tree)

    assert (entry.kind, entry.path) == (EntryKind.FILE, "fold")
    assert read_all(tree, entry) == b"hidden"
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


# ZIP64


def test_zip64_numbers_are_followed() -> None:
    held = io.BytesIO()
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("big", "w", force_zip64=True) as file,
    ):
        file.write(WORDS)
    content = held.getvalue()
    wide = _as_zip64(content)

    opened = _open(wide)
    (entry,) = entries_of(opened.tree)

    assert opened.facts["zip64"] == "yes"
    assert entry.size == len(WORDS)
    assert read_all(opened.tree, entry) == WORDS
    assert notices_of(opened.tree) == []
    assert entries_of(_open(b"before" + wide).tree)[0].size == len(WORDS)


def _as_zip64(content: bytes) -> bytes:
    """Return a ZIP with one member, all its numbers moved into the ZIP64 fields."""
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    central = bytearray(content[start:end])
    packed, size = struct.unpack_from("<2L", central, 20)
    name_length, extra_length = struct.unpack_from("<2H", central, 28)
    assert extra_length == 0
    struct.pack_into("<2L", central, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", central, 30, 28)
    struct.pack_into("<L", central, 42, 0xFFFFFFFF)
    central[46 + name_length :] = struct.pack("<HH3Q", 1, 24, size, packed, 0)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(central), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(central), 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:start] + bytes(central) + wide + locator + last


def test_more_than_65535_members_without_zip64_are_listed() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(65_540):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    content = held.getvalue()
    end = content.rindex(b"PK\x05\x06")
    central_size = end - 76 - (start := content.index(b"PK\x01\x02"))
    narrow = content[: end - 76] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 4, 4, central_size, start, 0)

    for archive_bytes in (content, narrow):
        tree = _open(archive_bytes).tree
        assert tree is not None
        kinds = Counter(type(record) for record in tree.entries())
        assert kinds == {Entry: 65_540}


# Encrypted, unsupported, several disks


@pytest.mark.parametrize(("flags", "method", "told"), [(1, 8, "ZipCrypto"), (1, 99, "AES"), (0x41, 8, "strong")])
def test_encrypted_members_are_listed_and_told_as_locked(flags: int, method: int, told: str) -> None:
    content = _with_packed(b"secret.jpg", b"\x01" * 40, b"\x02" * 30, method, flags)
    tree = _open(content).tree
    assert tree is not None
    (entry,) = entries_of(tree)
    (notice,) = notices_of(tree)

    assert (entry.content, entry.size, entry.extents) == (ContentState.ENCRYPTED, 30, None)
    assert notice.code is NoticeCode.LOCKED
    assert told in notice.message
    with pytest.raises(LockedError):
        tree.open_stream(entry.address)


@pytest.mark.parametrize(("method", "told"), [(9, "Deflate64"), (98, "PPMd"), (1234, "method 1234")])
def test_a_method_not_read_here_is_named(method: int, told: str) -> None:
    tree = _open(_with_packed(b"a", b"xyz", b"xyzxyz", method)).tree
    assert tree is not None
    with pytest.raises(UnsupportedError, match=told):
        tree.open_stream(entries_of(tree)[0].address)


def test_an_encrypted_directory_is_locked() -> None:
    content = bytearray(_built(("a", b"x")))
    content[_central_at(bytes(content)) : _central_at(bytes(content)) + 4] = b"PK\x06\x08"
    with pytest.raises(LockedError):
        _open(bytes(content))


def test_an_archive_of_several_disks_is_told() -> None:
    content = bytearray(_built(("a", b"x")))
    content[-18:-14] = b"\x02\x00\x02\x00"
    with pytest.raises(UnsupportedError, match="several disks"):
        _open(bytes(content))
    assert _probe(b"XX" + bytes(content), "a.zip")


def test_an_aff4_image_is_not_claimed() -> None:
    assert not _probe(_built(("container.description", b"aff4://nonsense")), "a.aff4")
    assert not _probe(_built(("information.turtle", b"x"), comment=b"aff4://nonsense\0"), "a.zip")
    assert _probe(_built(("a", b"x"), comment=b"affable"))
    assert not _probe(b"PK", "a.zip")
    assert not _probe(b"", "a.zip")


# Damage


def _damaged(number: int, change: tuple[int, bytes], *, local: bool = False) -> list[Notice]:
    content = bytearray(_built(*SAMPLE))
    place = _central_at(bytes(content), number) + change[0]
    if local:
        place = content.index(b"PK\x03\x04", 10) + change[0]
    content[place : place + len(change[1])] = change[1]
    return notices_of(_open(bytes(content)).tree)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((30, b"X"), "name"),
        ((8, b"\0"), "method"),
        ((6, b"\1"), "encrypted"),
        ((18, b"\1"), "size"),
        ((14, b"\1"), "CRC"),
    ],
)
def test_a_local_header_that_says_something_else_is_told(change: tuple[int, bytes], told: str) -> None:
    (notice,) = _damaged(1, change, local=True)

    assert notice.code is NoticeCode.DAMAGED
    assert told in notice.message
    assert notice.offset is not None
    assert notice.address


def test_a_member_whose_local_header_is_missing_is_gone_and_told() -> None:
    content = bytearray(_built(*SAMPLE))
    place = content.index(b"PK\x03\x04", 10)
    content[place : place + 4] = b"XXXX"
    tree = _open(bytes(content)).tree
    assert tree is not None
    entry = entries_of(tree)[1]

    assert entry.content is ContentState.GONE
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]
    with pytest.raises(CorruptStructureError):
        tree.open_stream(entry.address)


def test_a_wrong_crc_is_found_when_the_member_is_read_to_its_end() -> None:
    content = bytearray(_built(("words", WORDS)))
    for place in (14, _central_at(bytes(content)) + 16):
        content[place : place + 4] = b"\1\2\3\4"
    tree = _open(bytes(content)).tree
    (entry,) = entries_of(tree)

    assert notices_of(tree) == []
    with pytest.raises(CorruptStructureError, match="CRC-32"):
        read_all(tree, entry)


def test_an_end_record_that_counts_otherwise_is_told() -> None:
    content = bytearray(_built(*SAMPLE))
    content[-12:-10] = b"\x09\x00"
    (notice,) = notices_of(_open(bytes(content)).tree)

    assert (notice.code, "counts 9" in notice.message) == (NoticeCode.DAMAGED, True)


def test_behind_damage_in_the_directory_members_are_found_by_walking() -> None:
    content = bytearray(_built(*SAMPLE))
    place = _central_at(bytes(content), 2)
    content[place : place + 4] = b"XXXX"
    tree = _open(bytes(content)).tree
    found = entries_of(tree)

    assert [entry.path for entry in found] == [name.rstrip("/") for name, _ in SAMPLE]
    assert [entry.address.startswith("local-") for entry in found] == [False, False, True, True]
    assert read_all(tree, found[3]) == SAMPLE[3][1]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED, NoticeCode.DAMAGED]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2], ids=str)
@pytest.mark.parametrize("streamed", [False, True], ids=["seekable", "streamed"])
def test_an_archive_without_its_end_gives_its_members_all_the_same(method: int, streamed: bool) -> None:
    whole = _built(*SAMPLE, method=method, streamed=streamed)
    cut = whole[: _central_at(whole) + 30]

    opened = _open(cut)
    found = entries_of(opened.tree)

    assert [notice.code for notice in opened.notices] == [NoticeCode.TRUNCATED]
    assert [(entry.path, entry.size) for entry in found] == [(name.rstrip("/"), len(body)) for name, body in SAMPLE]
    assert [read_all(opened.tree, entry) for entry in found[1:]] == [body for _, body in SAMPLE[1:]]
    assert notices_of(opened.tree) == []
    assert _probe(cut)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=str)
@pytest.mark.parametrize("streamed", [False, True], ids=["seekable", "streamed"])
def test_of_the_member_that_is_cut_the_part_that_is_left_is_read(method: int, streamed: bool) -> None:
    whole = _built(*SAMPLE, method=method, streamed=streamed)
    cut = whole[: whole.index(b"noise.bin") + 3000]

    opened = _open(cut)
    last = entries_of(opened.tree)[-1]

    assert (last.path, last.content) == ("noise.bin", ContentState.PARTIAL)
    assert 2000 < last.size < 5000
    assert read_all(opened.tree, last) == SAMPLE[3][1][: last.size]
    assert [notice.code for notice in notices_of(opened.tree)] == [NoticeCode.TRUNCATED]


def test_rubbish_between_members_is_passed_over_with_a_notice() -> None:
    whole = _built(*SAMPLE)
    second = whole.index(b"PK\x03\x04", 10)
    content = whole[:second] + b"rubbish" * 100 + whole[second : _central_at(whole)]

    tree = _open(content).tree

    assert [entry.path for entry in entries_of(tree)] == [name.rstrip("/") for name, _ in SAMPLE]
    (notice,) = notices_of(tree)
    assert (notice.code, notice.offset) == (NoticeCode.DAMAGED, second)


def test_what_only_starts_like_an_archive_is_damaged_and_not_empty() -> None:
    with pytest.raises(CorruptStructureError):
        _open(b"PK\x03\x04" + bytes(100))


def test_a_flood_of_notices_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks, "MOST_REMARKS", 2)
    content = _built(*((f"{number}", b"") for number in range(9)))
    content = content[: _central_at(content)].replace(b"PK\x03\x04", b"XX\x03\x04") + content[_central_at(content) :]

    found = notices_of(_open(content).tree)

    assert len(found) == 3
    assert "7 more" in found[-1].message


# Hostile archives


def test_members_that_share_their_bytes_are_told_and_not_read() -> None:
    content = _overlapping(copies=50, size=1 << 20)
    tree = _open(content).tree
    found = entries_of(tree)

    assert len(found) == 50
    assert [entry.content for entry in found].count(ContentState.INTACT) == 1
    assert {entry.overlap_size for entry in found[1:]} == {1 << 20}
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.OVERLAP] * 49


def _overlapping(copies: int, size: int) -> bytes:
    """Return a ZIP whose members quote one another's headers and end in one kernel (D. Fifield, 2019)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(bytes(size)) + packer.flush()
    crc = zlib.crc32(bytes(size))
    directory, places = b"", []
    for number in range(copies):
        name = b"%03d" % number
        fields = (20, 0, 8, 0, 0x21, crc, len(body), size, len(name), 0)
        body = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name + body
        places.append((fields, name, len(body)))
    for fields, name, length in reversed(places):
        directory += struct.pack("<4sH5H3L5H2L", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, len(body) - length) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), len(body), 0)
    return body + directory + end


def test_an_order_that_is_not_that_of_the_disk_is_no_overlap() -> None:
    content = _built(("a", WORDS), ("b", WORDS), ("c", WORDS))
    start, end = _central_at(content), content.index(b"PK\x05\x06")
    headers = [content[_central_at(content, number) :][:47] for number in range(3)]
    shuffled = content[:start] + headers[2] + headers[0] + headers[1] + content[end:]

    tree = _open(shuffled).tree

    assert [entry.path for entry in entries_of(tree)] == ["c", "a", "b"]
    assert notices_of(tree) == []


def test_a_bomb_is_stopped_at_the_ratio() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    content = _with_packed(b"bomb", packed, b"", 8)
    content = content.replace(struct.pack("<2L", len(packed), 0), struct.pack("<2L", len(packed), 100 << 20))
    tree = _open(content).tree
    (entry,) = entries_of(tree)

    assert entry.size == 100 << 20
    with pytest.raises(LimitExceededError):
        read_all(tree, entry)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + bytes(2) + b"\x08\0" + bytes(18) + b"\1\0\0\0a" + b"PK\x07\x08" * 500_000,
        b"PK\x03\x04" * 300_000,
        (b"PK\x03\x04" + bytes(2) + b"\x08\0\x08\0" + bytes(16) + b"\1\0\0\0a" + b"\xff" * 9) * 20_000,
    ],
    ids=["descriptors", "headers", "streams"],
)
def test_what_was_made_to_take_for_ever_does_not(content: bytes) -> None:
    started = time.process_time()
    source = BytesSource(content)
    for _ in zip_tree.ZipTree(source, None, {}).entries():
        pass
    assert time.process_time() - started < 20


def test_absurd_sizes_are_never_allocated() -> None:
    content = _with_packed(b"a", b"x" * 10, b"x" * 10, 0)
    huge = content.replace(struct.pack("<2L", 10, 10), struct.pack("<2L", 0xFFFFFFF0, 0xFFFFFFF0))
    tree = _open(huge).tree
    (entry,) = entries_of(tree)

    assert entry.content is ContentState.PARTIAL
    assert entry.size < len(huge)
    check_mutated(CONTAINERS.get("zip").open, huge, "a.zip")

    packed = _with_packed(b"a", zlib.compress(WORDS)[2:-4], WORDS, 8)
    longer = packed.replace(struct.pack("<L", len(WORDS)), struct.pack("<L", 0xFFFFFFF0))
    tree = _open(longer).tree
    assert tree is not None
    stream = tree.open_stream(entries_of(tree)[0].address)
    with pytest.raises((CorruptStructureError, UnreadableError)):
        stream.read_at(0, 1 << 20)


@pytest.mark.parametrize(
    ("members", "name", "kind"),
    [
        (("[Content_Types].xml", "word/document.xml"), "a.docx", "Word document"),
        (("[Content_Types].xml", "xl/workbook.xml"), "a", "Excel workbook"),
        (("[Content_Types].xml", "ppt/presentation.xml"), "a.zip", "PowerPoint presentation"),
        (("mimetype", "META-INF/container.xml"), "a", "EPUB book"),
        (("mimetype", "content.xml"), "a", "OpenDocument"),
        (("META-INF/MANIFEST.MF", "AndroidManifest.xml"), "a", "Android package"),
        (("META-INF/MANIFEST.MF", "a.class"), "a", "Java archive"),
        (("report.xml", "files/a.jpg"), "a", "Report of a phone extraction (UFDR)"),
        (("files/a.jpg",), "a.ufdr", "Report of a phone extraction (UFDR)"),
        (("filesystem1/private/var/mobile/a",), "FFS.zip", "File system of a phone (iOS)"),
        (("data/data/org.example/a.db",), "FFS.zip", "File system of a phone (Android)"),
        (("a.txt",), "a.zip", "ZIP archive"),
    ],
)
def test_the_facts_say_what_kind_of_archive_it_is(members: tuple[str, ...], name: str, kind: str) -> None:
    assert _open(_built(*((member, b"x") for member in members)), name).facts["kind"] == kind


@settings(max_examples=150, deadline=None)
@given(
    which=st.integers(0, 3),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_mutated_archives_end_in_records_notices_or_our_errors(
    which: int, changes: list[tuple[float, bytes]], kept: float
) -> None:
    content = bytearray(_MUTATED[which])
    for place, value in changes:
        at = int(place * (len(content) - 1))
        content[at : at + len(value)] = value
    check_mutated(CONTAINERS.get("zip").open, bytes(content[: int(kept * len(content))]), "a.zip")


_SMALL = (("fold/", b""), ("fold/words.txt", WORDS[:300]), ("noise.bin", random.Random(1).randbytes(200)))
_MUTATED = (
    _built(*_SMALL),
    _built(*_SMALL, method=zipfile.ZIP_STORED, streamed=True),
    _built(*_SMALL, method=zipfile.ZIP_BZIP2, streamed=True),
    _as_zip64(_built(("a", WORDS[:500]))),
)
