"""Members of Linux software RAID arrays whose superblock lies behind the data (md 0.90 and 1.0).

Such a member starts with the data itself, and the superblock may be a remnant: it is told beside whatever is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.md.superblock import tail_superblock


@VOLUMES.register
class LinuxRaidTail:
    """Linux software RAID, superblock behind the data."""

    name: ClassVar[str] = "md-tail"
    title: ClassVar[str] = "Linux RAID member, superblock at the end"
    rank: ClassVar[int] = 21
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = True

    def probe(self, source: ByteSource) -> bool:
        return tail_superblock(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        found = tail_superblock(source)
        assert found is not None
        message = f"a superblock (version {found.version}) says: {found.description}. "
        if found.is_whole:
            code = NoticeCode.ASSUMED
            message += "One member holds it all, so the bytes are read as they lie"
        else:
            code = NoticeCode.UNSUPPORTED
            message += "If that still holds, the bytes here are parts of the array: assemble it from copies of all"
            message += " members and give that image. Meanwhile they are read as they lie"
        yield Notice(code=code, message=message, offset=found.offset, structure="md superblock")
