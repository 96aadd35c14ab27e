"""Members of Linux software RAID arrays whose superblock lies before the data (md 1.1 and 1.2).

A mirror, or an array of one member, is read; of any other level one member holds only parts, and that is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.boot_sectors import BOOT_MARK
from kaval.volumes.md.superblock import front_superblock
from kaval.volumes.ranges import VolumeSlice, shows_its_holders_table


@VOLUMES.register
class LinuxRaid:
    """Linux software RAID, superblock in front."""

    name: ClassVar[str] = "md"
    title: ClassVar[str] = "Linux RAID member"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        found = None if shows_its_holders_table(source) else front_superblock(source)
        return found is not None and (found.offset == 0 or source.read_at(510, 2) != BOOT_MARK)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        found = front_superblock(source)
        assert found is not None
        if not found.is_whole:
            remedy = "assemble the array read-only from copies of all members and give that image"
            raise UnsupportedError(f"a member of a {found.description}", remedy)
        available = min(found.data_size, source.size - found.data_offset)
        if available < found.data_size:
            message = f"the data is to take {found.data_size} bytes from byte {found.data_offset}; "
            message += f"{found.data_size - max(0, available)} are missing"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size, structure="md superblock")
        if available > 0:
            yield Volume(
                address="1",
                source=VolumeSlice(source, found.data_offset, available),
                title=f"Data of a {found.description}",
                offset=found.data_offset,
                facts={"version": found.version, "array id": found.array_id, "label": found.name},
            )
