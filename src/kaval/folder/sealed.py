"""The sealed store: thumbnails and extracted files, content-addressed and encrypted with a key per exhibit.

Each unit writes one pack. A record in it is AES-256-GCM of the content; the nonce is derived from key and
content, so that the same content under the same key gives the same bytes and a resumed run equals an
undisturbed one. The key is never in the folder: destroying the key file disposes of the content.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from kaval.core.errors import FolderError
from kaval.folder.durable import flush_directory
from kaval.folder.segments import RowBuffer, Segment

_NONCE_SIZE = 12


class SealingKey:
    """The key of one exhibit's sealed store; ``fingerprint`` names it without giving it away."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.fingerprint = hashlib.sha256(b"kaval sealing key" + key).hexdigest()[:16]

    @classmethod
    def create(cls, path: Path) -> SealingKey:
        """Make a key in a new file that only its owner may read."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        flush_directory(path.parent)
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> SealingKey:
        """Return the key a file holds.

        Raises:
            FolderError: There is no such file, or it holds no key.
        """
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise FolderError(path, f"the key of its sealed store cannot be read ({error})") from error
        if len(key) != 32:
            raise FolderError(path, "the key file does not hold a key of 32 bytes")
        return cls(key)

    def seal(self, content: bytes, digest: bytes) -> bytes:
        """Return content encrypted; ``digest`` is its SHA-256 and is bound to it."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = hmac.digest(self._key, b"nonce" + digest, "sha256")[:_NONCE_SIZE]
        return nonce + AESGCM(self._key).encrypt(nonce, content, digest)

    def open(self, record: bytes, digest: bytes) -> bytes:
        """Return the content of a sealed record.

        Raises:
            FolderError: The record was altered, or was sealed with another key.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._key).decrypt(record[:_NONCE_SIZE], record[_NONCE_SIZE:], digest)
        except InvalidTag as error:
            raise FolderError(digest.hex(), "the sealed record was altered or the key is another") from error


class PackWriter:
    """Writes the sealed records of one unit; a content that occurs twice in it is kept once."""

    def __init__(self, folder: Path, unit: str, key: SealingKey) -> None:
        self._folder = folder
        self._unit = unit
        self._key = key
        self._records: list[bytes] = []
        self._offset = 0
        self._seen: set[bytes] = set()
        self.name = f"sealed/{unit}.pack"

    def add(self, content: bytes, rows: RowBuffer) -> bytes:
        """Seal content and return its SHA-256; the index row goes to ``rows``."""
        digest = hashlib.sha256(content).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            record = self._key.seal(content, digest)
            rows.add("sealed", (digest, self.name, self._offset, len(record)))
            self._records.append(record)
            self._offset += len(record)
        return digest

    def write(self) -> tuple[Segment, ...]:
        """Put the pack in place; nothing is written where nothing was sealed."""
        if not self._records:
            return ()
        content = b"".join(self._records)
        target = self._folder / self.name
        aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
        flush_directory(target.parent)
        digest = hashlib.sha256(content).hexdigest()
        return (Segment(table="pack", name=self.name, rows=len(self._records), size=len(content), sha256=digest),)


def read_sealed(folder: Path, key: SealingKey, pack: str, offset: int, length: int, digest: bytes) -> bytes:
    """Return one content of the sealed store.

    Raises:
        FolderError: The pack is missing or shorter than its index says, or the key does not fit.
    """
    try:
        with (folder / pack).open("rb") as file:
            file.seek(offset)
            record = file.read(length)
    except OSError as error:
        raise FolderError(folder, f"its sealed pack {pack} cannot be read ({error.strerror})") from error
    if len(record) != length:
        raise FolderError(folder, f"its sealed pack {pack} is shorter than its index says")
    return key.open(record, digest)
