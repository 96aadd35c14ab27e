"""Text that stands in the database only encrypted.

Layout: version (1), key id (4), nonce (12), AES-256-GCM ciphertext with tag (16). The associated data is the column's
name, so a value moved to another column does not open. Equality cannot be asked of the database; a filter is refused.
"""

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
_PURPOSE = "sealed field"


def seal(ring: KeyRing, place: str, text: str) -> bytes:
    """Return ``text`` encrypted for the column ``place``."""
    key = ring.current(_PURPOSE)
    nonce = os.urandom(12)
    return _VERSION + key.key_id + nonce + AESGCM(key.secret).encrypt(nonce, text.encode(), place.encode())


def unseal(ring: KeyRing, place: str, stored: bytes) -> str:
    """Return the text sealed for the column ``place``.

    Raises:
        WrongKeyError: The key is not on the ring, or the bytes or their place were changed.
    """
    if len(stored) < 33 or stored[:1] != _VERSION:
        raise WrongKeyError(place, "the value is not in the sealed form.")
    key = ring.by_id(_PURPOSE, stored[1:5])
    if key is None:
        raise WrongKeyError(place, "it was sealed with a key that is not in the key file.")
    try:
        return AESGCM(key.secret).decrypt(stored[5:17], stored[17:], place.encode()).decode()
    except InvalidTag as error:
        raise WrongKeyError(place, "its bytes were changed, or moved here from another column.") from error


class SealedTextField(models.Field):  # type: ignore[type-arg]  # Django's own Field takes no parameters when run
    """A text column that is encrypted at rest and cannot be searched."""

    empty_strings_allowed = True

    def get_internal_type(self) -> str:
        """Store bytes."""
        return "BinaryField"

    def _place(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Encrypt on the way in."""
        return None if value is None else connection.Database.Binary(seal(settings.KEY_RING, self._place(), value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else unseal(settings.KEY_RING, self._place(), bytes(value))

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every question but whether there is a value."""
        if lookup_name == "isnull":
            return IsNull
        raise TypeError(f"{self._place()} is sealed: the database cannot compare it.")
