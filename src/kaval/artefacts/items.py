"""The item: one stream handed to a parser, with what lies beside it and, for a database, the database opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kaval.artefacts.found import Tables
from kaval.core.contracts import Siblings
from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.core.keys import Keyring
from kaval.core.sources import BLOCK_SIZE, ByteSource


def nothing_beside(_: str) -> ByteSource | None:
    """Say that nothing lies beside a stream that stands alone."""
    return None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One stream to be read.

    ``beside`` gives the source of a file in the same folder by its name, ``below`` that of one anywhere under the
    folder by its path from there; ``None`` where there is none.
    """

    path: str
    source: ByteSource
    media_type: str | None = None
    beside: Siblings = nothing_beside
    below: Siblings = nothing_beside
    keyring: Keyring = field(default_factory=Keyring)
    opened: Tables | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without its last part."""
        return self.path.rpartition("/")[0]

    @property
    def tables(self) -> Tables:
        """The tables of the opened database; parsers that want columns are handed nothing else."""
        if self.opened is None:
            raise CorruptStructureError("SQLite database", "it could not be opened")
        return self.opened

    def content(self, limit: int) -> bytes:
        """Return the whole stream, which may not be longer than ``limit`` bytes.

        Raises:
            LimitExceededError: It is longer.
        """
        if self.source.size > limit:
            reason = f"{self.source.size} bytes are more than this kind of file has"
            raise LimitExceededError("size count", limit, reason)
        return b"".join(self.blocks())

    def blocks(self) -> Iterator[bytes]:
        """Yield the stream block by block."""
        offset = 0
        while offset < self.source.size:
            block = self.source.read_at(offset, BLOCK_SIZE)
            if not block:
                return
            yield block
            offset += len(block)
