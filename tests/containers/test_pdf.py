"""PDF documents; pypdf and Pillow write some of them."""

from __future__ import annotations

import base64
import io
import random
import time
import zlib
from typing import Any

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kaval.containers import CONTAINERS
from kaval.containers.pdf import scanning
from kaval.containers.pdf import tree as pdf_tree
from kaval.containers.pdf.syntax import Name, Reference, date_of, parse, text_of
from kaval.core.contracts import Opened, Tree
from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, LockedError, UnsupportedError
from kaval.core.records import ContentState, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import check_mutated, check_tree, entries_of, no_siblings, notices_of, read_all

WORDS = b"gromble fint sel quorn ope " * 300
NOISE = random.Random(1).randbytes(3000)


def _open(content: bytes) -> Opened:
    return CONTAINERS.get("pdf").open(BytesSource(content), "a.pdf", no_siblings)


def _tree(content: bytes) -> Tree:
    tree = _open(content).tree
    assert tree is not None
    return tree


def _jpeg(seed: int = 1) -> bytes:
    held = io.BytesIO()
    Image.frombytes("RGB", (40, 30), random.Random(seed).randbytes(3600)).save(held, "JPEG")
    return held.getvalue()


def _document(*bodies: bytes, trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, numbered from 1."""
    content = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    ending = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(places) + 1,
        trailer,
        len(content),
    )
    return content + table + ending


def _stream(dictionary: bytes, data: bytes, length: bytes | None = None) -> bytes:
    stored = b"%d" % len(data) if length is None else length
    return b"<< %s /Length %s >>\nstream\n%s\nendstream" % (dictionary, stored, data)


CATALOGUE = b"<< /Type /Catalog >>"
IMAGE = b"/Type /XObject /Subtype /Image /Width 40 /Height 30 /ColorSpace /DeviceRGB /BitsPerComponent 8"


def test_a_picture_stored_as_jpeg_is_a_plain_run_of_bytes() -> None:
    jpeg = _jpeg()
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", jpeg))
    assert CONTAINERS.get("pdf").probe(BytesSource(content), "")

    (entry,) = check_tree(CONTAINERS.get("pdf").open, content, "a.pdf")

    assert entry.extents is not None
    (extent,) = entry.extents
    assert content[extent.offset : extent.offset + extent.length] == jpeg
    assert (entry.path, entry.size, entry.content) == ("object-2-0.jpg", len(jpeg), ContentState.INTACT)
    assert content[int(entry.address) :].startswith(b"2 0 obj")
    assert _open(content).facts == {"version": "1.7"}


def test_what_pillow_writes_is_listed() -> None:
    held = io.BytesIO()
    pages = [Image.frombytes("RGB", (40, 30), random.Random(seed).randbytes(3600)) for seed in range(3)]
    pages[0].save(held, "PDF", save_all=True, append_images=pages[1:])
    tree = _tree(held.getvalue())

    found = entries_of(tree)

    assert len(found) == 3
    for entry in found:
        assert Image.open(io.BytesIO(read_all(tree, entry, BytesSource(held.getvalue())))).size == (40, 30)


@pytest.mark.parametrize(
    ("length", "after"),
    [(b"3 0 R", b""), (b"1", b""), (b"999999", b""), (b"-5", b""), (b"99999999999999999999", b"")],
)
def test_a_length_that_is_wrong_or_elsewhere_does_not_matter(length: bytes, after: bytes) -> None:
    jpeg = _jpeg()
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", jpeg, length) + after, b"%d" % len(jpeg))
    tree = _tree(content)
    (entry,) = entries_of(tree)

    assert read_all(tree, entry) == jpeg


@pytest.mark.parametrize(
    ("filters", "pack"),
    [
        (b"[/DCTDecode]", bytes),
        (b"[ /FlateDecode /DCTDecode ]", zlib.compress),
        (b"[/ASCII85Decode /DCTDecode]", lambda jpeg: base64.a85encode(jpeg, wrapcol=60) + b"~>"),
        (b"[/ASCIIHexDecode/DCTDecode]", lambda jpeg: jpeg.hex().encode() + b">"),
        (b"[/A85 /Fl /DCT]", lambda jpeg: base64.a85encode(zlib.compress(jpeg)) + b"~>"),
        (b"/DCT#44ecode", bytes),
    ],
)
def test_filters_in_front_of_a_picture_are_taken_off(filters: bytes, pack: Any) -> None:
    jpeg = _jpeg()
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter " + filters, pack(jpeg)))

    (entry,) = check_tree(CONTAINERS.get("pdf").open, content, "a.pdf")

    assert read_all(_tree(content), entry) == jpeg


def test_a_filter_not_read_here_is_named() -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter [/LZWDecode /DCTDecode]", b"xyz"))
    tree = _tree(content)
    (entry,) = entries_of(tree)
    (notice,) = notices_of(tree)

    assert entry.content is ContentState.GONE
    assert (notice.code, "LZWDecode" in notice.message) == (NoticeCode.UNSUPPORTED, True)
    with pytest.raises(UnsupportedError):
        tree.open_stream(entry.address)


PIXELS = random.Random(3).randbytes(40 * 30 * 3)
ROWS = b"".join(b"\1" + PIXELS[place : place + 120] for place in range(0, 3600, 120))


@pytest.mark.parametrize(
    ("extra", "data"), [(b"", PIXELS), (b"/DecodeParms << /Predictor 15 /Colors 3 /Columns 40 >>", ROWS)]
)
def test_rgb_pixels_are_given_as_a_png_made_of_them(extra: bytes, data: bytes) -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /FlateDecode " + extra, zlib.compress(data)))

    (entry,) = check_tree(CONTAINERS.get("pdf").open, content, "a.pdf")

    tree = _tree(content)
    picture = Image.open(io.BytesIO(read_all(tree, entry)))
    assert (entry.path, entry.content, entry.assumed_size) == ("object-2-0.png", ContentState.ASSUMED, entry.size)
    assert (picture.mode, picture.size) == ("RGB", (40, 30))
    if not extra:
        assert picture.tobytes() == PIXELS
    else:
        assert picture.tobytes()[:6] == PIXELS[:3] + bytes(
            (a + b) & 255 for a, b in zip(PIXELS[:3], PIXELS[3:6], strict=True)
        )
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.ASSUMED]


@pytest.mark.parametrize(
    "dictionary",
    [
        IMAGE.replace(b"/DeviceRGB", b"/DeviceGray"),
        IMAGE.replace(b"/DeviceRGB", b"[/Indexed /DeviceRGB 1 <000000ffffff>]"),
        IMAGE.replace(b"Component 8", b"Component 1"),
        IMAGE.replace(b"/Width 40", b"/Width 99999999"),
        IMAGE.replace(b"/Width 40", b"/Width (x)"),
        IMAGE + b" /DecodeParms << /Predictor 2 >>",
        IMAGE + b" /ImageMask true",
    ],
)
def test_other_pixels_are_not_listed(dictionary: bytes) -> None:
    content = _document(CATALOGUE, _stream(dictionary + b" /Filter /FlateDecode", zlib.compress(PIXELS)))
    assert list(_tree(content).entries()) == []


def test_pixels_that_are_not_all_there_are_told() -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /FlateDecode", zlib.compress(PIXELS[:500])))
    assert [notice.code for notice in notices_of(_tree(content))] == [NoticeCode.UNSUPPORTED]


# Embedded files


def test_files_that_pypdf_attaches_are_listed_by_name() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("fint.txt", WORDS)
    writer.add_attachment("ചിത്രം.jpg", NOISE)
    held = io.BytesIO()
    writer.write(held)

    found = check_tree(CONTAINERS.get("pdf").open, held.getvalue(), "a.pdf")

    tree = _tree(held.getvalue())
    assert {entry.path: read_all(tree, entry) for entry in found} == {"fint.txt": WORDS, "ചിത്രം.jpg": NOISE}


def _attached(name: bytes, extra: bytes = b"") -> bytes:
    file = _stream(b"/Type /EmbeddedFile /Filter /FlateDecode " + extra, zlib.compress(WORDS))
    return _document(CATALOGUE, file, b"<< /Type /Filespec /F (old) /UF %s /EF << /F 2 0 R >> >>" % name)


@pytest.mark.parametrize(
    ("stored", "path", "raw"),
    [
        (b"(fint.txt)", "fint.txt", None),
        (b"(a\\(b\\)\\101\\\nc)", "a(b)Ac", None),
        (b"<FEFF0D1A>", "ച", None),
        (b"(\xef\xbb\xbf\xe0\xb4\x9a)", "ച", None),
        (b"(..\\\\..\\\\up)", "../../up", b"..\\..\\up"),
        (b"(/etc/passwd)", "etc/passwd", b"/etc/passwd"),
    ],
)
def test_names_of_files_are_facts_and_not_instructions(stored: bytes, path: str, raw: bytes | None) -> None:
    (entry,) = entries_of(_tree(_attached(stored)))
    assert (entry.path, entry.path_raw) == (path, raw)


def test_times_of_a_file_keep_their_zone() -> None:
    dates = b"/Params << /Size 5 /ModDate (D:20210517134558+05'30') /CreationDate (D:20210517134557+05'30') >>"
    times = entries_of(_tree(_attached(b"(a)", dates)))[0].times

    assert times.modified == 1_621_259_158 * 1_000_000_000
    assert times.created == times.modified - 1_000_000_000
    assert (times.zone, times.resolution) == ("+05:30", "m=1s b=1s")
    assert date_of(b"D:20210517134558Z") == (1_621_259_158 * 1_000_000_000, "utc")
    assert date_of(b"D:2021") == (1_609_459_200 * 1_000_000_000, "unknown")
    assert date_of(b"D:20219917") is None
    assert date_of(b"yesterday") is None
    assert date_of(5) is None


def test_names_packed_in_object_streams_are_found() -> None:
    inner = b"<< /Type /Filespec /UF (fint.txt) /EF << /F 2 0 R >> >>"
    head = b"7 0 8 5 "
    packed = zlib.compress(head + b"null " + inner)
    holder = _stream(b"/Type /ObjStm /N 2 /First %d /Filter /FlateDecode" % len(head), packed)
    file = _stream(b"/Type /EmbeddedFile", WORDS)

    (entry,) = entries_of(_tree(_document(CATALOGUE, file, holder)))

    assert (entry.path, entry.size) == ("fint.txt", len(WORDS))


def test_a_picture_that_a_later_revision_replaced_is_still_found() -> None:
    first = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg(1)))
    second = first + b"2 0 obj\n" + _stream(IMAGE + b" /Filter /DCTDecode", _jpeg(2)) + b"\nendobj\n%%EOF\n"
    tree = _tree(second)

    found = entries_of(tree)

    assert [read_all(tree, entry) for entry in found] == [_jpeg(1), _jpeg(2)]
    assert found[0].path == found[1].path
    assert found[0].address != found[1].address


# Encrypted documents


def _encrypted(passphrase: str, algorithm: str = "AES-256") -> bytes:
    held = io.BytesIO()
    Image.frombytes("RGB", (40, 30), PIXELS).save(held, "PDF")
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(held.getvalue()))
    writer.add_attachment("fint.txt", WORDS)
    writer.encrypt(passphrase, "nonsense", algorithm=algorithm)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_document_that_the_empty_passphrase_opens_is_read(algorithm: str) -> None:
    content = _encrypted("", algorithm)
    opened = _open(content)
    found = entries_of(opened.tree)

    assert opened.facts["encrypted"] == "yes, opened by the empty passphrase"
    assert Image.open(io.BytesIO(read_all(opened.tree, found[0]))).size == (40, 30)
    assert read_all(opened.tree, found[1]) == WORDS
    assert notices_of(opened.tree) == []


def test_nothing_of_a_damaged_encrypted_document_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    content = _encrypted("").replace(b"startxref\n", b"startxref\n9")
    entries_of(_tree(content))

    assert caplog.records == []


def test_a_document_that_needs_a_passphrase_is_told_as_locked() -> None:
    opened = _open(_encrypted("passphrase"))
    assert opened.tree is not None
    found = entries_of(opened.tree)

    assert {entry.content for entry in found} == {ContentState.ENCRYPTED}
    assert {entry.extents for entry in found} == {None}
    assert [notice.code for notice in notices_of(opened.tree)] == [NoticeCode.LOCKED]
    with pytest.raises(LockedError):
        opened.tree.open_stream(found[0].address)


# Damage and hostility


def test_a_document_without_its_table_gives_its_pictures_all_the_same() -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg()))
    cut = content[: content.index(b"xref")]

    assert len(entries_of(_tree(cut))) == 1


def test_a_stream_that_is_cut_reaches_to_the_end_of_the_file() -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg()))
    cut = content[: content.index(_jpeg()) + 100]
    tree = _tree(cut)
    (entry,) = entries_of(tree)

    assert read_all(tree, entry) == _jpeg()[:100]


def test_of_a_damaged_flate_stream_what_can_be_decoded_is_read() -> None:
    packed = bytearray(zlib.compress(NOISE * 20))
    packed[-4:] = b"\0\0\0\0"
    content = _document(CATALOGUE, _stream(b"/Type /EmbeddedFile /Filter /FlateDecode", bytes(packed)))
    tree = _tree(content)
    (entry,) = entries_of(tree)

    assert entry.content is ContentState.PARTIAL
    assert read_all(tree, entry) == (NOISE * 20)[: entry.size]
    assert entry.size >= len(NOISE) * 20 - 1
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DAMAGED]


def test_tables_that_lead_in_circles_end() -> None:
    content = _document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg()))
    circle = _document(
        CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg()), trailer=b"/Prev %d" % content.index(b"xref\n0")
    )
    assert len(entries_of(_tree(circle))) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n" + b"1 0 obj " * 300_000,
        b"%PDF-1.7\n" + b"1 0 obj<</Subtype/Image/Filter/DCTDecode>>stream\n" * 40_000,
        b"%PDF-1.7\n" + b"1 0 obj" + b"<<" * 500_000 + b"/Image endobj",
        b"%PDF-1.7\n" + b"1 0 obj" + b"%" * 500_000 + b"/Image>>stream",
        b"%PDF-1.7\n" + b"1 0 obj<</Image(" + b"(" * 500_000 + b">>stream",
        b"%PDF-1.7\n" + (b"1 0 obj<</Subtype/Image" + b"[" * 3000 + b">>stream endstream endobj ") * 300,
        b"%PDF-1.7\n" + b">> stream" * 200_000,
    ],
    ids=["objects", "streams", "brackets", "comments", "strings", "nested", "ends"],
)
def test_what_was_made_to_take_for_ever_does_not(content: bytes) -> None:
    started = time.process_time()
    for _ in _tree(content).entries():
        pass
    assert time.process_time() - started < 20


def test_a_bomb_is_stopped_at_the_ratio() -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    content = _document(CATALOGUE, _stream(b"/Type /EmbeddedFile /Filter /FlateDecode", packed))
    (entry,) = entries_of(_tree(content))

    assert entry.content is ContentState.PARTIAL
    assert entry.size < 70 << 20


def test_count_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _document(CATALOGUE, *(_stream(IMAGE + b" /Filter /DCTDecode", _jpeg()) for _ in range(5)))
    monkeypatch.setattr(pdf_tree, "MAXIMUM_ENTRIES", 2)

    assert len(entries_of(_tree(content))) == 2
    assert [notice.code for notice in notices_of(_tree(content))] == [NoticeCode.COUNT_LIMIT]


def test_an_address_that_is_none_is_refused() -> None:
    tree = _tree(_document(CATALOGUE, _stream(IMAGE + b" /Filter /DCTDecode", _jpeg())))
    for address in ("", "0", "-1", "x", "15", "9" * 20, "٣"):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_other_bytes_are_not_claimed() -> None:
    probe = CONTAINERS.get("pdf").probe
    assert not probe(BytesSource(b""), "a.pdf")
    assert not probe(BytesSource(b"x%PDF-1.7"), "a.img")
    assert probe(BytesSource(b"x%PDF-1.7"), "a.pdf")


# Syntax


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"<< /A 1 /B [1 0 R (x)] /C << /D true >> >>", {"A": 1, "B": [Reference(1, 0), b"x"], "C": {"D": True}}),
        (b"% comment\r\n/N#61me", Name("Name")),
        (b"(a(b)c\\\\\\n\\12)", b"a(b)c\\\n\n"),
        (b"<4 1 4>", b"A@"),
        (b"-1.5", -1.5),
        (b"+7", 7),
        (b"12 0 R", Reference(12, 0)),
        (b"12 0 obj", 12),
        (b"null", None),
        (b"<< /A null /B >>", {"A": None}),
        (b"[1 2 3 0 R]", [1, 2, Reference(3, 0)]),
    ],
)
def test_objects_are_parsed(text: bytes, value: object) -> None:
    assert parse(text)[0] == value


@pytest.mark.parametrize("text", [b"", b"<<", b"[>>", b"(", b"<4", b">>", b"[" * 100, b"[" + b"1 " * 60_000])
def test_what_is_no_object_is_corrupt(text: bytes) -> None:
    with pytest.raises(CorruptStructureError):
        parse(text)


def test_text_strings_are_decoded_by_their_mark() -> None:
    assert text_of(b"\xfe\xff\0a") == "a"
    assert text_of(b"h\xfctte") == "hütte"
    assert text_of(5) == ""


def test_objects_across_the_blocks_of_reading_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _document(CATALOGUE, *(_stream(IMAGE + b" /Filter /DCTDecode", _jpeg(seed)) for seed in range(9)))
    whole = [found.offset for found in scanning.objects(BytesSource(content))]
    for size in (300, 301, 400, 999):
        monkeypatch.setattr(scanning, "_BLOCK", size)
        assert [found.offset for found in scanning.objects(BytesSource(content))] == whole


@settings(max_examples=150, deadline=None)
@given(
    which=st.integers(0, 4),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_mutated_documents_end_in_records_notices_or_our_errors(
    which: int, changes: list[tuple[float, bytes]], kept: float
) -> None:
    content = bytearray(_MUTATED[which])
    for place, value in changes:
        at = int(place * (len(content) - 1))
        content[at : at + len(value)] = value
    check_mutated(CONTAINERS.get("pdf").open, bytes(content[: int(kept * len(content))]), "a.pdf")


_MUTATED = (
    _document(
        CATALOGUE, _stream(IMAGE + b" /Filter [/A85 /Fl /DCT]", base64.a85encode(zlib.compress(_jpeg())) + b"~>")
    ),
    _document(CATALOGUE, _stream(IMAGE + b" /Filter /FlateDecode", zlib.compress(PIXELS))),
    _attached(b"(fint.txt)", b"/Params << /ModDate (D:20210517134558+05'30') >>"),
    _encrypted("", "RC4-128"),
    _encrypted("", "AES-256"),
)


def test_the_mutated_documents_are_sound_before() -> None:
    for content in _MUTATED:
        assert entries_of(_tree(content))
    with pytest.raises(KavalError):
        _tree(_MUTATED[0]).open_stream("1")
