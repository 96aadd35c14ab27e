"""SHA-1 as hashlib and OpenSSL compute it."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from kaval.digests import DIGESTS, Hasher


@DIGESTS.register
class Sha1:
    """SHA-1, 20 bytes."""

    name: ClassVar[str] = "sha1"
    title: ClassVar[str] = "SHA-1"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    width: ClassVar[int] = 20

    def new(self) -> Hasher:
        return hashlib.sha1(usedforsecurity=False)
