"""MD5 as hashlib and OpenSSL compute it."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from kaval.digests import DIGESTS, Hasher


@DIGESTS.register
class Md5:
    """MD5, 16 bytes."""

    name: ClassVar[str] = "md5"
    title: ClassVar[str] = "MD5"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()
    width: ClassVar[int] = 16

    def new(self) -> Hasher:
        return hashlib.md5(usedforsecurity=False)
