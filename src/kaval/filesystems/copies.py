"""Boot sectors that are left over: a copy proves a file system only where no other one starts.

Formatting anew leaves the copies of the old file system's boot sector in place (NTFS in the last sector, FAT32 in
sector 6, exFAT in sector 12). Those who fall back on a copy ask here first, and offer ``starts``, which looks at the
first boot sector alone.
"""

from __future__ import annotations

from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS


def another_starts(source: ByteSource, name: str) -> bool:
    """Whether a file system other than the named one starts here, by more than a copy of its boot sector."""
    return any(
        getattr(system, "starts", system.probe)(source) for system in FILESYSTEMS.available() if system.name != name
    )
