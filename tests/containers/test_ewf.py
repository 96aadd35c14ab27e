"""EWF images: written by ewfacquire and in code, read back byte by byte; damaged ones told exactly."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kaval.containers.blockcodecs import unzlib
from kaval.containers.ewf import Ewf
from kaval.containers.ewf.naming import segment_names
from kaval.core.contracts import Opened
from kaval.core.errors import CorruptStructureError, KavalError, LockedError, UnreadableError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import BytesSource, FileSource
from tests.containers.ewf_images import CHUNK_SIZE, CHUNKS_A_TABLE, write_e01, write_ex01
from tests.containers.images import (
    EXT2_SHA256,
    beside,
    beside_path,
    content_of,
    disk,
    mutations,
    no_siblings,
    read_everything,
    run,
    sha256_of,
    stays_inside,
    tool,
)
from tests.testdata import shared

Writer = Callable[..., dict[str, bytes]]
WRITERS = pytest.mark.parametrize("write", [write_e01, write_ex01])


def _open(files: Mapping[str, bytes]) -> Opened:
    name = next(iter(files))
    assert Ewf().probe(BytesSource(files[name]), name)
    return Ewf().open(BytesSource(files[name]), name, beside(files))


def _content(opened: Opened) -> bytes:
    assert opened.source is not None
    return content_of(opened.source)


def _codes(opened: Opened) -> list[NoticeCode]:
    return [notice.code for notice in opened.notices]


def _find(opened: Opened, code: NoticeCode) -> Notice:
    [found] = [notice for notice in opened.notices if notice.code is code]
    return found


@WRITERS
@pytest.mark.parametrize("segments", [1, 3])
def test_an_image_reads_as_what_was_written(write: Writer, segments: int) -> None:
    content = disk()

    opened = _open(write(content, segments=segments))
    assert opened.source is not None
    stays_inside(opened.source, content)
    assert opened.notices == ()
    assert opened.facts["segments"] == str(segments)
    assert opened.stored_digests == {
        "md5": hashlib.md5(content).hexdigest(),
        "sha1": hashlib.sha1(content).hexdigest(),
    }


@WRITERS
def test_the_case_is_told_as_stored(write: Writer) -> None:
    facts = _open(write(disk(1 << 20))).facts

    assert {name: facts[name] for name in ("case number", "examiner", "description", "acquisition system")} == {
        "case number": "case-7",
        "examiner": "Inga",
        "description": "the tarn disk",
        "acquisition system": "Osk",
    }
    assert {facts["acquired"], facts["acquisition system time"]} == {"2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z"}
    assert (facts["media"], facts["sector size"], facts["chunk size"]) == ("fixed", "512", str(CHUNK_SIZE))


def test_bzip2_chunks_are_read() -> None:
    content = disk(1 << 20)

    assert _content(_open(write_ex01(content, method=2))) == content


@pytest.mark.parametrize("kind", ["ewf", "smart", "ftk", "encase2", "encase5", "encase6", "encase7", "linen6", "ewfx"])
def test_what_ewfacquire_writes_reads_as_the_disk(kind: str, tmp_path: Path) -> None:
    acquire = tool("ewfacquire")
    content = disk()
    (tmp_path / "disk.dd").write_bytes(content)
    target = tmp_path / "out"
    options = ("-u", "-q", "-t", target, "-f", kind, "-c", "fast", "-S", "1.0MiB", "-m", "fixed")
    run(acquire, *options, tmp_path / "disk.dd")
    [first] = [path for path in tmp_path.iterdir() if path.suffix.lower() in (".e01", ".s01")]

    opened = Ewf().open(FileSource(first), first.name, beside_path(first))
    assert opened.source is not None
    stays_inside(opened.source, content)
    assert opened.stored_digests["md5"] == hashlib.md5(content).hexdigest()
    assert int(opened.facts["segments"]) > 1
    assert opened.notices == ()


@WRITERS
def test_libewf_reads_the_same_from_what_the_tests_write(write: Writer, tmp_path: Path) -> None:
    pyewf = pytest.importorskip("pyewf", reason="libewf-python is absent")
    content = disk(1 << 20)
    files = write(content, segments=2)
    for name, file in files.items():
        (tmp_path / name).write_bytes(file)

    handle = pyewf.handle()
    handle.open([str(tmp_path / name) for name in files])
    assert handle.read_buffer(handle.get_media_size()) == content
    handle.close()


@pytest.mark.parametrize(
    ("relative", "sha256"),
    [
        ("engine/dfvfs/ext2.E01", EXT2_SHA256),
        ("engine/dfvfs/ext2.split.E01", EXT2_SHA256),
        ("engine/plaso/image.E01", None),
        ("engine/plaso/image-split.E01", None),
        ("engine/bulk_extractor/nps-2010-emails.E01", None),
    ],
)
def test_images_of_others_have_their_stored_digests(relative: str, sha256: str | None) -> None:
    path = shared(relative)

    opened = Ewf().open(FileSource(path), path.name, beside_path(path))
    assert opened.source is not None
    assert hashlib.md5(content_of(opened.source)).hexdigest() == opened.stored_digests["md5"]
    assert sha256 in (None, sha256_of(opened.source))
    assert opened.notices == ()


def test_offsets_count_from_the_base_of_their_table() -> None:
    content = disk(1 << 20)

    assert _content(_open(write_e01(content, base=100))) == content


def test_bad_sectors_of_the_acquisition_are_told() -> None:
    for write in (write_e01, write_ex01):
        opened = _open(write(disk(1 << 20), bad_sectors=((10, 2), (900, 64))))

        told = [(notice.code, notice.offset) for notice in opened.notices]
        assert told == [(NoticeCode.UNREADABLE, 5120), (NoticeCode.UNREADABLE, 900 * 512)]
        assert "2 sectors from sector 10" in opened.notices[0].message


@WRITERS
def test_a_flipped_byte_makes_its_chunk_unreadable_and_no_other(write: Writer) -> None:
    content = disk()
    files = write(content)
    noise = next(
        start for start in range(CHUNK_SIZE, len(content), CHUNK_SIZE) if len(set(content[start : start + 64])) > 40
    )
    file = bytearray(files["disk.E01" if write is write_e01 else "disk.Ex01"])
    place = file.index(content[noise + 100 : noise + 160])
    file[place + 10] ^= 1
    name = next(iter(files))

    source = _open({name: bytes(file)}).source
    assert source is not None
    chunk = noise // CHUNK_SIZE
    with pytest.raises(UnreadableError, match=rf"chunk {chunk}, at byte {place - 100} of {name}: its checksum") as told:
        source.read_at(noise - 1000, 3 * CHUNK_SIZE)
    assert (told.value.offset, told.value.length) == (noise, CHUNK_SIZE)
    assert source.read_at(0, noise) == content[:noise]
    after = noise + CHUNK_SIZE
    assert source.read_at(after, len(content)) == content[after:]


def test_a_damaged_zlib_chunk_is_unreadable() -> None:
    content = b"tarn lopel " * 40_000
    content = content[: len(content) // CHUNK_SIZE * CHUNK_SIZE]
    file = bytearray(write_e01(content)["disk.E01"])
    place = file.index(b"\x78\x01", file.index(b"sectors"))
    file[place + 20] ^= 0xFF

    source = _open({"disk.E01": bytes(file)}).source
    assert source is not None
    with pytest.raises(UnreadableError, match="chunk 0, "):
        source.read_at(0, 10)
    assert source.read_at(CHUNK_SIZE, 50_000) == content[CHUNK_SIZE : CHUNK_SIZE + 50_000]


def _cut(content: bytes, name: bytes, *, after: int) -> tuple[bytes, bytes]:
    """Return an image cut off in its second ``sectors`` section, and all of it."""
    file = write_e01(content)["disk.E01"]
    place = file.index(name, file.index(name) + 1)
    return file[: place + after], file


def test_a_cut_image_is_read_up_to_where_it_ends() -> None:
    content = disk()
    cut, whole = _cut(content, b"sectors\0", after=76 + 100_000)
    assert len(cut) < len(whole)

    opened = _open({"disk.E01": cut})
    assert opened.source is not None
    assert opened.source.size == len(content)
    notice = next(notice for notice in opened.notices if notice.offset is not None)
    end = notice.offset
    assert end is not None
    assert notice.code is NoticeCode.TRUNCATED
    told = (
        f"bytes {end} to {len(content)} of {len(content)} cannot be read: disk.E01 was cut off at its byte {len(cut)}"
    )
    assert notice.message.startswith(told)
    assert end > CHUNKS_A_TABLE * CHUNK_SIZE
    assert opened.source.read_at(0, end) == content[:end]
    with pytest.raises(UnreadableError, match=r"disk\.E01 was cut off at its byte"):
        opened.source.read_at(end, 1)
    with pytest.raises(UnreadableError) as error:
        opened.source.read_at(end - 10, 4096)
    assert error.value.offset == end


def test_a_cut_version_2_image_is_read_up_to_its_last_table() -> None:
    content = disk()
    file = write_ex01(content)["disk.Ex01"]

    opened = _open({"disk.Ex01": file[: len(file) * 3 // 4]})
    assert opened.source is not None
    notice = next(notice for notice in opened.notices if notice.offset is not None)
    assert notice.offset
    assert notice.offset % (CHUNKS_A_TABLE * CHUNK_SIZE) == 0
    assert opened.source.read_at(0, notice.offset) == content[: notice.offset]
    with pytest.raises(UnreadableError):
        opened.source.read_at(notice.offset, 1)


def test_a_missing_last_segment_is_told_by_name() -> None:
    content = disk()
    files = write_e01(content, segments=3)
    del files["disk.E03"]

    opened = _open(files)
    assert opened.source is not None
    notice = _find(opened, NoticeCode.TRUNCATED)
    assert notice.offset
    assert "disk.E03 is not beside the others" in notice.message
    assert opened.source.read_at(0, notice.offset) == content[: notice.offset]
    with pytest.raises(UnreadableError, match=r"disk\.E03"):
        opened.source.read_at(len(content) - 1, 1)


@WRITERS
def test_a_missing_middle_segment_leaves_the_others_readable(write: Writer) -> None:
    content = disk()
    files = write(content, segments=4)
    del files[list(files)[1]]

    opened = _open(files)
    assert opened.source is not None
    notice = _find(opened, NoticeCode.TRUNCATED)
    start = notice.offset
    assert start is not None
    end = 2 * start
    assert f"bytes {start} to {end} of {len(content)} cannot be read: the segment disk.E" in notice.message
    assert opened.source.read_at(0, start) == content[:start]
    assert opened.source.read_at(end, len(content)) == content[end:]
    with pytest.raises(UnreadableError):
        opened.source.read_at(end - 1, 10)


def test_a_segment_of_another_image_is_left_out_and_told() -> None:
    files = write_e01(disk(), segments=2)
    stranger = bytearray(files["disk.E02"])
    place = stranger.index(bytes(range(16)))
    stranger[place] ^= 0xFF
    start = stranger.index(b"data\0") + 76
    stranger[start + 1048 : start + 1052] = struct.pack("<I", zlib.adler32(bytes(stranger[start : start + 1048])))
    files["disk.E02"] = bytes(stranger)

    opened = _open(files)
    assert any("disk.E02 is left out: it belongs to another image" in notice.message for notice in opened.notices)
    assert NoticeCode.TRUNCATED in _codes(opened)


def test_a_damaged_table_is_replaced_by_its_copy() -> None:
    content = disk()
    file = bytearray(write_e01(content)["disk.E01"])
    file[file.index(b"table\0") + 76 + 24 + 9] ^= 1

    opened = _open({"disk.E01": bytes(file)})
    assert _content(opened) == content
    assert _codes(opened) == [NoticeCode.DAMAGED, NoticeCode.DAMAGED]
    assert "the checksum of its entries does not match" in opened.notices[0].message
    assert "used in place of the table" in opened.notices[1].message


def test_without_any_table_chunks_are_found_one_behind_the_other() -> None:
    content = disk()
    file = bytearray(write_e01(content)["disk.E01"])
    for name in (b"table\0", b"table2\0"):
        file[file.index(name) + 76] ^= 1

    opened = _open({"disk.E01": bytes(file)})
    assert _content(opened) == content
    assert any(f"{CHUNKS_A_TABLE} were found one behind the other" in notice.message for notice in opened.notices)


def test_the_chain_is_taken_up_again_behind_a_damaged_descriptor() -> None:
    content = disk()
    for name in (b"sectors\0", b"table\0", b"table2\0", b"digest\0"):
        file = bytearray(write_e01(content)["disk.E01"])
        file[file.index(name) + 20] ^= 0x55

        opened = _open({"disk.E01": bytes(file)})
        assert _content(opened) == content, name
        assert any("the chain was taken up again at byte" in notice.message for notice in opened.notices)
        assert opened.stored_digests["md5"] == hashlib.md5(content).hexdigest()


def test_a_damaged_version_2_descriptor_costs_its_own_section_only() -> None:
    content = disk()
    file = bytearray(write_ex01(content)["disk.Ex01"])
    file[-80] ^= 1

    opened = _open({"disk.Ex01": bytes(file)})
    assert _content(opened) == content
    assert "sha1" not in opened.stored_digests
    assert NoticeCode.DAMAGED in _codes(opened)


def test_a_damaged_digest_is_not_used() -> None:
    content = disk(1 << 20)
    file = bytearray(write_e01(content)["disk.E01"])
    file[file.index(b"digest\0") + 76 + 18] ^= 1

    opened = _open({"disk.E01": bytes(file)})
    assert opened.stored_digests == {"md5": hashlib.md5(content).hexdigest()}
    assert "the stored digests are not used" in _find(opened, NoticeCode.DAMAGED).message


def test_sizes_whose_checksum_is_wrong_are_used_where_they_agree() -> None:
    content = disk(1 << 20)
    file = bytearray(write_e01(content)["disk.E01"])
    file[file.index(b"volume\0") + 76 + 700] ^= 1

    opened = _open({"disk.E01": bytes(file)})
    assert _content(opened) == content
    assert "its sizes agree with one another" in _find(opened, NoticeCode.DAMAGED).message


def test_without_its_sizes_an_image_is_not_guessed() -> None:
    file = bytearray(write_e01(disk(1 << 20))["disk.E01"])
    file[file.index(b"volume\0") + 76 + 8] ^= 1

    with pytest.raises(CorruptStructureError, match="no sound volume section"):
        _open({"disk.E01": bytes(file)})


def test_a_later_segment_points_to_the_first() -> None:
    files = write_e01(disk(), segments=2)

    with pytest.raises(UnsupportedError, match=r"segment 2 .* disk\.E01"):
        Ewf().open(BytesSource(files["disk.E02"]), "disk.E02", beside(files))


def test_an_encrypted_image_is_locked() -> None:
    with pytest.raises(LockedError, match="encrypted by EnCase"):
        _open(write_ex01(disk(1 << 20), flags=2))


def test_segment_names_go_on_behind_ninety_nine() -> None:
    names = list(segment_names("disk.E01"))
    assert names[98:102] == ["disk.E99", "disk.EAA", "disk.EAB", "disk.EAC"]
    assert names[99 + 26 * 26] == "disk.FAA"
    assert list(segment_names("disk.e01"))[99] == "disk.eaa"
    assert list(segment_names("disk.Ex01"))[98:101] == ["disk.Ex99", "disk.ExAA", "disk.ExAB"]
    assert list(segment_names("disk.Ex01"))[99 + 26 * 26] == "disk.EyAA"
    assert list(segment_names("disk.dd")) == []


def test_offsets_past_two_gib_have_32_bits() -> None:
    from kaval.containers.chunks import Storage
    from kaval.containers.ewf.tables import StoredTable

    offsets = [0x7FFE0000, 0x7FFE8004, 0x7FFF0008, 0x7FFF800C, 0x80000010, 0x80008014, 0x80010018]
    entries = struct.pack("<7I", *offsets)
    table = StoredTable(
        source=BytesSource(entries), entries_offset=0, count=7, base=0, chunk_size=32768, boundaries=[0x8001801C]
    )

    spans = table.load()
    assert list(spans.offsets) == offsets
    assert list(spans.sizes) == [32772] * 7
    assert set(spans.storages) == {Storage.CHECKED}


def test_a_chunk_that_swells_is_stopped_at_its_size() -> None:
    decoded = unzlib(zlib.compress(bytes(1 << 24)), 32768)

    assert decoded is None


@WRITERS
def test_damaged_images_end_in_bytes_or_in_our_errors(write: Writer) -> None:
    content = disk(600 * 1024)
    files = write(content, bad_sectors=((3, 1),))
    [(name, file)] = files.items()
    opened = 0
    for damaged in mutations(file, 250, seed=11):
        if not Ewf().probe(BytesSource(damaged), name):
            continue
        try:
            image = Ewf().open(BytesSource(damaged), name, no_siblings)
        except KavalError:
            continue
        assert image.source is not None
        opened += 1
        read_everything(image.source)
    assert opened > 50
