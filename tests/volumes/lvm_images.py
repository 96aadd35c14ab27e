"""A physical volume of LVM2 built in code around the text of its volume group."""

from __future__ import annotations

import struct
from itertools import pairwise

from kaval.volumes.lvm2.metadata import checksum

OWN, OTHER = "a" * 32, "b" * 32
AREA_OFFSET, AREA_SIZE = 4096, 64 << 10
DATA_OFFSET, EXTENT = 1 << 20, 64 << 10
EXTENTS = 32
SIZE = DATA_OFFSET + EXTENTS * EXTENT


def dashed(identifier: str) -> str:
    """Return an identifier as the text writes it."""
    cuts = (0, 6, 10, 14, 18, 22, 26, 32)
    return "-".join(identifier[start:end] for start, end in pairwise(cuts))


def segment(number: int, start: int, count: int, stripes: list[tuple[str, int]], kind: str = "striped") -> str:
    """Return one segment; a stripe is 4 KiB."""
    pairs = ", ".join(f'"{holder}", {extent}' for holder, extent in stripes)
    size = "stripe_size = 8\n" if len(stripes) > 1 else ""
    return f"""segment{number} {{
start_extent = {start}
extent_count = {count}
type = "{kind}"
stripe_count = {len(stripes)}
{size}stripes = [ {pairs} ]
}}
"""


def logical(name: str, segments: list[str], status: str = '"READ", "WRITE", "VISIBLE"') -> str:
    """Return one logical volume."""
    body = "".join(segments)
    return f'{name} {{\nid = "lv-{name}"\nstatus = [{status}]\nflags = []\nsegment_count = {len(segments)}\n{body}}}\n'


def text(volumes: list[str], sequence: int = 2) -> str:
    """Return the description of the group, with a comment, an escape and a number that is no count."""
    physical = "".join(
        f'{name} {{\nid = "{dashed(identifier)}"\nstatus = ["ALLOCATABLE"]\n'
        f"pe_start = {DATA_OFFSET // 512}\npe_count = {EXTENTS}\n}}\n"
        for name, identifier in (("pv0", OWN), ("pv1", OTHER))
    )
    return f"""tarn {{
id = "group"
seqno = {sequence}
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
max_lv = 0
max_pv = 0
extent_size = {EXTENT // 512} # sectors
physical_volumes {{
{physical}}}
logical_volumes {{
{"".join(volumes)}}}
}}
contents = "Text \\"Format\\" Volume Group"
version = 1
"""


def area(content: str, start: int = 512, size: int = AREA_SIZE, offset: int = AREA_OFFSET) -> bytes:
    """Return a metadata area whose text starts at ``start`` and runs around its end."""
    stored = content.encode() + b"\0"
    header = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQ", 1, offset, size)
    header += struct.pack("<QQII", start, len(stored), checksum(stored), 0)
    header = header.ljust(508, b"\0")
    block = bytearray(size)
    block[:512] = struct.pack("<I", checksum(header)) + header
    before_end = min(len(stored), size - start)
    block[start : start + before_end] = stored[:before_end]
    block[512 : 512 + len(stored) - before_end] = stored[before_end:]
    return bytes(block)


def volume(areas: list[tuple[int, bytes]], sector: int = 1) -> bytearray:
    """Return a physical volume; every extent is filled with its number."""
    image = bytearray(DATA_OFFSET) + b"".join(bytes([number]) * EXTENT for number in range(EXTENTS))
    label = struct.pack("<I8s", 32, b"LVM2 001") + OWN.encode() + struct.pack("<Q", SIZE)
    label += struct.pack("<QQQQ", DATA_OFFSET, 0, 0, 0)
    for offset, content in areas:
        label += struct.pack("<QQ", offset, len(content))
        image[offset : offset + len(content)] = content
    label = label.ljust(512 - 20, b"\0")
    image[sector * 512 : sector * 512 + 512] = struct.pack("<8sQI", b"LABELONE", sector, checksum(label)) + label
    return image
