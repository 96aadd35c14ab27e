"""The key of the unit, and every key that is derived from it.

A key file holds one master key a line, newest first: a name, a space, 32 bytes in base64. Only its owner may read it.
From each master key, HKDF-SHA256 (RFC 5869) derives one key for each purpose, so that no two uses share bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from casework.lib.errors import ConfigurationError, MissingKeyError

_SIZE = 32


@dataclass(frozen=True, kw_only=True)
class Key:
    """A derived key, and the id of the master key it comes from."""

    key_id: bytes
    secret: bytes


class KeyRing:
    """All master keys of the unit; the first is in use, the others only open what is old."""

    def __init__(self, masters: tuple[bytes, ...]) -> None:
        if not masters or any(len(master) != _SIZE for master in masters):
            raise ConfigurationError("A key ring needs at least one key, and each key is 32 bytes.")
        self._masters = masters
        self._derived: dict[tuple[bytes, str], Key] = {}
        self._by_id: dict[str, dict[bytes, Key]] = {}

    def current(self, purpose: str) -> Key:
        """Return the key in use for ``purpose``."""
        return self._derive(self._masters[0], purpose)

    def all(self, purpose: str) -> tuple[Key, ...]:
        """Return the keys for ``purpose``, newest first."""
        return tuple(self._derive(master, purpose) for master in self._masters)

    def by_id(self, purpose: str, key_id: bytes) -> Key | None:
        """Return the key of that id, or None where the ring does not hold it."""
        known = self._by_id.get(purpose)
        if known is None:
            known = self._by_id[purpose] = {key.key_id: key for key in self.all(purpose)}
        return known.get(key_id)

    def _derive(self, master: bytes, purpose: str) -> Key:
        known = self._derived.get((master, purpose))
        if known is None:
            derived = HKDF(algorithm=SHA256(), length=_SIZE, salt=b"kaval", info=purpose.encode()).derive(master)
            known = Key(key_id=hashlib.sha256(b"kaval key id" + master).digest()[:4], secret=derived)
            self._derived[(master, purpose)] = known
        return known


def read_key_file(path: Path) -> KeyRing:
    """Read the ring from a file that only its owner can read.

    Raises:
        MissingKeyError: There is no such file.
        ConfigurationError: Others can read the file, or a line is not a key.
    """
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise MissingKeyError(str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not a key file: it holds bytes that are not ASCII.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"Others can read the key: run `chmod 600 {path}`.")
    return KeyRing(tuple(_master(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()))


def _master(path: Path, number: int, line: str) -> bytes:
    try:
        _name, encoded = line.split()
        return base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ConfigurationError(f"{path}, line {number}: expected a name and 32 bytes in base64.") from error


def write_new_key_file(path: Path) -> None:
    """Make a key file with one fresh key, readable by its owner only; an existing file is never replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(f"k1 {base64.b64encode(secrets.token_bytes(_SIZE)).decode()}\n", encoding="ascii")
