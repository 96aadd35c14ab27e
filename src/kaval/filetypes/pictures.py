"""Pictures: told by their first bytes, ISO media brands and the order of TIFF tags."""

from __future__ import annotations

from typing import ClassVar

from kaval.filetypes import FILETYPES, FileType
from kaval.filetypes.signatures import Signature, first_fit, kind, types_of

JPEG = kind("image/jpeg", "JPEG picture", "jpg", "jpeg", "jpe", "jfif")
PNG = kind("image/png", "PNG picture", "png")
GIF = kind("image/gif", "GIF picture", "gif")
WEBP = kind("image/webp", "WebP picture", "webp")
BMP = kind("image/bmp", "Windows bitmap", "bmp", "dib")
TIFF = kind("image/tiff", "TIFF picture or camera raw", "tif", "tiff", "dng", "nef", "arw", "pef", "srw", "nrw")
CR2 = kind("image/x-canon-cr2", "Canon raw picture", "cr2")
ORF = kind("image/x-olympus-orf", "Olympus raw picture", "orf")
RW2 = kind("image/x-panasonic-rw2", "Panasonic raw picture", "rw2", "raw")
RAF = kind("image/x-fuji-raf", "Fujifilm raw picture", "raf")
CR3 = kind("image/x-canon-cr3", "Canon raw picture, version 3", "cr3")
HEIC = kind("image/heic", "HEIC picture", "heic", "heif", "heics", "heifs", "hif")
AVIF = kind("image/avif", "AVIF picture", "avif", "avifs")
JXL = kind("image/jxl", "JPEG XL picture", "jxl")
JP2 = kind("image/jp2", "JPEG 2000 picture", "jp2", "j2k", "jpf", "jpx")
ICO = kind("image/vnd.microsoft.icon", "Windows icon", "ico", "cur")
PSD = kind("image/vnd.adobe.photoshop", "Photoshop document", "psd", "psb")
SVG = kind("image/svg+xml", "SVG drawing", "svg")

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"mif2"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def _jpeg(head: bytes, size: int) -> bool:
    return len(head) > 3 and (0xC0 <= head[3] <= 0xFE) and size > 20


def _bmp(head: bytes, size: int) -> bool:
    header = int.from_bytes(head[14:18], "little")
    offset = int.from_bytes(head[10:14], "little")
    return header in (12, 16, 40, 52, 56, 64, 108, 124) and 14 < offset < max(size, 15)


def _tiff(head: bytes, size: int) -> bool:
    return 8 <= int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big") < size


def _icon(head: bytes, size: int) -> bool:
    count = int.from_bytes(head[4:6], "little")
    return 0 < count < 256 and size >= 6 + 16 * count and head[9:10] == b"\0"


SIGNATURES = (
    Signature(b"\xff\xd8\xff", JPEG, 0, _jpeg),
    Signature(b"\x89PNG\r\n\x1a\n", PNG),
    Signature(b"GIF87a", GIF),
    Signature(b"GIF89a", GIF),
    Signature(b"BM", BMP, 0, _bmp),
    Signature(b"CR\x02\x00", CR2, 8, lambda head, size: head[:4] == b"II*\0"),
    Signature(b"II*\0", TIFF, 0, _tiff),
    Signature(b"MM\0*", TIFF, 0, _tiff),
    Signature(b"II+\0", TIFF),
    Signature(b"MM\0+", TIFF),
    Signature(b"IIRO", ORF),
    Signature(b"IIRS", ORF),
    Signature(b"IIU\0", RW2),
    Signature(b"FUJIFILMCCD-RAW", RAF),
    Signature(b"\xff\x0a", JXL, 0, lambda head, size: False),
    Signature(b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    Signature(b"\0\0\0\x0cjP  \r\n\x87\n", JP2),
    Signature(b"\xff\x4f\xff\x51", JP2),
    Signature(b"\0\0\x01\0", ICO, 0, _icon),
    Signature(b"\0\0\x02\0", ICO, 0, _icon),
    Signature(b"8BPS\0\x01", PSD),
    Signature(b"8BPS\0\x02", PSD),
)


@FILETYPES.register
class Pictures:
    """Still pictures."""

    name: ClassVar[str] = "pictures"
    title: ClassVar[str] = "Pictures"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    types: ClassVar[tuple[FileType, ...]] = types_of(SIGNATURES, WEBP, HEIC, AVIF, CR3, SVG)

    def identify(self, head: bytes, size: int) -> FileType | None:
        if head[4:8] == b"ftyp":
            return _by_brand(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return WEBP
        if b"<svg" in head[:1024] and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<svg", b"<?xml")):
            return SVG
        return first_fit(SIGNATURES, head, size)


def _by_brand(head: bytes) -> FileType | None:
    """Return the picture type of an ISO media file by major and compatible brands (ISO/IEC 14496-12, 4.3)."""
    length = min(int.from_bytes(head[:4], "big"), 512, len(head))
    brands = {head[8:12], *(head[place : place + 4] for place in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return AVIF
    if head[8:12] == b"crx ":
        return CR3
    return HEIC if head[8:12] in _HEIC_BRANDS else None
