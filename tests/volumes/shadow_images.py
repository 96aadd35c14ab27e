"""A volume with one shadow copy, built in code by *Volume Shadow Snapshot (VSS) format* (libvshadow)."""

from __future__ import annotations

import struct
from uuid import UUID

IDENTIFIER = UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
STORE_ID = UUID("11111111-2222-3333-4444-555555555555")
COPY_ID = UUID("66666666-7777-8888-9999-aaaaaaaaaaaa")
CREATED = 133_000_000_000_000_000
BLOCK = 0x4000
SIZE = 64 * BLOCK
CATALOGUE, STORE_HEADER, BLOCK_LIST, RANGE_LIST, BITMAP, KEPT, BITMAP_BEFORE = (
    BLOCK * index for index in (8, 9, 10, 11, 12, 13, 14)
)
CHANGED = 20 * BLOCK


def _header(record: int, relative: int, current: int, following: int = 0, length: int = 0) -> bytes:
    return struct.pack("<16sIIQQQQ", IDENTIFIER, 1, record, relative, current, following, length).ljust(128, b"\0")


def _boot_sector() -> bytes:
    sector = bytearray(512)
    sector[:11] = b"\xeb\x52\x90NTFS    "
    struct.pack_into("<HB", sector, 11, 512, 8)
    sector[21] = 0xF8
    struct.pack_into("<IQQQbxxxb", sector, 36, 0x800080, SIZE // 512 - 1, 4, 2, -10, 1)
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def volume() -> bytearray:
    """Return a volume whose block at ``CHANGED`` was overwritten after the copy was made."""
    image = bytearray(b"".join(bytes([index]) * BLOCK for index in range(SIZE // BLOCK)))
    image[CHANGED : CHANGED + BLOCK] = b"N" * BLOCK
    image[KEPT : KEPT + BLOCK] = b"O" * BLOCK
    for start in (CATALOGUE, STORE_HEADER, BLOCK_LIST, RANGE_LIST, BITMAP, BITMAP_BEFORE):
        image[start : start + BLOCK] = bytes(BLOCK)
    image[:512] = image[-512:] = _boot_sector()
    image[0x1E00:0x2000] = struct.pack(
        "<16sIIQQQQQ16s16s", IDENTIFIER, 1, 1, 0x1E00, 0x1E00, 0, CATALOGUE, SIZE, bytes(16), bytes(16)
    ).ljust(0x200, b"\0")
    catalogue = _header(2, 0, CATALOGUE)
    catalogue += struct.pack("<QQ16sQQQ", 2, SIZE, STORE_ID.bytes_le, 1, 0x40, CREATED).ljust(128, b"\0")
    places = (STORE_HEADER, RANGE_LIST, BITMAP, 0, BLOCK, BITMAP_BEFORE, 0)
    catalogue += struct.pack("<QQ16sQQQQQQI", 3, BLOCK_LIST, STORE_ID.bytes_le, *places).ljust(128, b"\0")
    image[CATALOGUE : CATALOGUE + len(catalogue)] = catalogue
    name = "tarn".encode("utf-16-le")
    information = struct.pack("<16s16s16sIIII", bytes(16), COPY_ID.bytes_le, bytes(16), 0xD, 1, 0x420009, 0)
    information += struct.pack("<H", len(name)) + name + struct.pack("<H", len(name)) + name
    head = _header(4, 0, STORE_HEADER, 0, len(information)) + information
    image[STORE_HEADER : STORE_HEADER + len(head)] = head
    blocks = _header(3, 0, BLOCK_LIST) + struct.pack("<QQQII", CHANGED, 0, KEPT, 0, 0)
    image[BLOCK_LIST : BLOCK_LIST + len(blocks)] = blocks
    ranges = _header(5, 0, RANGE_LIST) + struct.pack("<QQQ", KEPT, 0, BLOCK)
    image[RANGE_LIST : RANGE_LIST + len(ranges)] = ranges
    image[BITMAP : BITMAP + 128] = _header(6, 0, BITMAP)
    image[BITMAP_BEFORE : BITMAP_BEFORE + BLOCK] = _header(6, 0, BITMAP_BEFORE).ljust(BLOCK, b"\xff")
    return image
