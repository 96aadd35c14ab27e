"""Texts of documents: the words, from every kind of document that is read."""

from __future__ import annotations

import io
import zipfile

import pytest

from kaval.artefacts.texts import MOST_CHARACTERS, TEXTS, Text
from kaval.core.errors import CorruptStructureError, LimitExceededError
from tests.artefacts.reading import item_of

WORDS = "mirul benta ശബ്ദം शब्द quor"


def _read(name: str, content: bytes) -> Text:
    return TEXTS.get(name).read(item_of(content, "document"))


def _office(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_plain_text_is_read_in_its_encoding(encoding: str) -> None:
    assert _read("plain", WORDS.encode(encoding)) == Text(text=WORDS, complete=True)


def test_text_in_no_encoding_of_unicode_is_taken_for_windows_1252() -> None:
    assert _read("plain", "Wörter".encode("cp1252")).text == "Wörter"


def test_a_long_text_is_cut_and_said_to_go_on() -> None:
    text = _read("plain", ("ശ" * (2 * MOST_CHARACTERS)).encode())

    assert (len(text.text), text.complete) == (MOST_CHARACTERS, False)
    assert set(text.text) == {"ശ"}


def test_a_page_gives_what_a_reader_sees() -> None:
    markup = f"<html><script>var a='unseen';</script><style>p{{}}</style><p>{WORDS}</p><p>a &amp; b<!-- no --></p>"

    assert _read("html", markup.encode()).text == f"{WORDS}\na & b"


def test_a_document_gives_paragraphs_and_cells() -> None:
    word = f'<w:document xmlns:w="w"><w:p><w:r><w:t>{WORDS}</w:t></w:r></w:p><w:p><w:t>osk</w:t></w:p></w:document>'
    sheet = '<sst xmlns="s"><si><t>lopel</t></si><si><t>vindra</t></si></sst>'
    odt = f'<o:d xmlns:o="o" xmlns:t="t"><t:p>{WORDS}</t:p><t:p>osk <t:span>lopel</t:span></t:p></o:d>'

    assert _read("office", _office({"word/document.xml": word, "word/x.bin": "no"})).text == f"{WORDS}\nosk"
    assert _read("office", _office({"xl/sharedStrings.xml": sheet})).text == "lopel\nvindra"
    assert _read("office", _office({"content.xml": odt})).text == f"{WORDS}\nosk lopel"


def test_a_document_that_is_no_archive_is_told_as_damaged() -> None:
    with pytest.raises(CorruptStructureError, match="office document"):
        _read("office", b"PK\x03\x04" + bytes(100))
    with pytest.raises(CorruptStructureError, match="is no XML"):
        _read("office", _office({"content.xml": "<a><b></a>"}))


def test_a_document_that_unpacks_without_end_is_cut() -> None:
    text = _read("office", _office({"content.xml": "<a><t>" + "mirul " * 200_000 + "</t></a>"}))

    assert (len(text.text), text.complete) == (MOST_CHARACTERS, False)


def test_rich_text_gives_its_letters() -> None:
    markup = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}\f0 W\'f6rter\par \u3384?\u3372?"
        rb" mirul\line \{x\}{\pict 010203}}"
    )

    assert _read("rtf", markup).text == "Wörter\nസബ mirul\n{x}".replace("സബ", chr(3384) + chr(3372))


def _pdf(text: str) -> bytes:
    content = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def test_a_pdf_gives_the_text_of_its_pages() -> None:
    assert _read("pdf", _pdf("mirul benta")).text.strip() == "mirul benta"


def test_a_pdf_that_contradicts_itself_ends_in_our_own_error() -> None:
    whole = _pdf("mirul benta")
    told = 0
    for place in range(20, len(whole), 7):
        try:
            _read("pdf", whole[:place] + b"\xff" + whole[place + 1 :])
        except (CorruptStructureError, LimitExceededError):
            told += 1

    assert told >= 1
    with pytest.raises(CorruptStructureError):
        _read("pdf", b"%PDF-1.4\nnothing")
