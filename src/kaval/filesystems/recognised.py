"""File systems told by their signature and not read here: the notice names them, and says what to do instead.

Nothing is guessed from them; their bytes are still digested, and searched for files by content.
"""

from __future__ import annotations

import struct
from typing import ClassVar, NamedTuple

from kaval.core.contracts import Tree
from kaval.core.errors import NotRecognisedError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS

_MOUNT = "mount it read-only with a system that knows it, and examine the folder"
_FLASH = "dump it with the tools of its maker (ubi_reader, jefferson, unyaffs), and examine the folder"
_SWAP = "it holds pages of memory and no files; it is searched by content"
_SPACES = "attach all disks of the pool to Windows read-only, and image the volume"
_POOL = "import the pool read-only on a system that knows it, and examine the folder"


class Signature(NamedTuple):
    """Bytes that stand at a place in every volume of a kind."""

    title: str
    offset: int
    magic: bytes
    remedy: str


SIGNATURES = (
    Signature("ReFS", 3, b"ReFS\0\0\0\0", "attach it to Windows read-only, and examine the folder"),
    Signature("EROFS", 1024, b"\xe2\xe1\xf5\xe0", "unpack it with fsck.erofs --extract, and examine the folder"),
    Signature("ReiserFS", 65536 + 52, b"ReIsErFs", _MOUNT),
    Signature("ReiserFS", 65536 + 52, b"ReIsEr2Fs", _MOUNT),
    Signature("ReiserFS", 65536 + 52, b"ReIsEr3Fs", _MOUNT),
    Signature("ReiserFS", 8192 + 52, b"ReIsErFs", _MOUNT),
    Signature("Reiser4", 65536, b"ReIsEr4", _MOUNT),
    Signature("NILFS2", 1024, b"\x02\0\0\0\0\0\x34\x34", _MOUNT),
    Signature("bcachefs", 4096 + 24, bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef"), _MOUNT),
    Signature("bcache or early bcachefs", 4096 + 24, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"), _MOUNT),
    Signature("JFS", 32768, b"JFS1", _MOUNT),
    Signature("GFS2", 65536, b"\x01\x16\x19\x70", _MOUNT),
    Signature("OCFS2", 4096 * 2, b"OCFSV2", _MOUNT),
    Signature("OCFS2", 1024, b"OCFSV2", _MOUNT),
    Signature("HPFS", 8192, b"\xf9\x95\xe8\x49", _MOUNT),
    Signature("VxFS", 1024, b"\xf5\xfc\x01\xa5", _MOUNT),
    Signature("BeFS", 512 + 32, b"1SFB", _MOUNT),
    Signature("QNX6", 8192, b"\x22\x11\x19\x68", _MOUNT),
    Signature("CramFS", 0, b"\x45\x3d\xcd\x28", _MOUNT),
    Signature("CramFS", 512, b"\x45\x3d\xcd\x28", _MOUNT),
    Signature("ROMFS", 0, b"-rom1fs-", _MOUNT),
    Signature("VMFS", 0x100000, b"\x0d\xd0\x01\xc0", "read it with vmfs-tools, and examine the disk images"),
    Signature("FATX", 0, b"FATX", _MOUNT),
    Signature("FATX", 0, b"XTAF", _MOUNT),
    Signature("littlefs", 8, b"littlefs", _FLASH),
    Signature("a UBI device", 0, b"UBI#", _FLASH),
    Signature("UBIFS", 0, b"\x31\x18\x10\x06", _FLASH),
    Signature("YAFFS2", 0, b"\x03\0\0\0\x01\0\0\0\xff\xff", _FLASH),
    Signature("YAFFS", 0, b"\x01\0\0\0\x01\0\0\0\xff\xff", _FLASH),
    Signature("a Ceph BlueStore device", 0, b"bluestore block device", _POOL),
    Signature("a Stratis pool", 512, b"!Stra0tis\x86\xff\x02^\x41rh", _POOL),
    Signature("Storage Spaces", 0, b"SPACEDB ", _SPACES),
    Signature("Storage Spaces", 4096, b"SPACEDB ", _SPACES),
    Signature("Linux swap space", 4086, b"SWAPSPACE2", _SWAP),
    Signature("Linux swap space", 4086, b"SWAP-SPACE", _SWAP),
    Signature("a hibernated Linux", 4086, b"S1SUSPEND", "it holds pages of memory; analyse it with a memory tool"),
)  # fmt: skip

_ZFS_MAGIC = 0x00BAB10C
_ZFS_RING, _ZFS_SLOT = range(0x20000, 0x40000), 1024
_JFFS2_KINDS = frozenset({0xE001, 0xE002, 0x2003, 0x2004, 0x2006, 0xE008, 0xE009})


def recognise(source: ByteSource) -> Signature | None:
    """Return what a volume's signature says it is; ``None`` where none of those known here fits."""
    head = source.read_at(0, 0x11000)
    for signature in SIGNATURES:
        end = signature.offset + len(signature.magic)
        stored = (
            head[signature.offset : end] if end <= len(head) else source.read_at(signature.offset, len(signature.magic))
        )
        if stored == signature.magic:
            return signature
    if _starts_with_jffs2_node(head):
        return Signature("JFFS2", 0, head[:2], _FLASH)
    return _find_zfs(source)


def _starts_with_jffs2_node(head: bytes) -> bool:
    """Say whether a JFFS2 node stands at the start, in either order of bytes, with its own checksum right."""
    for order in "<>":
        if len(head) < 12:
            return False
        magic, kind, length, checksum = struct.unpack_from(order + "HHII", head)
        if magic == 0x1985 and kind in _JFFS2_KINDS and length >= 12:
            return bool(_jffs2_sum(head[:8]) == checksum)
    return False


def _jffs2_sum(content: bytes) -> int:
    """Return CRC-32 as JFFS2 computes it: from zero, and not inverted at the end."""
    from zlib import crc32

    return crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF


def _find_zfs(source: ByteSource) -> Signature | None:
    """Return ZFS if an uberblock stands in the ring of the first label."""
    ring = source.read_at(_ZFS_RING.start, len(_ZFS_RING))
    for place in range(0, len(ring) - 7, _ZFS_SLOT):
        for order in ("little", "big"):
            if int.from_bytes(ring[place : place + 8], order) == _ZFS_MAGIC:
                return Signature("ZFS", _ZFS_RING.start + place, ring[place : place + 8], _POOL)
    return None


@FILESYSTEMS.register
class Recognised:
    """Asked last; says by name what nothing here reads."""

    name: ClassVar[str] = "recognised"
    title: ClassVar[str] = "file systems recognised by name and not read"
    rank: ClassVar[int] = 900
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource) -> bool:
        return recognise(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Open nothing.

        Raises:
            UnsupportedError: Always: its message names the file system and the way round.
        """
        found = recognise(source)
        if found is None:
            raise NotRecognisedError("no file system is recognised here")
        raise UnsupportedError(found.title, found.remedy)
