"""What the streams of a PDF hold, behind their filters (ISO 32000-2, 7.4): pictures and embedded files.

A picture packed by DCTDecode or JPXDecode alone is a JPEG or JPEG 2000 file as it stands, and a plain run of bytes. RGB
pixels of 8 bits packed by FlateDecode are given as a PNG that is made of them, always the same for the same bytes.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import Any, Final, NamedTuple

from kaval.containers.decoders import Codec
from kaval.containers.inflate import CheckpointedSource
from kaval.containers.pdf.scanning import Found
from kaval.containers.pdf.syntax import Name, Reference
from kaval.core.errors import CorruptStructureError, LimitExceededError, UnsupportedError
from kaval.core.sources import ByteSource, BytesSource, SliceSource

MOST_IN_MEMORY = 192 << 20
"""Bytes of a stream that is decoded in memory, pixels above all."""

_PICTURES: Final = {"DCTDecode": "jpg", "DCT": "jpg", "JPXDecode": "jp2"}
_FLATE: Final = ("FlateDecode", "Fl")
_TEXTS: Final = ("ASCII85Decode", "A85", "ASCIIHexDecode", "AHx")
_MOST_FILTERS = 8


class Content(NamedTuple):
    """What a stream is: ``kind`` is ``picture``, ``pixels`` or ``file``; ``filters`` come before the picture's own."""

    kind: str
    filters: tuple[str, ...]
    extension: str
    dictionary: dict[str, Any]


def content_of(dictionary: Any) -> Content | None:
    """Return what a stream with this dictionary holds, ``None`` if it is nothing that is listed."""
    if not isinstance(dictionary, dict):
        return None
    filters = _filters(dictionary.get("Filter"))
    if filters is None:
        return None
    if dictionary.get("Subtype") == "Image":
        if filters and filters[-1] in _PICTURES:
            return Content("picture", filters[:-1], _PICTURES[filters[-1]], dictionary)
        return Content("pixels", filters, "png", dictionary) if _is_plain_rgb(dictionary, filters) else None
    if dictionary.get("Type") == "EmbeddedFile":
        return Content("file", filters, "", dictionary)
    return None


def _filters(value: Any) -> tuple[str, ...] | None:
    """Return the names of the filters in the order of decoding, ``None`` where they stand elsewhere."""
    if value is None:
        return ()
    if isinstance(value, Name):
        return (str(value),)
    if isinstance(value, list) and len(value) <= _MOST_FILTERS and all(isinstance(name, Name) for name in value):
        return tuple(map(str, value))
    return None


def _is_plain_rgb(dictionary: dict[str, Any], filters: tuple[str, ...]) -> bool:
    width, height = dictionary.get("Width"), dictionary.get("Height")
    return (
        len(filters) == 1
        and filters[0] in _FLATE
        and dictionary.get("BitsPerComponent") == 8
        and isinstance(width, int)
        and isinstance(height, int)
        and 0 < width <= 30_000
        and 0 < height <= 30_000
        and width * height * 3 <= MOST_IN_MEMORY // 4
        and not dictionary.get("ImageMask")
        and _predictor(dictionary) in (1, *range(10, 16))
        and _may_be_rgb(dictionary.get("ColorSpace"))
    )


def _may_be_rgb(space: Any) -> bool:
    if isinstance(space, list) and space:
        return space[0] in ("ICCBased", "CalRGB")
    return isinstance(space, Reference) or space in ("DeviceRGB", "CalRGB", "RGB")


def _predictor(dictionary: dict[str, Any]) -> int:
    parameters = dictionary.get("DecodeParms")
    if isinstance(parameters, list):
        parameters = parameters[0] if parameters else None
    value = parameters.get("Predictor", 1) if isinstance(parameters, dict) else 1 if parameters is None else 0
    return value if isinstance(value, int) else 0


def open_content(source: ByteSource, found: Found, content: Content, title: str) -> ByteSource:
    """Return the bytes of a stream behind its filters; of a flate stream what can be decoded.

    Raises:
        UnsupportedError: A filter is not read here.
        LimitExceededError: What has to be decoded in memory is too long.
    """
    stream: ByteSource = SliceSource(source, found.data_offset, found.data_size)
    for name in content.filters:
        if name in _FLATE:
            if content.kind != "pixels" and _predictor(content.dictionary) != 1:
                raise UnsupportedError(title, "its bytes are predicted from one another; save it with a PDF reader")
            stream = _inflated(stream, title)
        elif name in _TEXTS:
            stream = BytesSource(_from_text(_whole(stream, title), name, title))
        else:
            raise UnsupportedError(title, f"it is packed by {name[:40]}; save it with a PDF reader")
    if content.kind == "pixels":
        return BytesSource(as_png(_whole(stream, title), content.dictionary, title))
    return stream


def _inflated(stream: ByteSource, title: str) -> ByteSource:
    inflated = CheckpointedSource(stream, Codec.ZLIB, title=title)
    measured = inflated.measure()
    if measured.error is not None and not measured.size:
        raise measured.error
    return inflated


def _whole(stream: ByteSource, title: str) -> bytes:
    if stream.size > MOST_IN_MEMORY:
        raise LimitExceededError("memory", MOST_IN_MEMORY, f"{title} has {stream.size} bytes")
    return stream.read_at(0, stream.size)


def _from_text(text: bytes, name: str, title: str) -> bytes:
    try:
        if name in ("ASCIIHexDecode", "AHx"):
            digits = re.sub(rb"[^0-9A-Fa-f]", b"", text.split(b">", 1)[0])
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        return base64.a85decode(text.split(b"~", 1)[0], ignorechars=b" \t\n\r\v\f\0")
    except ValueError as error:
        raise CorruptStructureError(title, str(error)) from error


def as_png(pixels: bytes, dictionary: dict[str, Any], title: str) -> bytes:
    """Return a PNG of RGB pixels, its rows stored and not packed, so that every program makes the same of it."""
    width, height = dictionary["Width"], dictionary["Height"]
    row = 3 * width
    if _predictor(dictionary) == 1:
        if len(pixels) < row * height:
            raise UnsupportedError(title, "its pixels are not RGB, or not all there; look at it with a PDF reader")
        pixels = b"".join(b"\0" + pixels[place : place + row] for place in range(0, row * height, row))
    elif len(pixels) < (row + 1) * height:
        raise UnsupportedError(title, "its pixels are not RGB, or not all there; look at it with a PDF reader")
    pixels = pixels[: (row + 1) * height]
    head = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", _stored(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body)) for name, body in parts
    )


def _stored(content: bytes) -> bytes:
    """Return a zlib stream of blocks that are stored (RFC 1950, RFC 1951 3.2.4)."""
    parts = [b"\x78\x01"]
    for place in range(0, len(content), 0xFFFF):
        block = content[place : place + 0xFFFF]
        is_last = place + 0xFFFF >= len(content)
        parts.append(struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block)
    return b"".join(parts) + struct.pack(">L", zlib.adler32(content))
