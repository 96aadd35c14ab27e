"""Carvers: each knows one family of formats by its structure, and says how far it is sure.

A carver is shown a view of unallocated space that starts where its signature was seen. It walks the structure
(markers, boxes, chunks, pages), reads no more than it must, and never says a plain yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry
from kaval.core.sources import ByteSource


class Certainty(StrEnum):
    """How far a carved stream is whole; grammar: one adjective."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Carved:
    """What starts at byte 0 of a view.

    ``size`` is that of the whole stream where it is complete, else how far its structure holds. ``checked`` means that
    checksums over all of its content agreed. ``damaged_offset`` is the byte of the stream at which the structure breaks
    off, ``reason`` says how.
    """

    size: int
    certainty: Certainty
    media_type: str
    extension: str
    checked: bool = False
    damaged_offset: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Fixed bytes at a fixed place of the first sector; ``offset`` is even and below 510.

    ``only``, where given, are the bytes that may stand in the first 24 of the sector.
    """

    content: bytes
    offset: int = 0
    only: bytes = b""


class Carver(Capability, Protocol):
    """Carves one family; ``patterns`` say where it is asked."""

    patterns: ClassVar[tuple[Pattern, ...]]

    def carve(self, view: ByteSource) -> Carved | None:
        """Return what starts at byte 0 of the view, or ``None`` where that is nothing of this family.

        A truncated or damaged stream is only told where enough of it stands to be of use to a person.
        """
        ...


CARVERS: Registry[Carver] = Registry("kaval.recovery.carvers")


def complete(size: int, media_type: str, extension: str, *, checked: bool = False) -> Carved:
    """Return a whole stream."""
    return Carved(size=size, certainty=Certainty.COMPLETE, media_type=media_type, extension=extension, checked=checked)


def broken(offset: int, reason: str, media_type: str, extension: str, *, ended: bool = False) -> Carved:
    """Return a stream whose structure holds up to ``offset``; ``ended`` where the space ends there."""
    return Carved(
        size=offset,
        certainty=Certainty.TRUNCATED if ended else Certainty.DAMAGED,
        media_type=media_type,
        extension=extension,
        damaged_offset=offset,
        reason=reason,
    )
