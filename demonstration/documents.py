"""Documents and archives: invented words, minimal PDF, OOXML-like packages, ZIP and TAR; their times are fixed."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

_SYLLABLES = ("ta", "lo", "vin", "dra", "mi", "rul", "ben", "osk", "quo", "sil", "dek", "pau", "nir", "esh", "gol")
_MALAYALAM = ("തലൂ", "മിരുൽ", "ബെന്റ", "സിൽഡ", "നിരേഷ്")
_HINDI = ("तालो", "मिरूल", "बेन्टा", "सिल्दे", "निरेश")
_FIXED = (2024, 9, 1, 9, 0, 0)


def words(seed: int, count: int) -> str:
    """Return invented words, some of them in Malayalam and Devanagari letters."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(count):
        if number % 11 == 7:
            found.append(str(chance.choice(_MALAYALAM)))
        elif number % 13 == 9:
            found.append(str(chance.choice(_HINDI)))
        else:
            found.append("".join(str(part) for part in chance.choice(_SYLLABLES, int(chance.integers(2, 4)))))
    lines = [" ".join(found[start : start + 12]) for start in range(0, count, 12)]
    return "\n".join(lines) + "\n"


def text(seed: int, count: int) -> bytes:
    """Return a plain text of so many words."""
    return words(seed, count).encode()


def zip_archive(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP; pictures are stored, everything else is deflated."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            packed = zipfile.ZIP_STORED if name.endswith((".jpg", ".png")) else zipfile.ZIP_DEFLATED
            info = zipfile.ZipInfo(name, _FIXED)
            info.compress_type = packed
            archive.writestr(info, content)
    return target.getvalue()


def tar_archive(members: Mapping[str, bytes]) -> bytes:
    """Return a TAR in GZIP."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_725_181_200
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def word_document(seed: int, pictures: Mapping[str, bytes]) -> bytes:
    """Return a package in the manner of DOCX with pictures in it."""
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in words(seed, 240).splitlines())
    kinds = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="jpg" ContentType="image/jpeg"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    )
    relation = (
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="word/document.xml"/>'
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    members = {
        "[Content_Types].xml": f'{head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{kinds}</Types>',
        "_rels/.rels": f'{head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relation}</Relationships>',
        "word/document.xml": f'{head}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>',
    }
    parts = {name: content.encode() for name, content in members.items()}
    return zip_archive(parts | {f"word/media/{name}": content for name, content in pictures.items()})


def pdf_document(seed: int, picture: bytes | None, size: tuple[int, int]) -> bytes:
    """Return a PDF of one page: invented words, and a JPEG stored as it is."""
    lines = [line.encode("ascii", "ignore") for line in words(seed, 120).splitlines()]
    shown = b" ".join(b"(" + line + b") Tj 0 -14 Td" for line in lines)
    drawing = b"q 400 0 0 300 80 80 cm /P Do Q" if picture else b""
    page = zlib.compress(b"BT /F 10 Tf 72 760 Td " + shown + b" ET " + drawing)
    resource = b"/XObject << /P 6 0 R >>" if picture else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> "
        + resource + b" >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    if picture:
        head = b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB " % size
        more = b"/BitsPerComponent 8 /Filter /DCTDecode /Length %d >>" % len(picture)
        objects.append(head + more + b"\nstream\n" + picture + b"\nendstream")
    return _assemble(objects)


def _assemble(objects: list[bytes]) -> bytes:
    whole = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return whole + trailer % (count, table, count, len(whole))
