"""The text of an ``NSAttributedString`` in Apple's typedstream, as ``attributedBody`` of a message holds it.

There is no public specification; by descriptions of ``NSArchiver``'s output (plaso, imessage-exporter). Read is the
first string alone, which is the text without its attributes.
"""

from __future__ import annotations

MAGIC = b"\x04\x0bstreamtyped"
_CLASS = b"NSString"
_STRING = 0x2B
_SEARCHED = 16


def text_of_typedstream(blob: bytes) -> str | None:
    """Return the text of an archived string, ``None`` where there is none or it is cut."""
    if not blob.startswith(MAGIC):
        return None
    place = blob.find(_CLASS)
    if place < 0:
        return None
    place = blob.find(_STRING, place + len(_CLASS), place + len(_CLASS) + _SEARCHED)
    if place < 0:
        return None
    length, start = _length(blob, place + 1)
    if length is None or start + length > len(blob):
        return None
    return blob[start : start + length].decode("utf-8", "replace")


def _length(blob: bytes, place: int) -> tuple[int | None, int]:
    """Return a stored length and where what follows it begins: one byte, or a mark with two or four (little-endian)."""
    mark = blob[place : place + 1]
    if mark == b"\x81":
        return int.from_bytes(blob[place + 1 : place + 3], "little"), place + 3
    if mark == b"\x82":
        return int.from_bytes(blob[place + 1 : place + 5], "little"), place + 5
    return (mark[0] if mark and mark[0] < 0x80 else None), place + 1
