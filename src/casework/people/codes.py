"""The code of a person: shown where the name must not be, spoken on the phone, and derived from nothing but the id."""

from __future__ import annotations

from uuid import UUID

# Crockford's base 32: no I, L, O, U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def code_of(person: UUID) -> str:
    """Return ``P-XXXXX-XXXXX``: the first fifty bits of the random id."""
    bits = person.int >> 78
    letters = "".join(_ALPHABET[bits >> shift & 31] for shift in range(45, -1, -5))
    return f"P-{letters[:5]}-{letters[5:]}"
