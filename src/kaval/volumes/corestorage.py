"""CoreStorage volumes of macOS (FileVault 2), opened with a password or a recovery key.

Read by libfvde, whose document *FileVault Drive Encryption (FVDE)* gives the layout; it takes a key for right where
that uncovers an HFS+ header. One physical volume is read: a logical volume that spans several (Fusion drive) is told by
the library's refusal. The key that an old start volume keeps in ``EncryptedRoot.plist`` on its recovery partition is
not looked for. FileVault on APFS is the file system's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, LockedError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, SourceFile
from kaval.volumes import VOLUMES
from kaval.volumes.encryption.sources import StreamSource
from kaval.volumes.ranges import read_or_none

_FAILURES = (OSError, ValueError, MemoryError, OverflowError)
_PHYSICAL_VOLUME_HEADER = 0x10
_SIGNATURE_OFFSET = 88


@VOLUMES.register
class CoreStorage:
    """CoreStorage, with or without FileVault 2."""

    name: ClassVar[str] = "corestorage"
    title: ClassVar[str] = "CoreStorage volume (FileVault 2)"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ("pyfvde",)
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        header = read_or_none(source, 0, 512)
        if header is None or header[_SIGNATURE_OFFSET : _SIGNATURE_OFFSET + 2] != b"CS":
            return False
        version, kind = struct.unpack_from("<HH", header, 8)
        sector_size = struct.unpack_from("<I", header, 48)[0]
        return version == 1 and kind == _PHYSICAL_VOLUME_HEADER and sector_size in (512, 4096)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        group = _open_group(source)
        for index in range(_count(group)):
            yield _logical_volume(source, index, keyring)


def _open_group(source: ByteSource) -> Any:
    """Return the volume group, opened afresh: what was tried on another view leaves no trace in it."""
    import pyfvde

    volume = pyfvde.volume()
    file = SourceFile(source)
    try:
        volume.open_file_object(file)
        volume.open_physical_volume_files_as_file_objects([file])
        group = volume.get_volume_group()
    except UnreadableError:
        raise
    except _FAILURES as error:
        raise CorruptStructureError("CoreStorage metadata", str(error), 0) from error
    if group is None:
        raise CorruptStructureError("CoreStorage metadata", "they name no volume group", 0)
    return _Group(volume, group)


class _Group:
    """A volume group together with the volume it lives in, which must outlive it."""

    def __init__(self, volume: Any, group: Any) -> None:
        self.volume = volume
        self.group = group


def _count(group: _Group) -> int:
    try:
        count: int = group.group.number_of_logical_volumes
    except _FAILURES as error:
        raise CorruptStructureError("CoreStorage metadata", str(error), 0) from error
    return min(count, 64)


def _logical_volume(source: ByteSource, index: int, keyring: Keyring) -> Volume | Notice:
    """Return one logical volume, unlocked by the first key that fits."""
    address = str(index + 1)
    try:
        group = _open_group(source)
        volume = group.group.get_logical_volume(index)
        opened_with = "no key: it is not encrypted" if not volume.is_locked() else _unlock(source, index, keyring)
        if isinstance(opened_with, tuple):
            opened_with, group, volume = opened_with
        size = volume.size
        facts = {"name": volume.name or "", "volume id": str(volume.identifier), "opened with": opened_with}
    except UnreadableError:
        raise
    except _FAILURES as error:
        message = f"logical volume {address} cannot be opened: {error}"
        return Notice(code=NoticeCode.DAMAGED, message=message, address=address, structure="CoreStorage metadata")
    stream = StreamSource(_Kept(group, volume), size, _FAILURES)
    return Volume(address=address, source=stream, title=f"Opened logical volume {facts['name']}".rstrip(), facts=facts)


class _Kept:
    """A logical volume as a stream, with all that must stay open under it."""

    def __init__(self, group: _Group, volume: Any) -> None:
        self._group = group
        self._volume = volume

    def seek(self, offset: int, /) -> object:
        return self._volume.seek_offset(offset, 0)

    def read(self, size: int, /) -> bytes:
        block: bytes = self._volume.read_buffer(size)
        return block


def _unlock(source: ByteSource, index: int, keyring: Keyring) -> tuple[str, _Group, Any]:
    """Return what opened the volume, and the view it is open in."""
    attempts = [(f"recovery key {number}", "recovery", key) for number, key in enumerate(keyring.recovery_keys, 1)]
    attempts += [(f"passphrase {number}", "password", key) for number, key in enumerate(keyring.passphrases, 1)]
    attempts += [
        (f"passphrase {number} (as a recovery key)", "recovery", key)
        for number, key in enumerate(keyring.passphrases, 1)
        if len(key) == 29 and key.count("-") == 5
    ]
    for name, kind, key in attempts:
        group = _open_group(source)
        volume = group.group.get_logical_volume(index)
        try:
            (volume.set_recovery_password if kind == "recovery" else volume.set_password)(key)
        except UnicodeEncodeError:
            continue
        if volume.unlock():
            return name, group, volume
    needed = "it needs the password of a user or the recovery key"
    if attempts:
        needed += f"; none of the {len(attempts)} keys given opens it. A key is known to be right by the HFS+ header it"
        needed += " uncovers: where that is damaged, a right key looks wrong"
    raise LockedError(f"FileVault logical volume {index + 1}", needed)
