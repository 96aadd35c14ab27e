"""Reparse points: links, and files whose content is not where a file's content is ([MS-FSCC] section 2.1.2)."""

from __future__ import annotations

import struct
from typing import NamedTuple

SYMBOLIC_LINK, MOUNT_POINT, OVERLAY, DEDUPLICATED = 0xA000000C, 0xA0000003, 0x80000017, 0x80000013
_CLOUD, _CLOUD_MASK = 0x9000001A, 0xFFFF0FFF
_ALGORITHMS = {0: "XPRESS4K", 1: "LZX", 2: "XPRESS8K", 3: "XPRESS16K"}


class Reparse(NamedTuple):
    """What a reparse point says: the target of a link, or why the content is elsewhere."""

    target: str | None
    elsewhere: str


def parse(raw: bytes) -> Reparse:
    """Return what the value of a $REPARSE_POINT attribute says."""
    if len(raw) < 8:
        return Reparse(None, "")
    tag = int.from_bytes(raw[:4], "little")
    if tag in (SYMBOLIC_LINK, MOUNT_POINT):
        return Reparse(_target(raw[8:], 12 if tag == SYMBOLIC_LINK else 8), "")
    if tag == OVERLAY:
        number = int.from_bytes(raw[20:24], "little") if len(raw) >= 24 else -1
        name = _ALGORITHMS.get(number, str(number))
        return Reparse(None, f"its content is compressed by the overlay ({name}) in its stream WofCompressedData")
    if tag == DEDUPLICATED:
        return Reparse(None, "its content is deduplicated into the chunk store of the volume")
    if tag & _CLOUD_MASK == _CLOUD:
        return Reparse(None, "it stands for a file kept in a cloud")
    return Reparse(None, "")


def _target(raw: bytes, header: int) -> str | None:
    if len(raw) < header:
        return None
    substitute, length, shown, shown_length = struct.unpack_from("<HHHH", raw)
    if shown_length:
        substitute, length = shown, shown_length
    text = raw[header + substitute : header + substitute + length].decode("utf-16-le", "replace")
    return text.removeprefix("\\??\\")
