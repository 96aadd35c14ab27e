"""The headers of LUKS volumes, both versions told in the terms of the second.

Known: *LUKS1 On-Disk Format Specification* 1.2.3 and *LUKS2 On-Disk Format Specification* 1.1.2. Of LUKS2 the sound
copy with the higher sequence number is read. Numbers are checked by those who use them.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Annotated

import msgspec

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes.luks import MAGIC
from kaval.volumes.ranges import read_or_none

BACKUP_MAGIC = b"SKUL\xba\xbe"
BACKUP_OFFSETS = tuple(0x4000 << step for step in range(9))
_BINARY_SIZE = 4096
_MAXIMUM_HEADER = 4 << 20
_LUKS1 = struct.Struct(">6sH32s32s32sII20s32sI40s")
_LUKS1_SLOT = struct.Struct(">II32sII")
_LUKS2 = struct.Struct(">6sHQQ48s32s64s40s48sQ")
_CHECKSUM_PLACE = slice(448, 512)
_SLOT_ENABLED = 0x00AC71F3

Natural = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
"""A number as headers may hold it: none is negative."""


class Kdf(msgspec.Struct, frozen=True):
    """How the key of a slot is derived (LUKS2 section 3.2.4); ``memory`` is KiB."""

    type: str
    salt: bytes
    hash: str = ""
    iterations: Natural = 0
    time: Natural = 0
    memory: Natural = 0
    cpus: Natural = 0


class AntiForensic(msgspec.Struct, frozen=True):
    """How key material is spread (LUKS2 section 3.2.3)."""

    type: str = "luks1"
    stripes: Natural = 0
    hash: str = ""


class Area(msgspec.Struct, frozen=True):
    """Where the key material of a slot lies (LUKS2 section 3.2.2)."""

    type: str
    offset: Natural
    size: Natural
    encryption: str = ""
    key_size: Natural = 0


class KeySlot(msgspec.Struct, frozen=True):
    """One place for a passphrase; ``priority`` 0 is to be asked only if named, 2 first."""

    type: str
    key_size: Natural
    area: Area
    kdf: Kdf | None = None
    af: AntiForensic | None = None
    priority: Natural = 1


class KeyDigest(msgspec.Struct, frozen=True):
    """What tells a right volume key (LUKS2 section 3.4)."""

    type: str
    keyslots: list[int]
    segments: list[int]
    salt: bytes
    digest: bytes
    hash: str = ""
    iterations: Natural = 0


class Segment(msgspec.Struct, frozen=True):
    """A range of encrypted data (LUKS2 section 3.3); ``size`` is a number or ``dynamic``: up to the end."""

    type: str
    offset: Natural
    size: Annotated[str, msgspec.Meta(max_length=20)]
    encryption: str = ""
    sector_size: Natural = 512
    iv_tweak: Natural = 0
    flags: list[str] = []
    integrity: dict[str, str] | None = None


class Token(msgspec.Struct, frozen=True):
    """What else opens slots (LUKS2 section 3.5): a TPM, a security key, a server."""

    type: str
    keyslots: list[int] = []


class Metadata(msgspec.Struct, frozen=True):
    """The JSON area of LUKS2 (section 3.1)."""

    keyslots: dict[int, KeySlot]
    segments: dict[int, Segment]
    digests: dict[int, KeyDigest]
    tokens: dict[int, Token] = {}


@dataclass(frozen=True, kw_only=True)
class LuksHeader:
    """A header, whichever version it was."""

    version: int
    uuid: str
    label: str
    metadata: Metadata
    notices: tuple[Notice, ...] = ()


def read_header(source: ByteSource) -> LuksHeader:
    """Return the header of a LUKS volume.

    Raises:
        CorruptStructureError: No copy of it can be understood.
    """
    start = source.read_at(0, 592)
    if start.startswith(MAGIC) and start[6:8] == b"\0\1":
        return _read_luks1(start)
    return _read_luks2(source)


def has_sound_backup(source: ByteSource) -> bool:
    """Say whether the start of the source is empty and a sound second LUKS2 header lies behind it."""
    start = read_or_none(source, 0, _BINARY_SIZE)
    if start is None or any(start):
        return False
    return any((copy := _read_copy(source, offset)) is not None and copy.sound for offset in BACKUP_OFFSETS)


def _read_luks1(block: bytes) -> LuksHeader:
    """Return a LUKS1 header (section 2.1) in the terms of LUKS2."""
    if len(block) < _LUKS1.size + 8 * _LUKS1_SLOT.size:
        raise CorruptStructureError("LUKS1 header", "it is cut", len(block))
    fields = _LUKS1.unpack_from(block)
    encryption = "-".join(_text(part) for part in fields[2:4])
    hash_name, payload_sector, key_size, digest, salt, iterations = _text(fields[4]), *fields[5:10]
    slots = {}
    for index in range(8):
        active, rounds, slot_salt, sector, stripes = _LUKS1_SLOT.unpack_from(block, 208 + 48 * index)
        if active != _SLOT_ENABLED:
            continue
        slots[index] = KeySlot(
            type="luks1",
            key_size=key_size,
            area=Area("raw", sector * 512, key_size * stripes, encryption, key_size),
            kdf=Kdf("pbkdf2", slot_salt, hash_name, rounds),
            af=AntiForensic("luks1", stripes, hash_name),
        )
    metadata = Metadata(
        keyslots=slots,
        segments={0: Segment("crypt", payload_sector * 512, "dynamic", encryption)},
        digests={0: KeyDigest("pbkdf2", list(slots), [0], salt, digest, hash_name, iterations)},
    )
    return LuksHeader(version=1, uuid=_text(fields[10]), label="", metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """One copy of a LUKS2 header; ``reason`` says what speaks against it."""

    offset: int
    sequence: int
    label: str
    uuid: str
    text: bytes
    reason: str

    @property
    def sound(self) -> bool:
        return not self.reason


def _read_copy(source: ByteSource, offset: int) -> _Copy | None:
    """Return the copy at an offset (section 2.1), ``None`` where there is none or it cannot be read."""
    try:
        block = source.read_at(offset, _BINARY_SIZE)
        magic = BACKUP_MAGIC if offset else MAGIC
        if len(block) < _BINARY_SIZE or not block.startswith(magic):
            return None
        _, version, size, sequence, label, algorithm, _, uuid, _, own = _LUKS2.unpack_from(block)
        area = source.read_at(offset + _BINARY_SIZE, size - _BINARY_SIZE) if size <= _MAXIMUM_HEADER else b""
    except UnreadableError:
        return None
    reason = ""
    if version != 2:
        reason = f"version {version} is not known"
    elif own != offset:
        reason = f"it says that it lies at byte {own}"
    elif len(area) != size - _BINARY_SIZE or not area:
        reason = f"its size is to be {size} bytes"
    elif not _checksum_holds(block, area, _text(algorithm)):
        reason = "its checksum does not match"
    text = area.partition(b"\0")[0]
    return _Copy(offset=offset, sequence=sequence, label=_text(label), uuid=_text(uuid), text=text, reason=reason)


def _checksum_holds(block: bytes, area: bytes, algorithm: str) -> bool:
    if algorithm not in hashlib.algorithms_available:
        return False
    blank = bytearray(block)
    blank[_CHECKSUM_PLACE] = bytes(64)
    hasher = hashlib.new(algorithm, bytes(blank) + area, usedforsecurity=False)
    stored = block[_CHECKSUM_PLACE]
    return 0 < hasher.digest_size <= len(stored) and hasher.digest() == stored[: hasher.digest_size]


def _read_luks2(source: ByteSource) -> LuksHeader:
    found = [copy for offset in (0, *BACKUP_OFFSETS) if (copy := _read_copy(source, offset)) is not None]
    if not found:
        raise CorruptStructureError("LUKS header", "no copy of it can be read", 0)
    notices = [_damaged(copy) for copy in found if not copy.sound]
    if len(found) == 1:
        missing, other = ("second", "first") if found[0].offset == 0 else ("first", "second")
        message = f"the {missing} copy of the header is missing; the {other} was read"
        offset = BACKUP_OFFSETS[0] if found[0].offset == 0 else 0
        notices.append(Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="LUKS2 header"))
    found.sort(key=lambda copy: (not copy.sound, -copy.sequence, copy.offset))
    best = found[0]
    try:
        metadata = msgspec.json.decode(best.text, type=Metadata, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptStructureError("LUKS2 metadata", f"{error}", best.offset + _BINARY_SIZE) from error
    return LuksHeader(version=2, uuid=best.uuid, label=best.label, metadata=metadata, notices=tuple(notices))


def _damaged(copy: _Copy) -> Notice:
    message = f"a copy of the header is damaged: {copy.reason}"
    return Notice(code=NoticeCode.DAMAGED, message=message, offset=copy.offset, structure="LUKS2 header")


def _text(stored: bytes) -> str:
    return stored.partition(b"\0")[0].decode("utf-8", "replace")
