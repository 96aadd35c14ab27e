"""Raw images: plain, split, with a gap; and what is never taken for one."""

from __future__ import annotations

import pytest

from kaval.containers import CONTAINERS
from kaval.containers.raw import Raw
from kaval.containers.signatures import SIGNATURES
from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.records import NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.images import EXT2_SHA256, beside, content_of, disk, no_siblings, sha256_of, stays_inside
from tests.testdata import shared

NUMBERED = ("disk.001", "disk.002", "disk.003", "disk.004")


def _split(names: tuple[str, ...], content: bytes) -> dict[str, bytes]:
    step = -(-len(content) // len(names) // 512) * 512
    return {name: content[place * step : (place + 1) * step] for place, name in enumerate(names)}


def _capability_of(content: bytes, name: str) -> str | None:
    source = BytesSource(content)
    return next((each.name for each in CONTAINERS.available() if each.probe(source, name)), None)


@pytest.mark.parametrize(
    "names",
    [
        NUMBERED,
        ("disk.dd.000", "disk.dd.001", "disk.dd.002"),
        ("disk.0001", "disk.0002"),
        ("disk.aa", "disk.ab", "disk.ac"),
        ("DISK.AAA", "DISK.AAB"),
        ("xaa", "xab", "xac"),
    ],
)
def test_a_split_image_reads_as_the_whole(names: tuple[str, ...]) -> None:
    content = disk()
    files = _split(names, content)

    opened = Raw().open(BytesSource(files[names[0]]), names[0], beside(files))
    assert opened.source is not None
    stays_inside(opened.source, content)
    assert opened.facts == {"segments": str(len(names))}
    assert opened.notices == ()


def test_a_plain_image_is_its_own_bytes() -> None:
    content = disk()

    opened = Raw().open(BytesSource(content), "disk.dd", no_siblings)
    assert opened.source is not None
    stays_inside(opened.source, content)


def test_a_missing_middle_segment_is_told_and_its_bytes_are_unreadable() -> None:
    content = disk()
    files = _split(NUMBERED, content)
    size = len(files["disk.001"])
    del files["disk.002"]

    opened = Raw().open(BytesSource(files["disk.001"]), "disk.001", beside(files))
    assert opened.source is not None
    assert opened.source.size == len(content)
    [notice] = opened.notices
    assert (notice.code, notice.offset) == (NoticeCode.UNREADABLE, size)
    assert "disk.002" in notice.message
    assert opened.source.read_at(2 * size, 1000) == content[2 * size : 2 * size + 1000]
    with pytest.raises(UnreadableError, match=r"disk\.002"):
        opened.source.read_at(size - 10, 20)


def test_a_gap_of_unknown_size_is_refused() -> None:
    files = {"disk.001": bytes(4096), "disk.002": bytes(1024), "disk.004": bytes(512)}

    with pytest.raises(CorruptStructureError, match=r"disk\.003"):
        Raw().open(BytesSource(files["disk.001"]), "disk.001", beside(files))


def test_a_later_segment_points_to_the_first() -> None:
    files = _split(NUMBERED, disk())

    with pytest.raises(UnsupportedError, match=r"segment 3 .* disk\.001"):
        Raw().open(BytesSource(files["disk.003"]), "disk.003", beside(files))


def test_a_lone_later_segment_is_read_and_told() -> None:
    opened = Raw().open(BytesSource(bytes(1024)), "disk.007", no_siblings)

    [notice] = opened.notices
    assert notice.code is NoticeCode.TRUNCATED
    assert "segment 7" in notice.message


def test_no_known_format_is_ever_taken_for_a_raw_image() -> None:
    for signature in SIGNATURES:
        content = bytearray(8192)
        start = signature.offset % len(content)
        content[start : start + len(signature.magic)] = signature.magic

        assert not Raw().probe(BytesSource(bytes(content)), "disk.dd"), signature
        assert _capability_of(bytes(content), "disk.dd") not in {None, "raw"}, signature


def test_a_format_that_is_not_read_is_told_by_its_name() -> None:
    content = b"AFF10\r\n\0" + bytes(600)

    assert _capability_of(content, "disk.aff") == "unread"
    with pytest.raises(UnsupportedError, match=r"AFF image .* affconvert"):
        CONTAINERS.get("unread").open(BytesSource(content), "disk.aff", no_siblings)


def test_bytes_of_nothing_known_are_a_raw_image_for_the_stages_to_look_into() -> None:
    assert _capability_of(bytes(range(256)) * 16, "blob.bin") == "raw"


def test_a_name_that_promises_another_format_is_told() -> None:
    [notice] = Raw().open(BytesSource(disk()), "disk.VHD", no_siblings).notices
    assert notice.code is NoticeCode.DAMAGED
    assert "by its name disk.VHD is a VHD image" in notice.message
    assert Raw().open(BytesSource(disk()), "disk-flat.vmdk", no_siblings).notices == ()


def test_an_empty_source_is_nothing() -> None:
    assert _capability_of(b"", "disk.dd") is None


def test_the_split_image_of_dfvfs_has_its_known_digest() -> None:
    first = shared("engine/dfvfs/ext2.splitraw.000")
    files = {path.name: path.read_bytes() for path in sorted(first.parent.glob("ext2.splitraw.*"))}

    opened = Raw().open(BytesSource(files[first.name]), first.name, beside(files))
    assert opened.source is not None
    assert content_of(opened.source) == b"".join(files.values())
    assert sha256_of(opened.source) == EXT2_SHA256
