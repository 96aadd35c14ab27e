"""UFS1 and UFS2 (the Berkeley fast file system), read by The Sleuth Kit.

Deleted names are listed; their inodes have lost the block addresses as a rule. What is free is not told:
``unallocated`` yields nothing.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.core.contracts import Tree
from kaval.core.keys import Keyring
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.sleuthkit import Clock, SleuthkitVolume
from kaval.filesystems.sleuthkit.tree import Customs, SleuthkitTree

MAGIC_OFFSET = 1372
_MAGICS = {0x00011954: "UFS1", 0x19540119: "UFS2"}
_SUPERBLOCKS = (65536, 8192, 0, 262144)


@FILESYSTEMS.register
class UfsFileSystem:
    """UFS of the BSDs and Solaris."""

    name: ClassVar[str] = "ufs"
    title: ClassVar[str] = "UFS1 and UFS2"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ("pytsk3",)

    def probe(self, source: ByteSource) -> bool:
        """Say whether a superblock stands at one of its places."""
        return _kind(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return the tree."""
        kind = _kind(source) or "UFS"
        clock = Clock(zone="utc", resolution="1ns" if kind == "UFS2" else "1s", nanoseconds=True)
        volume = SleuthkitVolume(source, kind, clock)
        facts = {"type": kind, "fragment size": str(volume.block_size), "fragments": str(volume.block_count)}
        return SleuthkitTree(volume, Customs(system_names=frozenset({b"$OrphanFiles"})), facts)


def _kind(source: ByteSource) -> str | None:
    for place in _SUPERBLOCKS:
        magic = source.read_at(place + MAGIC_OFFSET, 4)
        for number in (int.from_bytes(magic, "little"), int.from_bytes(magic, "big")):
            if number in _MAGICS:
                return _MAGICS[number]
    return None
