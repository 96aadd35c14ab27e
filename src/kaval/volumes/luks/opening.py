"""From a LUKS header and the keys given to a volume of plain bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, KavalError, LockedError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes.encryption.aes_sectors import AesSectors
from kaval.volumes.encryption.sources import SectorSource
from kaval.volumes.luks.header import KeySlot, LuksHeader, Segment, read_header
from kaval.volumes.luks.keys import MAXIMUM_KEY, volume_key


def open_volume(source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
    """Yield the volume of plain bytes, with what is wrong with its header.

    Raises:
        LockedError: None of the keys opens it.
    """
    header = read_header(source)
    yield from header.notices
    number, segment = _segment(header)
    _check_cipher(header, segment)
    attempt = _Attempt(source, header, number)
    key = attempt.open(_secrets(keyring))
    if key is None:
        raise LockedError(f"LUKS{header.version} volume {header.uuid}", attempt.needed(keyring))
    available = max(0, source.size - segment.offset)
    size = available if segment.size == "dynamic" else int(segment.size)
    if size > available or size < segment.sector_size:
        message = f"the data is to start at byte {segment.offset} and to take {segment.size} bytes (dynamic: all"
        message += f" that follow); {available} are there"
        yield Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size, structure="LUKS segment")
    if min(size, available) < segment.sector_size:
        return
    cipher = AesSectors(segment.encryption, key, segment.sector_size)
    yield Volume(
        address="open",
        source=SectorSource(source, segment.offset, min(size, available), cipher, segment.iv_tweak),
        title=f"Opened LUKS{header.version} volume",
        facts=_facts(header, segment, attempt),
    )


def _secrets(keyring: Keyring) -> list[bytes]:
    """Return what may open a slot, in order: key files as they are, then without a last line break, passphrases."""
    secrets = []
    for content in keyring.key_files:
        secrets.append(content)
        if content.endswith(b"\n"):
            secrets.append(content.rstrip(b"\r\n"))
    secrets += [passphrase.encode("utf-8", "surrogateescape") for passphrase in keyring.passphrases]
    return list(dict.fromkeys(secrets))


def _segment(header: LuksHeader) -> tuple[int, Segment]:
    """Return the one segment of data."""
    segments = {
        number: segment
        for number, segment in header.metadata.segments.items()
        if not any(flag.startswith("backup-") for flag in segment.flags)
    }
    structure = f"LUKS{header.version} volume {header.uuid}"
    if len(segments) > 1:
        raise UnsupportedError(structure, "its re-encryption was not finished; finish it on a copy")
    if not segments:
        raise CorruptStructureError("LUKS2 metadata", "it names no segment of data")
    number, segment = segments.popitem()
    if segment.integrity is not None:
        raise UnsupportedError(structure, "its sectors carry integrity tags; open it with cryptsetup on a copy")
    if segment.type != "crypt":
        raise UnsupportedError(structure, f"its data is a segment of the kind {segment.type!r}")
    if segment.offset == 0:
        raise UnsupportedError(structure, "the header lies apart from its data; give the image that holds both")
    if segment.sector_size not in (512, 1024, 2048, 4096):
        raise CorruptStructureError("LUKS2 metadata", f"sectors of {segment.sector_size} bytes")
    if segment.size != "dynamic" and not segment.size.isdecimal():
        raise CorruptStructureError("LUKS2 metadata", f"a segment of the size {segment.size!r}")
    return number, segment


def _check_cipher(header: LuksHeader, segment: Segment) -> None:
    """Refuse a cipher that is not read before anybody is asked for a passphrase."""
    sizes = {slot.key_size for slot in header.metadata.keyslots.values() if slot.type != "reencrypt"}
    for size in sizes:
        AesSectors(segment.encryption, bytes(min(size, MAXIMUM_KEY)), segment.sector_size)


@dataclass
class _Attempt:
    """Tries secrets on key slots, and keeps why a slot could not be tried."""

    source: ByteSource
    header: LuksHeader
    segment: int
    opened: int | None = None
    failures: dict[int, str] = field(default_factory=dict)

    def slots(self) -> list[tuple[int, KeySlot]]:
        """Return the slots that lead to the segment, those first that are to be asked first."""
        metadata = self.header.metadata
        wanted = {
            slot for digest in metadata.digests.values() if self.segment in digest.segments for slot in digest.keyslots
        }
        slots = [(number, slot) for number, slot in metadata.keyslots.items() if number in wanted]
        return sorted(slots, key=lambda slot: (-slot[1].priority, slot[0]))

    def open(self, secrets: list[bytes]) -> bytes | None:
        """Return the volume key, if one of the secrets opens one of the slots."""
        for secret in secrets:
            for number, slot in self.slots():
                if number in self.failures:
                    continue
                key = self._try(number, slot, secret)
                if key is not None:
                    self.opened = number
                    return key
        return None

    def _try(self, number: int, slot: KeySlot, secret: bytes) -> bytes | None:
        digest = next(
            digest
            for digest in self.header.metadata.digests.values()
            if number in digest.keyslots and self.segment in digest.segments
        )
        try:
            return volume_key(self.source, slot, digest, secret)
        except KavalError as error:
            self.failures[number] = str(error)
            return None

    def needed(self, keyring: Keyring) -> str:
        """Return what would open the volume, and what of the given did not."""
        tokens: dict[int, list[str]] = {}
        for token in self.header.metadata.tokens.values():
            for number in token.keyslots:
                tokens.setdefault(number, []).append(token.type)
        slots = []
        for number, slot in self.slots():
            kind = slot.kdf.type if slot.kdf else slot.type
            bound = f", bound to {' and '.join(tokens[number])}" if number in tokens else ""
            slots.append(f"{number} ({kind}{bound})")
        needed = f"it needs the passphrase or key file of one of its key slots: {', '.join(slots) or 'none is left'}"
        if keyring.passphrases or keyring.key_files:
            given = f"{len(keyring.passphrases)} passphrases and {len(keyring.key_files)} key files"
            needed += f"; none of the {given} given opens it"
        for number, reason in self.failures.items():
            needed += f"; slot {number} could not be tried: {reason}"
        return needed


def _facts(header: LuksHeader, segment: Segment, attempt: _Attempt) -> dict[str, str]:
    facts = {
        "version": str(header.version),
        "volume id": header.uuid,
        "cipher": segment.encryption,
        "sector size": str(segment.sector_size),
        "data offset": str(segment.offset),
        "key slots": ", ".join(str(number) for number, _ in attempt.slots()),
        "opened with": f"key slot {attempt.opened}",
    }
    if header.label:
        facts["label"] = header.label
    return facts
