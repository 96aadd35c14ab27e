"""SHA-256 as hashlib and OpenSSL compute it."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from kaval.digests import DIGESTS, Hasher


@DIGESTS.register
class Sha256:
    """SHA-256, 32 bytes."""

    name: ClassVar[str] = "sha256"
    title: ClassVar[str] = "SHA-256"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    width: ClassVar[int] = 32

    def new(self) -> Hasher:
        return hashlib.sha256(usedforsecurity=False)
