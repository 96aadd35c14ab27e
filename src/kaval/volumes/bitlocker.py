"""BitLocker volumes, opened with a clear key, a startup key file, a recovery key or a password.

Metadata are read by dissect.fve (all versions since Vista, To Go, volumes half encrypted); the sectors are decrypted
here. What only a TPM holds cannot be had from a disk: such a protector is named, with those that help.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, LockedError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, SourceFile
from kaval.volumes import VOLUMES
from kaval.volumes.encryption.sources import SectorCipher, StreamSource
from kaval.volumes.ranges import read_or_none

_SIGNATURE = b"-FVE-FS-"
_INFORMATION_GUID = UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le
_EOW_GUID = UUID("92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8").bytes_le
_GUID_PLACES = (0xA0, 0x1A8)
_MAXIMUM_METADATA = 4 << 20
_DIFFUSER_WINDOW = 256 << 10
_DAMAGE = (ValueError, TypeError, EOFError, LookupError, AttributeError, ArithmeticError, struct.error)
"""What the library raises where metadata contradict themselves."""

_PROTECTORS = {0x01: "TPM", 0x02: "startup key file", 0x04: "PIN", 0x08: "recovery key", 0x20: "password"}
_CIPHERS = {
    "AES_128": ("aes-cbc-eboiv", 16, "AES-CBC, 128 bits"),
    "AES_256": ("aes-cbc-eboiv", 32, "AES-CBC, 256 bits"),
    "AES_128_DIFFUSER": ("aes-cbc-elephant", 16, "AES-CBC with diffuser, 128 bits"),
    "AES_256_DIFFUSER": ("aes-cbc-elephant", 32, "AES-CBC with diffuser, 256 bits"),
    "AES_XTS_128": ("aes-xts-plain64", 32, "AES-XTS, 128 bits"),
    "AES_XTS_256": ("aes-xts-plain64", 64, "AES-XTS, 256 bits"),
}


@VOLUMES.register
class BitLocker:
    """BitLocker encryption."""

    name: ClassVar[str] = "bitlocker"
    title: ClassVar[str] = "BitLocker encrypted volume"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ("dissect.fve", "cryptography", "numpy")
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        sector = read_or_none(source, 0, 512)
        if sector is None or sector[510:] != b"\x55\xaa":
            return False
        if sector[3:11] == _SIGNATURE:
            return True
        return any(sector[place : place + 16] in (_INFORMATION_GUID, _EOW_GUID) for place in _GUID_PLACES)

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        file = _MetadataFile(source)
        volume = _parse(source, file)
        yield from _damaged_copies(volume)
        attempt = _Attempt(volume, file)
        if not attempt.open(keyring):
            raise LockedError(_named(volume), attempt.needed())
        stream, window = _stream(volume, file)
        sector_size = volume.sector_size
        yield Volume(
            address="open",
            source=StreamSource(stream, source.size - source.size % sector_size, _DAMAGE, window),
            title="Opened BitLocker volume",
            facts=_facts(volume, attempt),
        )


class _MetadataFile(SourceFile):
    """A file over the volume; while metadata are parsed, no size field makes it read more than they can be."""

    limit: int | None = _MAXIMUM_METADATA

    def read(self, length: int | None = -1) -> bytes:
        if self.limit is not None:
            length = self.limit if length is None or length < 0 else min(length, self.limit)
        return super().read(length)


def _parse(source: ByteSource, file: _MetadataFile) -> Any:
    """Return the library's view of the volume."""
    from dissect.fve.bde import BDE
    from dissect.fve.exception import Error

    sector_size = struct.unpack("<H", source.read_at(11, 2))[0]
    if sector_size not in (512, 1024, 2048, 4096):
        raise CorruptStructureError("BitLocker boot sector", f"sectors of {sector_size} bytes", 11)
    try:
        volume = BDE(file)
        volume.reserved_regions()
        list(volume.information.dataset)
    except (Error, *_DAMAGE) as error:
        raise CorruptStructureError("BitLocker metadata", f"no copy can be used ({error})", 0) from error
    return volume


def _damaged_copies(volume: Any) -> Iterator[Notice]:
    """Yield a notice for each of the three copies of the metadata that is not sound."""
    sound = {copy.offset for copy in volume._available_information if copy.is_valid()}
    for offset in volume.boot_sector.information_offsets:
        if offset not in sound:
            message = "this copy of the metadata is damaged or not there; another was read"
            yield Notice(code=NoticeCode.DAMAGED, message=message, offset=offset, structure="BitLocker metadata")


def _named(volume: Any) -> str:
    """Return what the volume calls itself: machine, label and date, as Windows shows them with a recovery key."""
    try:
        description = volume.description()
    except _DAMAGE:
        description = None
    return f"BitLocker volume “{description}”" if description else "BitLocker volume"


def protector_title(kind: int) -> str:
    """Return what a protector of that kind asks for."""
    flags = kind >> 8
    return " and ".join(title for bit, title in _PROTECTORS.items() if flags & bit) or "clear key"


def recovery_groups(text: str) -> str:
    """Return a recovery key in its eight groups.

    Raises:
        ValueError: It is mistyped; the message says where.
    """
    digits = re.sub(r"[\s\-.,]", "", text)
    if len(digits) != 48 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("is not made of eight groups of six digits")
    groups = [digits[start : start + 6] for start in range(0, 48, 6)]
    for number, group in enumerate(groups, 1):
        if int(group) % 11 or int(group) >= 11 << 16:
            raise ValueError(f"is mistyped in group {number}")
    return "-".join(groups)


@dataclass
class _Attempt:
    """Tries the keys that cost nothing first: clear key, startup key files, recovery keys, passwords."""

    volume: Any
    file: SourceFile
    opened_with: str = ""
    tried: list[str] = field(default_factory=list)

    def open(self, keyring: Keyring) -> bool:
        """Say whether the volume is open now."""
        volume = self.volume
        if volume.decrypted:
            self.opened_with = "no key: it is decrypted"
            return True
        if volume.has_clear_key() and self._try("clear key", volume.unlock_with_clear_key):
            return True
        for number, content in enumerate(keyring.key_files, 1):
            if self._try(f"key file {number}", lambda content=content: volume.unlock_with_bek(io.BytesIO(content))):  # type: ignore[misc]
                return True
        return self._try_recovery_keys(keyring) or self._try_passphrases(keyring)

    def _try_recovery_keys(self, keyring: Keyring) -> bool:
        keys = {}
        for number, text in enumerate(keyring.recovery_keys, 1):
            try:
                keys[f"recovery key {number}"] = recovery_groups(text)
            except ValueError as error:
                self.tried.append(f"recovery key {number} {error}")
        for number, text in enumerate(keyring.passphrases, 1):
            if len(text) >= 48 and re.fullmatch(r"[\d\s-]+", text, re.ASCII):
                keys[f"passphrase {number} (as a recovery key)"] = text
        for name, text in keys.items():
            if self.volume.has_recovery_password() and self._try(
                name,
                lambda text=text: self.volume.unlock_with_recovery_password(recovery_groups(text)),  # type: ignore[misc]
            ):
                return True
            if not self.volume.has_recovery_password():
                self.tried.append(f"{name} fits no protector")
        return False

    def _try_passphrases(self, keyring: Keyring) -> bool:
        for number, text in enumerate(keyring.passphrases, 1):
            if not self.volume.has_passphrase():
                self.tried.append(f"passphrase {number} fits no protector")
            elif self._try(
                f"passphrase {number}",
                lambda text=text: self.volume.unlock_with_passphrase(text),  # type: ignore[misc]
            ):
                return True
        return False

    def _try(self, name: str, unlock: Callable[[], object]) -> bool:
        try:
            unlock()
        except _DAMAGE:
            self.tried.append(f"{name} does not open it")
            return False
        self.opened_with = name
        return True

    def protectors(self) -> list[tuple[str, str]]:
        """Return title and identifier of every protector."""
        from dissect.fve.bde.c_bde import FVE_DATUM_ROLE, FVE_DATUM_TYPE

        role, kind = FVE_DATUM_ROLE.VOLUME_MASTER_KEY_INFO, FVE_DATUM_TYPE.VOLUME_MASTER_KEY_INFO
        keys = self.volume.information.dataset.find_datum(role, kind)
        return [(protector_title(key.priority.value), str(key.identifier).upper()) for key in keys]

    def needed(self) -> str:
        """Return what would open the volume, and what did not."""
        choices = [f"the {title} (identifier {identifier})" for title, identifier in self.protectors()]
        needed = f"it needs {' or '.join(choices)}" if choices else "it names no protector"
        if any("TPM" in title for title, _ in self.protectors()):
            needed += "; what a TPM guards is had from the running machine only"
        return "; ".join([needed, *self.tried])


def _stream(volume: Any, file: _MetadataFile) -> tuple[Any, int]:
    """Return the stream of plain bytes, and the window that small reads of it are served from."""
    from kaval.volumes.encryption.aes_sectors import AesSectors

    try:
        stream = volume.open()
    except (KeyError, NotImplementedError) as error:
        raise UnsupportedError(_named(volume), f"its method of encryption is not known ({error})") from error
    except _DAMAGE as error:
        raise CorruptStructureError("BitLocker metadata", f"the volume cannot be laid out ({error})") from error
    file.limit = None
    if not volume.encrypted:
        return stream, 0
    spec, size, _ = _CIPHERS[volume._fvek_type.name]
    key = volume._fvek
    key = key[:size] + key[32 : 32 + size] if "elephant" in spec else key[:size]
    stream.cipher = _WholeSectors(AesSectors(spec, key, volume.sector_size, volume.sector_size))
    return stream, _DIFFUSER_WINDOW if "elephant" in spec else 0


@dataclass
class _WholeSectors:
    """Our cipher in the place of the library's; what is left of a sector at the end of a cut image is no sector."""

    cipher: SectorCipher

    def decrypt(self, block: bytes, sector: int) -> bytes:
        return self.cipher.decrypt(block[: len(block) - len(block) % self.cipher.sector_size], sector)


def _facts(volume: Any, attempt: _Attempt) -> dict[str, str]:
    information = volume.information
    protectors = (f"{title} {identifier}" for title, identifier in attempt.protectors())
    facts = {
        "version": str(volume.version),
        "volume id": str(information.dataset.identifier),
        "state": str(information.current_state.name or information.current_state.value).lower(),
        "protectors": ", ".join(protectors),
        "opened with": attempt.opened_with,
        "sector size": str(volume.sector_size),
    }
    if volume._fvek_type is not None:
        facts["cipher"] = _CIPHERS[volume._fvek_type.name][2]
    description = volume.description()
    if description:
        facts["description"] = description
    return facts
