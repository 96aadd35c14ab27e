"""The keys of an encrypted iTunes-style backup: its keybag, opened with the backup's password.

By public descriptions (iphone-dataprotection, iOSbackup, iphone_backup_decrypt): the keybag is a list of tag, length
and value; class keys are wrapped (RFC 3394) with a key derived from the password by PBKDF2, since iOS 10.2 twice. A
file's key is wrapped with the key of its class; its content is AES-256-CBC with an initial vector of zeros.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError, LockedError
from kaval.core.progress import advance
from kaval.core.sources import ByteSource

_BLOCK = 16
_CLASS_TAGS = (b"CLAS", b"WRAP", b"KTYP", b"WPKY")
_WRAPPED_BY_PASSCODE = 2
_MOST_ITERATIONS = 50_000_000


@dataclass(kw_only=True)
class Keybag:
    """The head of a keybag and its class keys, still wrapped."""

    head: dict[bytes, bytes] = field(default_factory=dict)
    classes: list[dict[bytes, bytes]] = field(default_factory=list)

    @classmethod
    def parse(cls, content: bytes) -> Keybag:
        """Return what a keybag holds.

        Raises:
            CorruptStructureError: A value runs past its end.
        """
        bag = cls()
        place = 0
        while place + 8 <= len(content):
            tag, length = struct.unpack_from(">4sI", content, place)
            if place + 8 + length > len(content):
                raise CorruptStructureError("keybag", f"its value {tag!r} runs past its end", place)
            value = content[place + 8 : place + 8 + length]
            if tag == b"UUID" and b"UUID" in bag.head:
                bag.classes.append({tag: value})
            elif bag.classes and (tag in _CLASS_TAGS):
                bag.classes[-1][tag] = value
            else:
                bag.head[tag] = value
            place += 8 + length
        return bag

    def open(self, passphrases: tuple[str, ...]) -> dict[int, bytes]:
        """Return the class keys by the number of their class.

        Raises:
            LockedError: No passphrase opens it.
        """
        for passphrase in passphrases:
            advance()
            keys = self._unwrapped(self._derived(passphrase.encode("utf-8")))
            if keys:
                return keys
        raise LockedError("iTunes-style backup", "none of the passphrases given is the backup's password")

    def _derived(self, passphrase: bytes) -> bytes:
        if b"DPIC" in self.head and b"DPSL" in self.head:
            passphrase = hashlib.pbkdf2_hmac("sha256", passphrase, self.head[b"DPSL"], self._count(b"DPIC"), 32)
            advance()
        return hashlib.pbkdf2_hmac("sha1", passphrase, self.head.get(b"SALT", b""), self._count(b"ITER"), 32)

    def _count(self, tag: bytes) -> int:
        count = int.from_bytes(self.head.get(tag, b""), "big")
        if not 0 < count <= _MOST_ITERATIONS:
            raise CorruptStructureError("keybag", f"it asks for {count} rounds of {tag.decode()}")
        return count

    def _unwrapped(self, key: bytes) -> dict[int, bytes]:
        keys = {}
        for wrapped in self.classes:
            by = int.from_bytes(wrapped.get(b"WRAP", b""), "big")
            plain = unwrap(key, wrapped.get(b"WPKY", b"")) if by & _WRAPPED_BY_PASSCODE else None
            if plain is not None:
                keys[int.from_bytes(wrapped.get(b"CLAS", b""), "big")] = plain
        return keys


def unwrap(key: bytes, wrapped: bytes) -> bytes | None:
    """Return a key that was wrapped by RFC 3394, ``None`` where the wrapping key is another."""
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

    try:
        return aes_key_unwrap(key, wrapped)
    except (InvalidUnwrap, ValueError):
        return None


def key_of(wrapped: bytes, classes: dict[int, bytes], number: int | None = None) -> bytes | None:
    """Return a file's key: four bytes name its class (little-endian), the rest is the key, wrapped."""
    stored = int.from_bytes(wrapped[:4], "little")
    for candidate in (stored, number):
        if candidate in classes:
            return unwrap(classes[candidate], wrapped[4:])
    return None


class DecryptedSource:
    """The plain bytes of a file of the backup: AES-CBC, where any block can be had with the one before it."""

    def __init__(self, inner: ByteSource, key: bytes, size: int | None = None) -> None:
        self._inner = inner
        self._key = key
        whole = inner.size // _BLOCK * _BLOCK
        self._size = whole if size is None else min(size, whole)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        first = offset // _BLOCK
        last = -(-(offset + length) // _BLOCK)
        before = self._inner.read_at((first - 1) * _BLOCK, _BLOCK) if first else bytes(_BLOCK)
        plain = self._decrypt(before, self._inner.read_at(first * _BLOCK, (last - first) * _BLOCK))
        return plain[offset - first * _BLOCK :][:length]

    def _decrypt(self, vector: bytes, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        decryptor = Cipher(algorithms.AES(self._key), modes.CBC(vector)).decryptor()
        return decryptor.update(content) + decryptor.finalize()
