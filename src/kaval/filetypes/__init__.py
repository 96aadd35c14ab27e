"""File types: what a stream is by its content, never by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry

HEAD_SIZE = 4096
"""How many bytes of the start of a stream are looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileType:
    """One type: IANA media type, the extensions its files usually carry (lower case, no dot), a title."""

    media_type: str
    extensions: tuple[str, ...]
    title: str


class FileTypeFamily(Capability, Protocol):
    """Types that are told apart together: pictures, video, documents, ..."""

    types: ClassVar[tuple[FileType, ...]]

    def identify(self, head: bytes, size: int) -> FileType | None:
        """Return the type of a stream of ``size`` bytes that starts with ``head``, or ``None``."""
        ...


FILETYPES: Registry[FileTypeFamily] = Registry("kaval.filetypes")
