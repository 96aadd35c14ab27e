"""TAR archives, plain and compressed."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import random
import shutil
import stat
import subprocess
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.containers import CONTAINERS
from kaval.containers.inflate import CheckpointedSource, _State
from kaval.containers.tar import headers
from kaval.containers.tar import tree as tar_tree
from kaval.core.contracts import Opened, Tree
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, LocatorError
from kaval.core.records import ContentState, Entry, EntryKind, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import check_mutated, check_tree, entries_of, no_siblings, notices_of, read_all

SECOND = 1_000_000_000
NOISE = random.Random(1).randbytes(70_000)
WORDS = b"gromble fint sel quorn ope " * 4000

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: importlib.import_module("backports.zstd").compress(content),
    ".lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
}


def _open(content: bytes, name: str = "a.tar") -> Opened:
    return CONTAINERS.get("tar").open(BytesSource(content), name, no_siblings)


def _tree(content: bytes, name: str = "a.tar") -> Tree:
    tree = _open(content, name).tree
    assert tree is not None
    return tree


def _probe(content: bytes, name: str = "a.tar") -> bool:
    return CONTAINERS.get("tar").probe(BytesSource(content), name)


def _info(name: str, size: int = 0, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mtime = 1_600_000_000
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def _built(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


LONG = "deep/" * 60 + "ചിത്രം.jpg"


def _sample() -> list[tuple[tarfile.TarInfo, bytes]]:
    return [
        (_info("fold", type=tarfile.DIRTYPE, mode=0o755), b""),
        (_info("fold/words.txt", mode=0o640, uid=1000, gid=20, uname="nila", gname="staff"), WORDS),
        (_info("fold/empty"), b""),
        (_info(LONG), NOISE),
        (_info("fold/link", type=tarfile.SYMTYPE, linkname="../" + "far/" * 60), b""),
        (_info("fold/again", type=tarfile.LNKTYPE, linkname="fold/words.txt"), b""),
        (_info("fold/pipe", type=tarfile.FIFOTYPE), b""),
        (_info("fold/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
    ]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=str)
@pytest.mark.parametrize("ending", PACKERS)
def test_what_tarfile_writes_is_listed_and_read_back(form: int, ending: str) -> None:
    members = _sample()
    if form == tarfile.USTAR_FORMAT:
        members[3][0].name = "deep/" * 20 + "x" * 90 + ".jpg"
        members[4][0].linkname = "short"
    content = PACKERS[ending](_built(*members, form=form))
    name = "a.tar" + ending
    assert _probe(content, name)

    found = check_tree(CONTAINERS.get("tar").open, content, name)

    tree = _tree(content, name)
    assert [entry.path for entry in found] == [info.name for info, _ in members]
    assert [entry.size for entry in found] == [len(body) for _, body in members]
    assert [entry.kind for entry in found] == [
        EntryKind.DIRECTORY,
        *[EntryKind.FILE] * 3,
        EntryKind.SYMLINK,
        EntryKind.FILE,
        EntryKind.FIFO,
        EntryKind.DEVICE,
    ]
    assert [read_all(tree, entry) for entry in found[1:4]] == [body for _, body in members[1:4]]
    assert found[4].link_target == members[4][0].linkname
    assert (found[5].link_target, found[5].content) == ("fold/words.txt", ContentState.NONE)
    assert (found[1].owner, found[1].group, found[1].mode) == ("1000 (nila)", "20 (staff)", stat.S_IFREG | 0o640)
    assert {entry.times.modified for entry in found} == {1_600_000_000 * SECOND}
    assert {entry.times.zone for entry in found} == {"utc"}
    assert notices_of(tree) == []


def test_members_of_a_plain_archive_are_plain_runs_and_of_a_packed_one_not() -> None:
    plain = _built(*_sample())
    (extent,) = entries_of(_tree(plain))[1].extents or ()

    assert plain[extent.offset : extent.offset + extent.length] == WORDS
    assert entries_of(_tree(gzip.compress(plain, mtime=0)))[1].extents is None


def test_the_address_is_the_byte_at_which_the_headers_start() -> None:
    plain = _built(*_sample())
    packed = gzip.compress(plain, mtime=0)

    assert [entry.address for entry in entries_of(_tree(plain))] == [
        entry.address for entry in entries_of(_tree(packed))
    ]
    for entry in entries_of(_tree(plain)):
        assert headers.parse_header(plain[int(entry.address) :][:512])
    tree = _tree(plain)
    for address in ("", "1", "x", "-512", "512+", "0", "9" * 30, str(len(plain) - 512), "٥١٢"):
        with pytest.raises(KavalError):
            tree.open_stream(address)
    with pytest.raises(LocatorError):
        tree.open_stream(entries_of(tree)[5].address)


def test_an_old_archive_without_magic_is_one() -> None:
    content = bytearray(_built((_info("fold/"), b""), (_info("fold/a"), b"xyz"), form=tarfile.USTAR_FORMAT))
    for place in (0, 512):
        content[place + 257 : place + 512] = bytes(255)
        content[place + 148 : place + 156] = b" " * 8
        content[place + 148 : place + 156] = b"%06o\0 " % sum(content[place : place + 512])

    assert _probe(bytes(content), "a")
    found = entries_of(_tree(bytes(content)))
    assert [(entry.path, entry.kind) for entry in found] == [("fold", EntryKind.DIRECTORY), ("fold/a", EntryKind.FILE)]
    assert _open(bytes(content)).facts["form"] == "v7"


@pytest.mark.parametrize(
    "content", [b"", bytes(10_240), b"x" * 512, gzip.compress(b"x" * 600, mtime=0), b"\x1f\x8b\x08" * 200]
)
def test_other_bytes_are_not_claimed(content: bytes) -> None:
    assert not _probe(content)


# Names and times


@pytest.mark.parametrize(
    ("stored", "path", "raw"),
    [
        ("/etc/passwd", "etc/passwd", b"/etc/passwd"),
        ("./a/b", "a/b", b"./a/b"),
        (".", ".", None),
        ("../../up", "../../up", None),
        ("a\\b", "a\\b", None),
    ],
)
def test_strange_paths_are_facts_and_not_instructions(stored: str, path: str, raw: bytes | None) -> None:
    (entry,) = entries_of(_tree(_built((_info(stored), b"x"))))

    assert (entry.path, entry.path_raw) == (path, raw)


def test_a_name_that_is_no_utf8_is_shown_and_kept() -> None:
    raw = b"sn\xf6rf\xff.jpg"
    (entry,) = entries_of(_tree(_built((_info(raw.decode("utf-8", "surrogateescape")), b"x"))))

    assert (entry.path, entry.path_raw) == ("sn�rf�.jpg", raw)


@pytest.mark.parametrize(
    ("stored", "nanoseconds", "step"),
    [
        ("1600000000.123456789", 1_600_000_000_123_456_789, "1ns"),
        ("1600000000.25", 1_600_000_000_250_000_000, "1e-2s"),
        ("-1.5", -1_500_000_000, "1e-1s"),
        ("7", 7_000_000_000, "1s"),
    ],
)
def test_pax_times_keep_their_fractions(stored: str, nanoseconds: int, step: str) -> None:
    info = _info("a", pax_headers={"mtime": stored, "atime": stored, "ctime": stored, "SCHILY.crtime": stored})
    (entry,) = entries_of(_tree(_built((info, b"x"), form=tarfile.PAX_FORMAT)))

    times = entry.times
    assert {times.modified, times.accessed, times.changed, times.created} == {nanoseconds}
    assert times.resolution == f"m={step} a={step} c={step} b={step}"


def test_a_pax_record_without_length_ends_the_records() -> None:
    for record in (b"0 path=other\n", b"3 =\n", b"x path=other\n", b"99 path=other\n", b"14 path=othe\n"):
        content = bytearray(_built((_info("a", pax_headers={"comment": "x" * 20}), b"x"), form=tarfile.PAX_FORMAT))
        content[512 : 512 + len(record)] = record
        assert [entry.path for entry in entries_of(_tree(bytes(content)))] == ["a"]


def test_gnu_numbers_in_base_256_are_read() -> None:
    info = _info("a", mtime=-5, uid=5_000_000)
    (entry,) = entries_of(_tree(_built((info, b"x"))))

    assert (entry.times.modified, entry.owner) == (-5 * SECOND, "5000000")


# Sparse files


@pytest.mark.parametrize("form", ["gnu", "pax:0.0", "pax:0.1", "pax:1.0"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_sparse_files_of_gnu_tar_are_laid_out(tmp_path: Path, form: str, ending: str) -> None:
    if shutil.which("tar") is None:
        pytest.skip("the tar command is absent")
    body = bytearray(9 << 20)
    for place in range(1 << 20, 9 << 20, 1 << 20):
        body[place : place + 5000] = NOISE[:5000]
    sparse = tmp_path / "sparse.bin"
    with sparse.open("wb") as file:
        for place in range(1 << 20, 9 << 20, 1 << 20):
            file.seek(place)
            file.write(NOISE[:5000])
        file.truncate(9 << 20)
    (tmp_path / "after").write_bytes(WORDS)
    kind, _, version = form.partition(":")
    command = ["tar", "-C", str(tmp_path), "--sparse", f"--format={kind}", "-cf", "-", "sparse.bin", "after"]
    if version:
        command.insert(1, f"--sparse-version={version}")
    content = PACKERS[ending](subprocess.run(command, check=True, capture_output=True).stdout)

    first, second = check_tree(CONTAINERS.get("tar").open, content, "a.tar" + ending)

    tree = _tree(content)
    assert (first.path, first.size) == ("sparse.bin", 9 << 20)
    assert read_all(tree, first) == bytes(body)
    assert read_all(tree, second) == WORDS
    if not ending:
        assert first.extents is not None
        assert sum(extent.length for extent in first.extents if not extent.sparse) < 1 << 20


def test_the_runs_of_a_sparse_file_must_fit() -> None:
    for table in ("0,10,5,10", "0,99999", "0,5,1", "0,x", "9,-5"):
        pax = {"GNU.sparse.map": table, "GNU.sparse.size": "20"}
        content = _built((_info("a", pax_headers=pax), b"x" * 20), (_info("b"), b"y"), form=tarfile.PAX_FORMAT)
        tree = _tree(content)

        first, second = entries_of(tree)
        assert (first.path, second.path) == ("a", "b")
        assert read_all(tree, first) == b"x" * 20, "the bytes as they are stored"
        assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


def test_a_sparse_file_of_absurd_size_is_not_read_out_of_a_packed_archive() -> None:
    pax = {"GNU.sparse.map": "0,5", "GNU.sparse.size": str(1 << 60)}
    content = gzip.compress(_built((_info("a", pax_headers=pax), b"x" * 5), form=tarfile.PAX_FORMAT))
    tree = _tree(content)

    with pytest.raises(LimitExceededError):
        tree.open_stream(entries_of(tree)[0].address)


# Damage


@pytest.mark.parametrize("ending", PACKERS)
def test_an_archive_that_is_cut_gives_what_is_left_and_says_so(ending: str) -> None:
    members = [(_info("first"), WORDS), (_info("second"), NOISE)]
    plain = _built(*members)
    cut = plain[: 512 + len(WORDS) // 512 * 512 + 512 + 512 + 30_000]
    content = PACKERS[ending](cut)

    tree = _tree(content, "a.tar" + ending)
    first, second = entries_of(tree)

    assert (first.content, second.content) == (ContentState.INTACT, ContentState.PARTIAL)
    assert read_all(tree, first) == WORDS
    assert second.size == 30_000
    assert read_all(tree, second) == NOISE[:30_000]
    assert read_all(_tree(content, "a.tar" + ending), second) == NOISE[:30_000]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.TRUNCATED]


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_stream_that_is_cut_gives_what_can_be_decoded(ending: str) -> None:
    content = PACKERS[ending](_built((_info("first"), WORDS), (_info("second"), NOISE * 40)))
    cut = content[: len(content) * 3 // 4]

    tree = _tree(cut, "a.tar" + ending)
    first, second = entries_of(tree)

    assert read_all(tree, first) == WORDS
    assert second.content is ContentState.PARTIAL
    assert 0 < second.size < 40 * len(NOISE)
    assert second.address.endswith(f"+{second.size}")
    assert read_all(_tree(cut, "a.tar" + ending), second) == (NOISE * 40)[: second.size]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.TRUNCATED]


def test_a_missing_mark_of_the_end_is_told() -> None:
    plain = _built((_info("first"), b"x" * 512))
    (notice,) = notices_of(_tree(plain[:1024]))

    assert (notice.code, notice.offset) == (NoticeCode.TRUNCATED, 1024)


def test_a_damaged_header_costs_one_member() -> None:
    plain = bytearray(_built((_info("first"), WORDS), (_info("second"), WORDS), (_info("third"), NOISE)))
    place = int(entries_of(_tree(bytes(plain)))[1].address)
    plain[place + 20] ^= 255

    tree = _tree(bytes(plain))

    assert [entry.path for entry in entries_of(tree)] == ["first", "third"]
    (notice,) = notices_of(tree)
    assert (notice.code, notice.offset) == (NoticeCode.DAMAGED, place)
    assert "goes on at byte" in notice.message


def test_damage_all_over_is_passed_in_bounded_time_and_notices() -> None:
    header = _info("a").tobuf(tarfile.GNU_FORMAT)
    started = time.process_time()
    records = list(_tree((header + b"x" * 512) * 4000).entries())

    assert sum(isinstance(record, Entry) for record in records) == 4000
    assert len(records) < 5100
    assert time.process_time() - started < 10


def test_an_archive_joined_on_is_listed_and_other_bytes_are_told() -> None:
    first, second = _built((_info("a"), b"x")), _built((_info("b"), b"y"))

    joined = _tree(first + second)
    assert [entry.path for entry in entries_of(joined)] == ["a", "b"]
    assert [notice.code for notice in notices_of(joined)] == [NoticeCode.ASSUMED]

    followed = _tree(first + b"other")
    assert [notice.code for notice in notices_of(followed)] == [NoticeCode.SKIPPED]


def test_a_wrong_checksum_of_the_stream_is_told_and_costs_no_member() -> None:
    content = bytearray(gzip.compress(_built((_info("a"), WORDS))))
    content[-6] ^= 255
    tree = _tree(bytes(content))

    (entry,) = entries_of(tree)
    assert read_all(tree, entry) == WORDS
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


def test_headers_without_end_are_bounded() -> None:
    long_name = _built((_info("x" * 200), b""))[:1024]
    tree = _tree(long_name * 100 + _built((_info("a"), b"x")))

    assert notices_of(tree)[0].code is NoticeCode.DAMAGED
    assert [entry.path for entry in entries_of(tree)][-1] in ("a", "x" * 200)


def test_absurd_sizes_are_never_allocated() -> None:
    content = bytearray(_built((_info("x" * 200), b"y"), (_info("b"), b"z")))
    content[124:136] = b"\x80" + bytes(3) + b"\x7f" + bytes(7)
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    tree = _tree(bytes(content))

    assert notices_of(tree)[0].code is NoticeCode.DAMAGED
    check_mutated(CONTAINERS.get("tar").open, bytes(content), "a.tar")


def test_a_bomb_is_stopped_at_the_ratio() -> None:
    packer = importlib.import_module("zlib").compressobj(9, 8, 31)
    head = _info("zeros", size=1 << 33)
    packed = packer.compress(head.tobuf(tarfile.GNU_FORMAT))
    packed += b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    tree = _tree(packed)

    (entry,) = entries_of(tree)

    assert (entry.path, entry.content) == ("zeros", ContentState.PARTIAL)
    assert entry.size < 70 << 20
    assert "limit ratio" in notices_of(tree)[0].message


def test_the_number_of_members_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_tree, "MAXIMUM_MEMBERS", 2)
    tree = _tree(_built(*_sample()))

    assert len(entries_of(tree)) == 2
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.COUNT_LIMIT]


def test_what_does_not_start_with_a_header_is_damaged() -> None:
    with pytest.raises(CorruptStructureError):
        _open(b"nonsense" * 100)


# Cost


def test_reading_a_packed_archive_in_order_decodes_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    original = CheckpointedSource._decoded

    def counted(self: CheckpointedSource, state: _State, maximum: int) -> bytes:
        nonlocal decoded
        block = original(self, state, maximum)
        decoded += len(block)
        return block

    monkeypatch.setattr(CheckpointedSource, "_decoded", counted)
    plain = _built(*((_info(f"{number}"), NOISE) for number in range(200)))
    tree = _tree(gzip.compress(plain, 1, mtime=0))
    found = entries_of(tree)
    listing = decoded
    for entry in found:
        assert read_all(tree, entry) == NOISE

    assert listing <= len(plain) + (1 << 19)
    assert decoded - listing <= len(plain) + (1 << 19)


def test_memory_does_not_grow_with_the_number_of_members() -> None:
    content = _built(*((_info(f"fold/{number:06}"), b"") for number in range(5_000)))
    tree = _tree(gzip.compress(content, 1, mtime=0))

    tracemalloc.start()
    try:
        count = sum(isinstance(record, Entry) for record in tree.entries())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 5_000
    assert peak < 2 << 20


@settings(max_examples=150, deadline=None)
@given(
    which=st.integers(0, 3),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
    mend=st.booleans(),
)
def test_mutated_archives_end_in_records_notices_or_our_errors(
    which: int, changes: list[tuple[float, bytes]], kept: float, mend: bool
) -> None:
    content = bytearray(_MUTATED[which])
    for place, value in changes:
        at = int(place * (len(content) - 1))
        content[at : at + len(value)] = value
        start = at // 512 * 512
        if mend and content[start + 257 : start + 262] == b"ustar":
            content[start + 148 : start + 156] = b" " * 8
            content[start + 148 : start + 156] = b"%06o\0 " % sum(content[start : start + 512])
    check_mutated(CONTAINERS.get("tar").open, bytes(content[: int(kept * len(content))]), "a.tar")


_SMALL = [(_info("words"), WORDS[:700]), (_info(LONG, uid=5_000_000), NOISE[:600]), (_info("c"), b"")]
_SPARSE = {"GNU.sparse.map": "0,5,100,5", "GNU.sparse.size": "200", "mtime": "1.5", "path": "path"}
_MUTATED = (
    _built(*_SMALL),
    _built(*_SMALL, form=tarfile.PAX_FORMAT),
    gzip.compress(_built(*_SMALL), mtime=0),
    _built((_info("a", pax_headers=_SPARSE), b"x" * 10), *_SMALL, form=tarfile.PAX_FORMAT),
)
