"""One volume of a container: what it says of itself, its keys, its tree of records ("Volumes", "Encryption")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kaval.core.errors import CorruptStructureError, KavalError
from kaval.core.keys import Keyring
from kaval.filesystems.apfs.container import Container, ObjectMap
from kaval.filesystems.apfs.objects import BTree, Cipher
from kaval.filesystems.dissected.translation import translated

_SEALED = 0x20
_UNENCRYPTED, _ONE_KEY, _KEY_PER_FILE = 0x1, 0x8, 0x100
_SNAPSHOT_TYPE = 1
_ROLES = {
    0: "", 1: "system", 2: "user", 4: "recovery", 8: "vm", 16: "preboot", 32: "installer", 64: "data", 128: "baseband",
    192: "update", 256: "xart", 320: "hardware", 384: "backup", 576: "enterprise", 704: "prelogin",
}  # fmt: skip

OBJECT_MASK = 0x0FFFFFFFFFFFFFFF


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeFacts:
    """What the superblock of a volume says."""

    index: int
    name: str
    role: str
    uuid: bytes
    transaction: int
    flags: int
    incompatible: int
    object_map: int
    root_tree: int
    snapshot_tree: int
    extent_tree: int
    files: int
    directories: int
    snapshots: int

    @property
    def sealed(self) -> bool:
        return bool(self.incompatible & _SEALED)

    @property
    def encrypted(self) -> bool:
        return not self.flags & (_UNENCRYPTED | _KEY_PER_FILE)

    @property
    def one_key(self) -> bool:
        return bool(self.flags & _ONE_KEY)


def parse_volume(block: bytes, index: int) -> VolumeFacts:
    """Return what the superblock of a volume says."""
    files, directories = struct.unpack_from("<QQ", block, 184)
    return VolumeFacts(
        index=index,
        name=block[704:960].split(b"\0")[0].decode("utf-8", "replace"),
        role=_ROLES.get(struct.unpack_from("<H", block, 964)[0], "other"),
        uuid=block[240:256],
        transaction=struct.unpack_from("<Q", block, 16)[0],
        flags=struct.unpack_from("<Q", block, 264)[0],
        incompatible=struct.unpack_from("<Q", block, 56)[0],
        object_map=struct.unpack_from("<Q", block, 128)[0],
        root_tree=struct.unpack_from("<Q", block, 136)[0],
        snapshot_tree=struct.unpack_from("<Q", block, 152)[0],
        extent_tree=struct.unpack_from("<Q", block, 1032)[0],
        files=files,
        directories=directories,
        snapshots=struct.unpack_from("<Q", block, 216)[0],
    )


def record_order(key: bytes) -> tuple[int, ...]:
    """Return what orders the records of a volume: object, type, and the place of an extent in its stream."""
    (header,) = struct.unpack_from("<Q", key)
    place = struct.unpack_from("<Q", key, 8)[0] if header >> 60 == 8 and len(key) >= 16 else 0
    return header & OBJECT_MASK, header >> 60, place


class Volume:
    """An open volume; ``cipher`` is ``None`` where it is not encrypted, or still locked."""

    def __init__(self, container: Container, facts: VolumeFacts) -> None:
        self.container = container
        self.facts = facts
        self.cipher: Cipher | None = None
        self.locked = facts.encrypted
        self._records: BTree | None = None

    def records(self) -> BTree:
        """Return the tree of all records of the volume."""
        if self._records is None:
            objects = ObjectMap(self.container.blocks, self.facts.object_map)
            transaction = self.facts.transaction
            base = self.facts.root_tree if self.facts.sealed else 0
            self._records = BTree(
                self.container.blocks,
                objects.find(self.facts.root_tree, transaction),
                order=record_order,
                resolve=lambda number: objects.find(base + number, transaction),
                cipher=self.cipher,
            )
        return self._records

    def records_of(self, number: int, kind: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """Yield the records of one object, from a type on."""
        for key, value in self.records().scan((number, kind)):
            if int.from_bytes(key[:8], "little") & OBJECT_MASK != number:
                return
            yield key, value

    def stored_extents(self, stream: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield place in the stream, length, block (0 for a hole) and cipher unit of each extent of a stream."""
        if self.facts.sealed:
            yield from self._sealed_extents(stream)
            return
        for key, value in self.records_of(stream, 8):
            if key[7] >> 4 == 8 and len(key) >= 16 and len(value) >= 24:
                length, block, unit = struct.unpack_from("<QQQ", value)
                yield struct.unpack_from("<Q", key, 8)[0], length & 0x00FFFFFFFFFFFFFF, block, unit
            else:
                return

    def _sealed_extents(self, stream: int) -> Iterator[tuple[int, int, int, int]]:
        tree = BTree(self.container.blocks, self.facts.extent_tree, order=_pair, fixed=(16, 16))
        for key, value in tree.scan((stream, 0)):
            number, place = struct.unpack_from("<QQ", key)
            if number != stream or len(value) < 16:
                return
            length, block = struct.unpack_from("<QQ", value)
            yield place, length & 0x00FFFFFFFFFFFFFF, block, 0

    def unlock(self, keyring: Keyring) -> bool:
        """Try the passphrases, then the recovery keys; say whether one opened the volume."""
        from dissect.apfs.exception import Error

        with translated("APFS keybag", Error):
            return self._unlock([*keyring.passphrases, *keyring.recovery_keys])

    def _unlock(self, passphrases: list[str]) -> bool:
        from dissect.fve.crypto import create_cipher

        bag, volume_bag = self._keybags()
        if bag is None or volume_bag is None:
            return False
        wrapped = bag.vek(self.facts.uuid)
        keys = list(volume_bag.keks()) if wrapped is not None else []
        for passphrase in passphrases:
            for key in keys:
                try:
                    self.cipher = create_cipher("aes-xts-128", wrapped.unwrap(key.unwrap(passphrase)))
                except ValueError:
                    continue
                self.locked = False
                return True
        return False

    def _keybags(self) -> tuple[Any, Any]:
        """Return the keybags of the container and of the volume, as dissect.apfs reads them."""
        from dissect.apfs.objects.keybag import ContainerKeybag
        from dissect.fve.crypto import create_cipher

        superblock = self.container.superblock
        address, count = superblock.keybag
        if not address or not 0 < count <= 64:
            return None, None
        cipher = create_cipher("aes-xts-128", superblock.uuid * 2)
        bag = ContainerKeybag.from_address(self.container.blocks, address, count, cipher=cipher)
        return bag, bag.volume_keybag(self.facts.uuid)

    def hint(self) -> str:
        """Return the hint its owner left for the passphrase, or nothing."""
        from dissect.apfs.exception import Error

        try:
            with translated("APFS keybag", Error):
                _, volume_bag = self._keybags()
                return str(volume_bag.password_hint(self.facts.uuid) or "") if volume_bag is not None else ""
        except CorruptStructureError:
            return ""

    def snapshot_names(self) -> list[str]:
        """Return name and time of each snapshot."""
        if not self.facts.snapshots or not self.facts.snapshot_tree:
            return []
        found = []
        try:
            for key, value in BTree(self.container.blocks, self.facts.snapshot_tree, order=record_order).scan():
                if key[7] >> 4 == _SNAPSHOT_TYPE and len(value) >= 50:
                    made, length = struct.unpack_from("<16xQ24xH", value)
                    name = value[50 : 50 + length].rstrip(b"\0").decode("utf-8", "replace")
                    found.append(f"{name} ({_moment(made)})")
        except KavalError as error:
            found.append(f"further ones cannot be read: {error}")
        return found


def _pair(key: bytes) -> tuple[int, ...]:
    return struct.unpack_from("<QQ", key)


def _moment(nanoseconds: int) -> str:
    if nanoseconds >= 1 << 62:
        return "at no possible time"
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).isoformat()
