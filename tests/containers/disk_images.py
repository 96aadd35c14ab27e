"""Disk images that no tool at hand writes, made in code: differencing VHD and VHDX, VHDX with a log, COW, SESparse."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from uuid import UUID

from kaval.containers.vhdx.crc32c import crc32c

MIB = 1 << 20
KIB64 = 1 << 16
PARENT_LOCATOR_TYPE = UUID("b04aefb7-d19e-4a81-b789-25b8e9445913")


NO_LOG = UUID(int=0)


def vhd_footer(size: int, kind: int, identifier: bytes, header_offset: int) -> bytes:
    """Return the footer of a VHD image."""
    head = struct.pack(
        ">8sIIQI4sI4sQQ4sII16s", b"conectix", 2, 0x10000, header_offset, 1000, b"kvl ", 1, b"Wi2k", size, size,
        bytes(4), kind, 0, identifier,
    )  # fmt: skip
    total = ~sum(head) & 0xFFFFFFFF
    return (head[:64] + struct.pack(">I", total) + head[68:]).ljust(512, b"\0")


def write_vhd(
    blocks: Mapping[int, tuple[bytes, bytes]],
    size: int,
    *,
    block_size: int,
    identifier: bytes,
    parent: tuple[bytes, str] | None = None,
) -> bytes:
    """Return a dynamic VHD; ``blocks`` gives bitmap and content by number. With a parent it is a differencing one."""
    count = -(-size // block_size)
    footer = vhd_footer(size, 3 if parent is None else 4, identifier, 512)
    parent_identifier, parent_name = parent or (bytes(16), "")
    name = parent_name.encode("utf-16-be").ljust(512, b"\0")
    header = struct.pack(
        ">8sQQIIII16sII512s", b"cxsparse", 2**64 - 1, 2048, 0x10000, count, block_size, 0, parent_identifier, 0, 0, name
    )
    locator = parent_name.encode("utf-16-le")
    header += struct.pack(">4sIIIQ", b"W2ru", 512, len(locator), 0, 1536) if parent else bytes(24)
    file = footer + header.ljust(1024, b"\0") + locator.ljust(512, b"\0")
    table = []
    place = (2048 + -(-4 * count // 512) * 512) // 512
    stored = b""
    for number in range(count):
        if number not in blocks:
            table.append(0xFFFFFFFF)
            continue
        bitmap, content = blocks[number]
        table.append(place + len(stored) // 512)
        stored += bitmap.ljust(-(-len(bitmap) // 512) * 512, b"\0") + content.ljust(block_size, b"\0")
    entries = struct.pack(f">{count}I", *table)
    return file + entries.ljust(-(-len(entries) // 512) * 512, b"\xff") + stored + footer


def _item(identifier: str) -> bytes:
    return UUID(identifier).bytes_le


def _sealed(block: bytes) -> bytes:
    return block[:4] + struct.pack("<I", crc32c(block[:4] + bytes(4) + block[8:])) + block[8:]


def _locator(settings: Mapping[str, str]) -> bytes:
    head = PARENT_LOCATOR_TYPE.bytes_le + struct.pack("<HH", 0, len(settings))
    start = 20 + 12 * len(settings)
    entries, text = b"", b""
    for key, value in settings.items():
        raw_key, raw_value = key.encode("utf-16-le"), value.encode("utf-16-le")
        at = start + len(text)
        entries += struct.pack("<IIHH", at, at + len(raw_key), len(raw_key), len(raw_value))
        text += raw_key + raw_value
    return head + entries + text


def write_vhdx(
    table: Sequence[int],
    content: bytes,
    size: int,
    *,
    written: UUID,
    parent: Mapping[str, str] | None = None,
    log: bytes = b"",
    log_identifier: UUID = NO_LOG,
) -> bytes:
    """Return a VHDX of blocks of 1 MiB: log at 1 MiB, metadata at 2 MiB, table at 3 MiB, ``content`` from 4 MiB on."""
    head = b"head" + struct.pack(
        "<IQ16s16s16sHHIQ", 0, 7, UUID(int=5).bytes_le, written.bytes_le, log_identifier.bytes_le, 0, 1, MIB, MIB
    )
    header = _sealed(head.ljust(4096, b"\0")).ljust(KIB64, b"\0")
    regions = b"regi" + struct.pack("<III", 0, 2, 0)
    regions += _item("2dc27766-f623-4200-9d64-115e9bfd4a08") + struct.pack("<QII", 3 * MIB, MIB, 1)
    regions += _item("8b7ca206-4790-4b9a-b8fe-575f050f886e") + struct.pack("<QII", 2 * MIB, MIB, 1)
    region_table = _sealed(regions.ljust(KIB64, b"\0"))
    items = {
        "caa16737-fa36-4d43-b3b6-33f0aa44e76b": struct.pack("<II", MIB, 0 if parent is None else 2),
        "2fa54224-cd1b-4876-b211-5dbed83bf4b8": struct.pack("<Q", size),
        "beca12ab-b2e6-4523-93ef-c309e000c746": UUID(int=99).bytes_le,
        "8141bf1d-a96f-4709-ba47-f233a8faab5f": struct.pack("<I", 512),
        "cda348c7-445d-4471-9cc9-e9885251c556": struct.pack("<I", 4096),
    }
    if parent is not None:
        items["a8d35f2d-b30b-454d-abf7-d3d84834ab0c"] = _locator(parent)
    metadata = b"metadata" + struct.pack("<HH20x", 0, len(items))
    values = b""
    for identifier, value in items.items():
        metadata += _item(identifier) + struct.pack("<IIII", KIB64 + len(values), len(value), 4, 0)
        values += value
    file = b"vhdxfile".ljust(KIB64, b"\0") + header + header + region_table + region_table
    file = file.ljust(MIB, b"\0") + log.ljust(MIB, b"\0")
    file += (metadata.ljust(KIB64, b"\0") + values).ljust(MIB, b"\0")
    return file + struct.pack(f"<{len(table)}Q", *table).ljust(MIB, b"\0") + content


def log_entry(sectors: Mapping[int, bytes | None], identifier: UUID, sequence: int, tail: int, file_size: int) -> bytes:
    """Return one entry of a VHDX log; ``None`` writes a sector of zeros."""
    descriptors, stored = b"", b""
    for offset, sector in sectors.items():
        if sector is None:
            descriptors += struct.pack("<4sIQQQ", b"zero", 0, 4096, offset, sequence)
            continue
        descriptors += struct.pack("<4s4s8sQQ", b"desc", sector[-4:], sector[:8], offset, sequence)
        stored += (
            b"data" + struct.pack("<I", sequence >> 32) + sector[8:4092] + struct.pack("<I", sequence & 0xFFFFFFFF)
        )
    length = 4096 + len(stored)
    head = b"loge" + struct.pack(
        "<IIIQII16sQQ", 0, length, tail, sequence, len(sectors), 0, identifier.bytes_le, file_size, file_size
    )
    return _sealed((head + descriptors).ljust(4096, b"\0") + stored)


def write_cowd(content: bytes, grain: int = 8) -> bytes:
    """Return a COW extent of ESX; grains of zeros are left out."""
    sectors = len(content) // 512
    count = -(-sectors // (grain * 4096))
    grains = [content[start : start + grain * 512] for start in range(0, len(content), grain * 512)]
    first_table = 4 + -(-count * 4 // 512)
    place = first_table + count * 32
    entries, stored = [0] * (count * 4096), b""
    for number, part in enumerate(grains):
        if any(part):
            entries[number] = place + len(stored) // 512
            stored += part.ljust(grain * 512, b"\0")
    head = struct.pack("<4sIIIIIII", b"COWD", 1, 3, sectors, grain, 4, count, place).ljust(2048, b"\0")
    directory = struct.pack(f"<{count}I", *(first_table + 32 * number for number in range(count)))
    file = head + directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    return file + struct.pack(f"<{len(entries)}I", *entries) + stored


def write_sesparse(content: bytes, grain: int = 8) -> bytes:
    """Return a space-efficient sparse extent; grains of zeros are stored as such, in turn absent or zero."""
    sectors = len(content) // 512
    per_table = 4096
    count = -(-sectors // (grain * per_table))
    directory_at, tables_at = 16, 24
    grains_at = tables_at + count * 64
    entries, stored, used = [0] * (count * per_table), b"", 0
    for number, start in enumerate(range(0, len(content), grain * 512)):
        part = content[start : start + grain * 512]
        if any(part):
            entries[number] = 0x3000000000000000 | (used & 0xFFF) << 48 | used >> 12
            stored += part.ljust(grain * 512, b"\0")
            used += 1
        elif number % 2:
            entries[number] = 0x2000000000000000
    fields = [0xCAFEBABE, 0x0000000200000001, sectors, grain, 64, 0, 0, 0, 0, 0, 8, 1, 9, 1, 10, 1]
    fields += [directory_at, 8, tables_at, count * 64, 0, 0, 0, 0, grains_at, len(stored) // 512]
    head = struct.pack("<26Q", *fields).ljust(directory_at * 512, b"\0")
    directory = struct.pack(f"<{count}Q", *(0x1000000000000000 | number for number in range(count)))
    file = head + directory.ljust(8 * 512, b"\0")
    return file + struct.pack(f"<{len(entries)}Q", *entries) + stored
