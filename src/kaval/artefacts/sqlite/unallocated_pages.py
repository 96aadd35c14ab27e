"""Pages that auto-vacuum cut off a database: they stand in unallocated space, and somebody found them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kaval.core.sources import ByteSource


@dataclass(frozen=True, slots=True)
class UnallocatedPage:
    """A page outside its database: ``locator`` says where, ``table`` whose rows it is taken to hold.

    ``certain`` says that it holds rows which the table holds to this day; otherwise their shape speaks for it.
    """

    locator: str
    table: str
    certain: bool


@dataclass(frozen=True, slots=True)
class UnallocatedPages:
    """Pages of one database, and their bytes laid end to end."""

    source: ByteSource
    pages: Sequence[UnallocatedPage]
