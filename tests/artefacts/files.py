"""Small files of Windows and Android, built field by field."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping, Sequence

EPOCH = 11_644_473_600


def filetime(seconds: int) -> int:
    """Return a moment as FILETIME."""
    return (seconds + EPOCH) * 10_000_000


def discarded(path: str, size: int, at: int) -> bytes:
    """Return a ``$I`` file of version 2."""
    stored = path.encode("utf-16-le") + b"\0\0"
    return struct.pack("<QQQI", 2, size, filetime(at), len(stored) // 2) + stored


def discarded_older(records: Sequence[tuple[str, int, int, bool]]) -> bytes:
    """Return an ``INFO2`` of Windows XP: path, size, moment, and whether the file is still in the bin."""
    parts = [struct.pack("<IIIII", 5, 0, 0, 800, 0)]
    for number, (path, size, at, kept) in enumerate(records):
        narrow = path.encode("cp1252").ljust(260, b"\0")
        narrow = narrow if kept else b"\0" + narrow[1:]
        fields = struct.pack("<IIQI", number, ord(path[0]) - ord("A"), filetime(at), size)
        parts.append(narrow + fields + path.encode("utf-16-le").ljust(520, b"\0"))
    return b"".join(parts)


def shortcut(root: str, rest: str, *, label: str, serial: int, machine: str, droid: uuid.UUID) -> bytes:
    """Return a shortcut to a file on a removable drive, with its tracker block."""
    guid = uuid.UUID("00021401-0000-0000-c000-000000000046").bytes_le
    times = struct.pack("<QQQ", *(filetime(1_600_000_000 + step) for step in range(3)))
    head = struct.pack("<I", 76) + guid + struct.pack("<II", 0x02, 0x20) + times + struct.pack("<IIIH", 99, 0, 1, 0)
    head = head.ljust(76, b"\0")
    volume_label = label.encode() + b"\0"
    volume = struct.pack("<IIII", 16 + len(volume_label), 2, serial, 16) + volume_label
    base, suffix = root.encode() + b"\0", rest.encode() + b"\0"
    at = 28
    info = struct.pack("<IIIIII", 28, 1, at, at + len(volume), 0, at + len(volume) + len(base)) + volume + base + suffix
    info = struct.pack("<I", len(info) + 4) + info
    tracker = struct.pack("<IIII", 96, 0xA0000003, 88, 0) + machine.encode().ljust(16, b"\0")
    tracker += (uuid.UUID(int=1).bytes_le + droid.bytes_le) * 2
    return head + info + tracker + bytes(4)


def _interned(pool: list[str], text: str) -> bytes:
    if text in pool:
        return struct.pack(">H", pool.index(text))
    pool.append(text)
    encoded = text.encode()
    return struct.pack(">HH", 0xFFFF, len(encoded)) + encoded


def binary_xml(
    root: str, attributes: Mapping[str, object], children: Sequence[tuple[str, Mapping[str, object]]]
) -> bytes:
    """Return a document in Android's binary XML: a root with children, their values as text, numbers or truths."""
    pool: list[str] = []

    def start(name: str, values: Mapping[str, object]) -> bytes:
        parts = [b"\x32" + _interned(pool, name)]
        for key, value in values.items():
            if isinstance(value, bool):
                parts.append((b"\xcf" if value else b"\xdf") + _interned(pool, key))
            elif isinstance(value, int):
                parts.append(b"\x6f" + _interned(pool, key) + struct.pack(">i", value))
            else:
                encoded = str(value).encode()
                parts.append(b"\x2f" + _interned(pool, key) + struct.pack(">H", len(encoded)) + encoded)
        return b"".join(parts)

    def end(name: str) -> bytes:
        return b"\x33" + _interned(pool, name)

    body = start(root, attributes)
    for name, values in children:
        body += start(name, values) + end(name)
    return b"ABX\0\x10" + body + end(root) + b"\x11"
