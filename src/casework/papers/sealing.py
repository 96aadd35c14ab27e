"""Bytes that stand in the database only encrypted: a key of their own, bound to their column."""

from __future__ import annotations

import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models
from django.db.models.lookups import IsNull

from casework.lib.errors import WrongKeyError
from casework.lib.keys import KeyRing

_VERSION = b"\x01"
_PURPOSE = "sealed document"


def seal(ring: KeyRing, place: str, content: bytes) -> bytes:
    """Return ``content`` encrypted for the column ``place``: version, key id, nonce, AES-256-GCM with its tag."""
    key = ring.current(_PURPOSE)
    nonce = os.urandom(12)
    return _VERSION + key.key_id + nonce + AESGCM(key.secret).encrypt(nonce, content, place.encode())


def unseal(ring: KeyRing, place: str, stored: bytes) -> bytes:
    """Return the bytes sealed for the column ``place``.

    Raises:
        WrongKeyError: The key is not on the ring, or the bytes or their place were changed.
    """
    if len(stored) < 33 or stored[:1] != _VERSION:
        raise WrongKeyError(place, "the value is not in the sealed form.")
    key = ring.by_id(_PURPOSE, stored[1:5])
    if key is None:
        raise WrongKeyError(place, "it was sealed with a key that is not in the key file.")
    try:
        return AESGCM(key.secret).decrypt(stored[5:17], stored[17:], place.encode())
    except InvalidTag as error:
        raise WrongKeyError(place, "its bytes were changed, or moved here from another column.") from error


class SealedBytesField(models.Field):  # type: ignore[type-arg]  # Django's own Field takes no parameters when run
    """A column of bytes that is encrypted at rest and cannot be searched."""

    empty_strings_allowed = False

    def get_internal_type(self) -> str:
        """Store bytes."""
        return "BinaryField"

    def _place(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Encrypt on the way in."""
        return None if value is None else connection.Database.Binary(seal(settings.KEY_RING, self._place(), value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        """Decrypt on the way out."""
        return None if value is None else unseal(settings.KEY_RING, self._place(), bytes(value))

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every question but whether there is a value."""
        if lookup_name == "isnull":
            return IsNull
        raise TypeError(f"{self._place()} is sealed: the database cannot compare it.")
