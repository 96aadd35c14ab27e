"""LUKS volumes, version 1 and 2, opened with a passphrase or a key file.

Known: see ``header`` and ``keys``. Read are AES volumes; other ciphers, volumes with integrity tags, detached
headers and re-encryption under way are told. Tokens (TPM, security keys) are named; their secrets are not on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.keys import Keyring
from kaval.core.records import Notice
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.ranges import read_or_none

MAGIC = b"LUKS\xba\xbe"


@VOLUMES.register
class Luks:
    """LUKS encryption."""

    name: ClassVar[str] = "luks"
    title: ClassVar[str] = "LUKS encrypted volume"
    rank: ClassVar[int] = 11
    requires: ClassVar[tuple[str, ...]] = ("argon2", "cryptography", "msgspec", "numpy")
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        from kaval.volumes.luks.header import has_sound_backup

        start = read_or_none(source, 0, 8)
        if start is None:
            return False
        if start.startswith(MAGIC):
            return start[6:8] in (b"\0\1", b"\0\2")
        return has_sound_backup(source)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        from kaval.volumes.luks.opening import open_volume

        yield from open_volume(source, keyring)
