"""A file sealed with the unit's key, readable in one pass without holding it in memory.

Layout: ``KAVALBK1``, key id (4), salt (16), then chunks of up to 1 MiB plus tag, each AES-256-GCM with the chunk's
number as nonce and, as associated data, whether it is the last: chunks can be neither moved, nor dropped, nor cut off
unseen.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from casework.lib.errors import WrongKeyError
from casework.lib.keys import KeyRing

_MAGIC = b"KAVALBK1"
_CHUNK = 1024 * 1024
_TAG = 16
_PURPOSE = "backup"


def seal_file(ring: KeyRing, plain: BinaryIO, sealed: BinaryIO) -> None:
    """Write ``plain`` to ``sealed``, encrypted."""
    key, salt = ring.current(_PURPOSE), os.urandom(16)
    cipher = _cipher(key.secret, salt)
    sealed.write(_MAGIC + key.key_id + salt)
    number, chunk = 0, plain.read(_CHUNK)
    while True:
        following = plain.read(_CHUNK)
        sealed.write(cipher.encrypt(number.to_bytes(12, "big"), chunk, _last(not following)))
        if not following:
            return
        number, chunk = number + 1, following


def unseal_file(ring: KeyRing, name: str, sealed: BinaryIO, plain: BinaryIO) -> None:
    """Write what was sealed to ``plain``.

    Raises:
        WrongKeyError: It was sealed with another key, or changed, or cut off.
    """
    head = sealed.read(len(_MAGIC) + 20)
    if len(head) < len(_MAGIC) + 20 or not head.startswith(_MAGIC):
        raise WrongKeyError(name, "it is not a backup of Kaval.")
    key = ring.by_id(_PURPOSE, head[len(_MAGIC) : len(_MAGIC) + 4])
    if key is None:
        raise WrongKeyError(name, "it was sealed with another key than the one given.")
    cipher = _cipher(key.secret, head[len(_MAGIC) + 4 :])
    number, chunk = 0, sealed.read(_CHUNK + _TAG)
    while True:
        following = sealed.read(_CHUNK + _TAG)
        try:
            plain.write(cipher.decrypt(number.to_bytes(12, "big"), chunk, _last(not following)))
        except InvalidTag as error:
            raise WrongKeyError(name, f"it was changed or cut off in its part {number + 1}.") from error
        if not following:
            return
        number, chunk = number + 1, following


def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"kaval backup file").derive(secret))


def _last(last: bool) -> bytes:
    return b"last" if last else b"more"
