from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from kaval.core.records import ContentState, Entry, EntryKind, NoticeCode
from kaval.core.sources import BytesSource
from kaval.filesystems.iso9660 import IsoFileSystem
from tests.filesystems.contract import digests, listing, mutations, stream_of, survives
from tests.testdata import shared

ISO = IsoFileSystem()
SECTOR = 2048


def both(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


def record(name: bytes, block: int, size: int, flags: int = 0, use: bytes = b"", zone: int = 22) -> bytes:
    head = bytes((0,)) + both(block) + both(size) + bytes((124, 5, 17, 12, 0, 0, zone & 0xFF, flags, 0, 0))
    body = head + struct.pack("<H", 1) + struct.pack(">H", 1) + bytes((len(name),)) + name
    body += b"\0" * (1 - len(name) % 2) + use
    body += b"\0" * (1 - len(body) % 2)
    return bytes((len(body) + 1,)) + body


def directory(own: int, parent: int, records: list[bytes], use: bytes = b"") -> bytes:
    return (record(b"\0", own, SECTOR, 2, use) + record(b"\1", parent, SECTOR, 2) + b"".join(records)).ljust(
        SECTOR, b"\0"
    )


def descriptor(kind: int, root: int, escape: bytes = b"", label: bytes = b"VINDRA") -> bytes:
    block = bytearray(SECTOR)
    block[0:7] = bytes((kind,)) + b"CD001\x01"
    block[40:72] = label.ljust(32)
    block[88 : 88 + len(escape)] = escape
    block[128:132] = struct.pack("<H", SECTOR) + struct.pack(">H", SECTOR)
    block[156:190] = record(b"\0", root, SECTOR, 2)
    return bytes(block)


def disc(blocks: dict[int, bytes], descriptors: list[bytes]) -> bytes:
    image = bytearray(40 * SECTOR)
    for number, block in enumerate([*descriptors, bytes((255,)) + b"CD001\x01"], 16):
        image[number * SECTOR : number * SECTOR + len(block)] = block
    for number, block in blocks.items():
        image[number * SECTOR : number * SECTOR + len(block)] = block
    return bytes(image)


def plain() -> bytes:
    return disc(
        {
            24: directory(24, 24, [record(b"TARN", 25, SECTOR, 2), record(b"OSK.TXT;1", 30, 9)]),
            25: directory(25, 24, [record(b"BENTA.BIN;1", 31, 5000)]),
            30: b"osk mirul",
            31: bytes(range(256)) * 19 + bytes(136),
        },
        [descriptor(1, 24)],
    )


def by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


def test_a_plain_tree_is_listed_with_zoned_times() -> None:
    image = plain()
    tree, entries, notices = listing(ISO, image)
    found = by_path(entries)

    assert list(found) == ["TARN", "OSK.TXT", "TARN/BENTA.BIN"]
    assert stream_of(tree, BytesSource(image), found["OSK.TXT"]) == b"osk mirul"
    assert found["OSK.TXT"].times.zone == "+05:30"
    assert found["OSK.TXT"].times.modified == 1715947200 * 10**9
    assert found["TARN/BENTA.BIN"].parent == found["TARN"].address
    assert tree.facts["label"] == "VINDRA"
    assert not notices


def test_of_two_hierarchies_the_richer_is_listed_whole_and_the_other_where_it_alone_leads() -> None:
    long = "തരുൺ name.txt".encode("utf-16-be")
    image = disc(
        {
            24: directory(24, 24, [record(b"OSK.TXT;1", 30, 9), record(b"ONLY.TXT;1", 32, 6)]),
            26: directory(26, 26, [record(long, 30, 9), record("ഇല".encode("utf-16-be"), 33, 5)]),
            30: b"osk mirul", 32: b"hidden", 33: b"benta",
        },
        [descriptor(1, 24), descriptor(2, 26, b"%/E", "VINDRA".encode("utf-16-be"))],
    )  # fmt: skip

    tree, entries, _ = listing(ISO, image)

    assert [entry.path for entry in entries] == ["തരുൺ name.txt", "ഇല", "ONLY.TXT"]
    assert tree.facts["names"] == "Joliet"


def field(signature: bytes, payload: bytes) -> bytes:
    return signature + bytes((len(payload) + 4, 1)) + payload


def test_rock_ridge_gives_names_modes_times_links_and_moved_directories() -> None:
    posix = field(b"PX", both(0o100640) + both(1) + both(1000) + both(100))
    stamp = field(
        b"TF", bytes((0x0E,)) + bytes((124, 5, 17, 12, 0, 1, 0, 124, 5, 17, 12, 0, 2, 0, 124, 5, 17, 12, 0, 3, 0))
    )
    more = field(b"CE", both(28) + both(0) + both(64))
    link = (
        field(b"PX", both(0o120777) + both(1) + both(0) + both(0))
        + field(b"NM", b"\0link")
        + field(b"SL", b"\0" + bytes((8, 0, 0, 4)) + b"tarn" + bytes((0, 3)) + b"osk")
    )
    moved = field(b"NM", b"\0moved") + field(b"CL", both(27))
    image = disc(
        {
            24: directory(
                24,
                24,
                [
                    record(b"OSK.TXT;1", 30, 9, 0, posix + stamp + field(b"NM", b"\x01long ") + more),
                    record(b"LINK.;1", 0, 0, 0, link),
                    record(b"MOVED", 30, 9, 0, moved),
                    record(b"HIDDEN", 27, SECTOR, 2, field(b"NM", b"\0hidden") + field(b"RE", b"")),
                ],
                use=field(b"SP", b"\xbe\xef\0"),
            ),
            27: directory(27, 24, [record(b"BELOW;1", 31, 5, 0, field(b"NM", b"\0below"))]),
            28: field(b"NM", b"\0name") ,
            30: b"osk mirul", 31: b"benta",
        },
        [descriptor(1, 24)],
    )  # fmt: skip

    _, entries, _ = listing(ISO, image)
    found = by_path(entries)

    assert list(found) == ["long name", "link", "moved", "moved/below"]
    assert (found["long name"].mode, found["long name"].owner, found["long name"].group) == (0o640, "1000", "100")
    assert found["long name"].times.modified == 1715947201 * 10**9
    assert found["long name"].times.changed == 1715947203 * 10**9
    assert (found["link"].kind, found["link"].link_target) == (EntryKind.SYMLINK, "/tarn/osk")


def test_a_file_in_several_sections_is_one_entry() -> None:
    image = disc(
        {
            24: directory(24, 24, [record(b"BIG.BIN;1", 30, SECTOR, 0x80), record(b"BIG.BIN;1", 33, 100)]),
            30: b"a" * SECTOR, 33: b"b" * 100,
        },
        [descriptor(1, 24)],
    )  # fmt: skip

    tree, entries, _ = listing(ISO, image)

    assert [entry.size for entry in entries] == [SECTOR + 100]
    assert stream_of(tree, BytesSource(image), entries[0]) == b"a" * SECTOR + b"b" * 100


def test_where_the_byte_orders_disagree_both_places_are_listed() -> None:
    image = bytearray(plain())
    place = image.index(b"OSK.TXT") - 33
    image[place + 6 : place + 10] = struct.pack(">I", 31)

    tree, entries, notices = listing(ISO, bytes(image))
    both_places = [entry for entry in entries if entry.path == "OSK.TXT"]

    assert {entry.content for entry in both_places} == {ContentState.ASSUMED}
    assert {stream_of(tree, BytesSource(bytes(image)), entry) for entry in both_places} == {
        b"osk mirul", bytes(range(9)),
    }  # fmt: skip
    assert [(notice.code, notice.offset) for notice in notices] == [(NoticeCode.DAMAGED, place + 2)]


def test_a_directory_that_leads_back_is_walked_once() -> None:
    image = disc({24: directory(24, 24, [record(b"AGAIN", 24, SECTOR, 2)])}, [descriptor(1, 24)])

    _, entries, notices = listing(ISO, image)

    assert [entry.path for entry in entries] == ["AGAIN"]
    assert [notice.code for notice in notices] == [NoticeCode.LOOP]


def test_what_nothing_leads_to_is_not_allocated() -> None:
    tree, _, _ = listing(ISO, plain())

    free = [(extent.offset // SECTOR, extent.length // SECTOR) for extent in tree.unallocated()]
    assert free == [(18, 6), (26, 4), (34, 6)]


def test_a_cut_disc_says_so() -> None:
    _, entries, notices = listing(ISO, plain()[: 32 * SECTOR])

    assert by_path(entries)["TARN/BENTA.BIN"].content is ContentState.PARTIAL
    assert [notice.code for notice in notices] == [NoticeCode.TRUNCATED]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("iso-dirtree1.iso", {"File1.txt", "File2.txt"}),
        ("iso-dirtree2.iso", {"File1.txt", "File2.txt"}),
        ("iso-endian.iso", {"File1.txt"}),
    ],
)
def test_the_discs_of_2010_show_every_file(name: str, wanted: set[str]) -> None:
    with zipfile.ZipFile(shared("engine/dftt/14-iso9660-1.zip")) as packed:
        image = next(packed.read(member) for member in packed.namelist() if member.endswith(name))

    _, entries, _ = listing(ISO, image)

    assert {entry.path for entry in entries} == wanted
    assert len(entries) == 2


def test_a_disc_made_by_another_tool_gives_its_files(tmp_path: Path) -> None:
    maker = shutil.which("xorriso")
    if maker is None:
        pytest.skip("xorriso is absent")
    folder = tmp_path / "tree" / "a longer folder name" / "below"
    folder.mkdir(parents=True)
    wanted = {}
    for number in range(40):
        path = folder / f"file number {number} മഴ.txt"
        path.write_bytes(f"osk {number} ".encode() * number)
        wanted[str(path.relative_to(tmp_path / "tree"))] = hashlib.md5(path.read_bytes()).hexdigest()
    target = tmp_path / "disc.iso"
    command = [maker, "-as", "mkisofs", "-quiet", "-R", "-J", "-joliet-long", "-o", str(target), str(tmp_path / "tree")]
    subprocess.run(command, check=True, capture_output=True)

    image = target.read_bytes()
    tree, entries, notices = listing(ISO, image)

    assert digests(tree, image, entries) == wanted
    assert not notices


@pytest.mark.parametrize("seed", range(6))
def test_damage_ends_in_records_notices_or_our_own_errors(seed: int) -> None:
    for damaged in mutations(plain(), 60, seed, [(16 * SECTOR, 200), (24 * SECTOR, 220), (25 * SECTOR, 160)]):
        survives(ISO, damaged)
