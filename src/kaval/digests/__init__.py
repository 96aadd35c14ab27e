"""Digests: the algorithms by which a stream is named, computed together in one pass."""

from __future__ import annotations

from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry


class Hasher(Protocol):
    """What ``hashlib`` gives: fed with blocks, asked once."""

    def update(self, block: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


class DigestAlgorithm(Capability, Protocol):
    """One digest algorithm; ``width`` is the length of a digest in bytes."""

    width: ClassVar[int]

    def new(self) -> Hasher:
        """Return a fresh hasher."""
        ...


DIGESTS: Registry[DigestAlgorithm] = Registry("kaval.digests")
