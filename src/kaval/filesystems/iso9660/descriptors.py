"""The volume descriptors: which hierarchies there are, where their roots lie (ECMA-119 section 8)."""

from __future__ import annotations

from dataclasses import dataclass

from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

STRUCTURE = "ISO 9660 volume descriptor"
SECTOR_SIZE = 2048
FIRST_SECTOR = 16
MAXIMUM_DESCRIPTORS = 64
_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255
_JOLIET = (b"%/@", b"%/C", b"%/E")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hierarchy:
    """One directory tree: ``root`` is the directory record in its descriptor, at byte ``offset``."""

    offset: int
    root: bytes
    joliet: bool
    primary: bool
    block_size: int
    label: str


def read_descriptors(source: ByteSource) -> tuple[list[Hierarchy], dict[str, str], list[Notice]]:
    """Return the hierarchies in the order of their descriptors, facts for the record, and what is wrong.

    Raises:
        CorruptStructureError: No descriptor names a root directory.
    """
    found: list[Hierarchy] = []
    notices: list[Notice] = []
    facts = {"type": "ISO 9660"}
    for sector in range(FIRST_SECTOR, FIRST_SECTOR + MAXIMUM_DESCRIPTORS):
        block = source.read_at(sector * SECTOR_SIZE, SECTOR_SIZE)
        if block[1:6] != b"CD001" or len(block) < SECTOR_SIZE:
            continue
        if block[0] == _TERMINATOR:
            break
        if block[0] in (_PRIMARY, _SUPPLEMENTARY):
            found.append(_hierarchy(block, sector * SECTOR_SIZE, notices))
    if not found:
        raise CorruptStructureError(STRUCTURE, "none names a root directory", FIRST_SECTOR * SECTOR_SIZE)
    facts["hierarchies"] = str(len(found))
    facts["label"] = found[0].label
    return found, facts, notices


def _hierarchy(block: bytes, offset: int, notices: list[Notice]) -> Hierarchy:
    joliet = block[0] == _SUPPLEMENTARY and block[88:91] in _JOLIET
    size = int.from_bytes(block[128:130], "little")
    if size not in (512, 1024, 2048, 4096) or size != int.from_bytes(block[130:132], "big"):
        message = f"a logical block of {size} bytes; {SECTOR_SIZE} are taken instead"
        notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=offset + 128, structure=STRUCTURE))
        size = SECTOR_SIZE
    raw = block[40:72]
    label = raw.decode("utf-16-be", "replace") if joliet else raw.decode("ascii", "replace")
    return Hierarchy(
        offset=offset + 156,
        root=block[156:190],
        joliet=joliet,
        primary=block[0] == _PRIMARY,
        block_size=size,
        label=label.rstrip(" \0"),
    )
