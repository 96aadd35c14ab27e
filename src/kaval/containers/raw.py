"""Raw images: the bytes as they are; split images are joined.

Split images are known by the name of their first segment: ``.000`` or ``.001`` (three digits or more) and on,
``.aa`` or ``.aaa`` and on. There is no signature, so raw is asked last, and it refuses bytes with the signature of any
other format: a container that could not be opened must not be searched for file systems as if it were a disk.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.segments import MissingSource, Shelf
from kaval.containers.signatures import signature_of
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, JoinedSource

_NUMBERED = re.compile(r"(?P<stem>.+\.)(?P<number>\d{3,5})", re.DOTALL)
_LETTERED = re.compile(r"(?P<stem>.+\.|x)(?P<letters>[a-z]{2,3}|[A-Z]{2,3})", re.DOTALL)
_KINDS = {
    "e01": "an EWF image",
    "ex01": "an EWF image",
    "s01": "an EWF image",
    "aff4": "an AFF4 image",
    "vmdk": "a VMDK image",
    "qcow2": "a QCOW2 image",
    "vhd": "a VHD image",
    "vhdx": "a VHDX image",
    "vdi": "a VDI image",
}
_FLAT = re.compile(r"-(flat|f\d{3})\.vmdk$", re.IGNORECASE)
"""Extents of VMDK images that are raw by design."""

_LOOK_AHEAD = 1000
"""How many numbers beyond a gap are asked for, to tell a missing segment from the end."""


def _names_after(name: str) -> Iterator[str]:
    """Yield the names of the segments that follow a first segment; nothing if the name is none of a first segment."""
    if (found := _NUMBERED.fullmatch(name)) is not None and int(found["number"]) <= 1:
        width = len(found["number"])
        for number in range(int(found["number"]) + 1, 10**width):
            yield f"{found['stem']}{number:0{width}}"
    elif (found := _LETTERED.fullmatch(name)) is not None and set(found["letters"]) <= {"a", "A"}:
        letters = string.ascii_lowercase if found["letters"].islower() else string.ascii_uppercase
        width = len(found["letters"])
        for number in range(1, 26**width):
            yield found["stem"] + "".join(letters[number // 26**place % 26] for place in reversed(range(width)))


def _first_of(name: str, exists: Callable[[str], bool]) -> tuple[int, str | None] | None:
    """Return number and first segment of a name that stands for a later segment; ``None`` if it does not."""
    found = _NUMBERED.fullmatch(name)
    if found is None:
        return None
    number, width = int(found["number"]), len(found["number"])
    firsts = [f"{found['stem']}{first:0{width}}" for first in range(min(number, 2))]
    first = next((first for first in firsts if exists(first)), None)
    return (number, first) if first is not None or number > 1 else None


@CONTAINERS.register
class Raw:
    """A raw image."""

    name: ClassVar[str] = "raw"
    title: ClassVar[str] = "Raw image"
    rank: ClassVar[int] = 900
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.size > 0 and signature_of(source) is None

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        shelf = Shelf(siblings)
        later = _first_of(name, lambda first: shelf.find(first) is not None)
        if later is not None and later[1] is not None:
            raise UnsupportedError(f"segment {later[0]} of a split raw image", f"give its first segment, {later[1]}")
        parts, notices = _segments(source, name, shelf)
        if (kind := _KINDS.get(name.rpartition(".")[2].lower())) and not _FLAT.search(name):
            message = f"by its name {name} is {kind}; nothing in its bytes says so, and it was read as a raw image"
            notices.append(Notice(code=NoticeCode.DAMAGED, message=message, structure="raw image"))
        if later is not None:
            notices.append(_alone(name, later[0]))
        if len(parts) == 1:
            return Opened(source=source, notices=tuple(notices))
        return Opened(source=JoinedSource(parts), facts={"segments": str(len(parts))}, notices=tuple(notices))


def _segments(source: ByteSource, name: str, shelf: Shelf) -> tuple[list[ByteSource], list[Notice]]:
    """Return all segments in their order; one that is missing between others is unreadable, and told."""
    parts: list[ByteSource] = [source]
    notices: list[Notice] = []
    missing: list[str] = []
    for sibling in _names_after(name):
        part = shelf.find(sibling)
        if part is None:
            missing.append(sibling)
            if len(missing) >= _LOOK_AHEAD:
                break
            continue
        for gap in missing:
            notices.append(_gap(parts, gap, source.size))
        missing.clear()
        parts.append(part)
    _check_sizes(parts[:-1], source.size, bool(notices))
    return parts, notices


def _gap(parts: list[ByteSource], name: str, size: int) -> Notice:
    offset = sum(part.size for part in parts)
    message = f"the segment {name} is not beside the others: {size} bytes from byte {offset} cannot be read"
    parts.append(MissingSource(size, f"the segment {name} is not beside the others", offset))
    return Notice(code=NoticeCode.UNREADABLE, message=message, offset=offset, structure="split raw image")


def _check_sizes(parts: list[ByteSource], size: int, gaps: bool) -> None:
    """Where a segment is missing its size is taken to be that of the others, so these must agree."""
    if gaps and any(part.size != size for part in parts):
        missing = [part.reason for part in parts if isinstance(part, MissingSource)]
        reason = f"{missing[0]}, and they differ in size: how many bytes are missing cannot be known"
        raise CorruptStructureError("the split raw image", reason)


def _alone(name: str, number: int) -> Notice:
    message = (
        f"by its name {name} is segment {number} of a split image; no first segment lies beside it, it was read alone"
    )
    return Notice(code=NoticeCode.TRUNCATED, message=message, offset=0, structure="split raw image")
