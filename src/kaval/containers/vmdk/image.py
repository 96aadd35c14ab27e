"""A VMDK image as a disk: a sparse file by itself, or the extents its descriptor lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kaval.containers.blockmap import BlockSource, Decode, Place
from kaval.containers.parents import base_name, open_parent
from kaval.containers.segments import MissingSource, Shelf
from kaval.containers.vmdk import MAGICS
from kaval.containers.vmdk.descriptor import MAXIMUM_SIZE, NO_PARENT, Descriptor, ExtentLine, read_descriptor
from kaval.containers.vmdk.sparse import (
    AT_END,
    SECTOR,
    EfficientMap,
    GrainMap,
    SparseHeader,
    StreamMap,
    read_header,
)
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LockedError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, BytesSource, JoinedSource, SliceSource

_PART = re.compile(r"(?P<base>.+)-[sf]\d{3}\.vmdk", re.IGNORECASE)
_FLAT = frozenset({"FLAT", "VMFS"})
_SPARSE = frozenset({"SPARSE", "VMFSSPARSE", "SESPARSE"})
_DEVICES = frozenset({"VMFSRDM", "VMFSRAW", "RDMP"})


def open_image(source: ByteSource, name: str, siblings: Siblings) -> Opened:
    """Return the disk of a descriptor file or of a sparse file.

    Raises:
        UnsupportedError: It is one extent of a disk whose descriptor lies beside it, or its parent does not.
        CorruptStructureError: Its tables cannot be.
    """
    disk = _Disk(name, siblings)
    if source.read_at(0, 4) not in MAGICS:
        return disk.described(read_descriptor(source.read_at(0, MAXIMUM_SIZE), disk.title))
    part = _PART.fullmatch(name)
    if part is not None:
        whole = f"{part['base']}.vmdk"
        if siblings(whole) is not None:
            raise UnsupportedError(f"the extent {name} of a VMDK image", f"give its descriptor, {whole}")
        message = f"by its name {name} is one extent of a disk; without its descriptor it was read alone"
        disk.note(NoticeCode.TRUNCATED, message)
    return disk.alone(source)


@dataclass
class _Disk:
    """One disk while it is opened."""

    name: str
    siblings: Siblings
    facts: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    parent: ByteSource | None = None

    @property
    def title(self) -> str:
        return f"the VMDK image {self.name}"

    def note(self, code: NoticeCode, message: str, offset: int | None = None) -> None:
        self.notices.append(Notice(code=code, message=message, offset=offset, structure="VMDK image"))

    def _opened(self, source: ByteSource) -> Opened:
        return Opened(source=source, facts=self.facts, notices=tuple(self.notices))

    def alone(self, source: ByteSource) -> Opened:
        """Return the disk of a sparse file that stands by itself, with the descriptor embedded in it."""
        header = read_header(source, self.title)
        if header.descriptor_size:
            size = min(header.descriptor_size * SECTOR, MAXIMUM_SIZE)
            self._take(read_descriptor(source.read_at(header.descriptor_offset * SECTOR, size), self.title))
        self.facts |= {"kind": self.facts.get("kind", header.kind), "grain size": str(header.grain_size)}
        return self._opened(self._sparse(source, header, self.title, 0))

    def described(self, descriptor: Descriptor) -> Opened:
        """Return the disk that the extents of a descriptor make up."""
        if not descriptor.extents:
            raise CorruptStructureError(self.title, "its descriptor lists no extents")
        self._take(descriptor)
        shelf = Shelf(self.siblings)
        parts: list[ByteSource] = []
        start = 0
        for extent in descriptor.extents:
            parts.append(self._extent(extent, start, shelf))
            start += extent.sectors * SECTOR
        self.facts["extents"] = str(len(parts))
        return self._opened(JoinedSource(parts) if len(parts) > 1 else parts[0])

    def _take(self, descriptor: Descriptor) -> None:
        """Keep what a descriptor says, and open the parent it names."""
        if descriptor.kind:
            self.facts["kind"] = descriptor.kind
        if "cid" in descriptor.settings:
            self.facts["content identifier"] = descriptor.settings["cid"].lower()
        if any(key.startswith("encryption.") for key in descriptor.settings):
            raise LockedError(self.title, "VMware encrypted it; decrypt it there with the passphrase of the machine")
        path = descriptor.parent
        if path is None:
            return
        self.facts["based on"] = path
        opened = open_parent(path, self.siblings, child=self.name, title=self.title)
        self.parent = opened.source
        self.notices.extend(opened.notices)
        wanted = descriptor.settings.get("parentcid", NO_PARENT).lower()
        is_now = opened.facts.get("content identifier", "")
        if is_now != wanted:
            message = f"{self.title} is based on the content {wanted}; the parent beside it has {is_now or 'none'}"
            self.note(NoticeCode.DAMAGED, message)

    def _extent(self, extent: ExtentLine, start: int, shelf: Shelf) -> ByteSource:
        """Return the bytes of one extent, exactly as many as the descriptor says."""
        size = extent.sectors * SECTOR
        name = base_name(extent.name)
        if extent.kind == "ZERO":
            return BlockSource(_nowhere, BytesSource(b""), size=size, block_size=max(size, 1), title=self.title)
        if extent.kind in _DEVICES:
            raise UnsupportedError(f"{self.title}, a mapping of the device {extent.name},", "image that device")
        stored = shelf.find(name) if name and name != self.name else None
        if stored is None:
            reason = f"the extent {name} of {self.title} is not beside it"
            self.note(NoticeCode.UNREADABLE, f"{reason}: {size} bytes from byte {start} cannot be read", start)
            return MissingSource(size, reason, start)
        if extent.kind in _FLAT:
            at = extent.offset * SECTOR
            return self._exactly(SliceSource(stored, at, stored.size - at), size, start, name)
        if extent.kind not in _SPARSE:
            raise UnsupportedError(f"{self.title} with an extent of kind {extent.kind}", "convert it to a raw image")
        title = f"the extent {name} of {self.title}"
        return self._exactly(self._sparse(stored, read_header(stored, title), title, start), size, start, name)

    def _exactly(self, source: ByteSource, size: int, start: int, name: str) -> ByteSource:
        if source.size >= size:
            return SliceSource(source, 0, size)
        missing = size - source.size
        at = start + source.size
        reason = f"the extent {name} of {self.title} is {missing} bytes shorter than its descriptor says"
        self.note(NoticeCode.TRUNCATED, f"{reason}: from byte {at} on they cannot be read", at)
        return JoinedSource([source, MissingSource(missing, reason, at)])

    def _sparse(self, source: ByteSource, header: SparseHeader, title: str, start: int) -> ByteSource:
        absent = Place.ZERO if self.parent is None else Place.PARENT
        decode: Decode | None = None
        if header.kind == "space-efficient":
            locate = EfficientMap(source, header, absent, title).locate
        elif header.directories[0] == AT_END:
            stream = StreamMap(source, header, title)
            locate, decode = stream.locate, stream.decode
            message = f"{title} was cut off before its grain directory; up to its byte {stream.end} "
            message += f"{stream.count} grains were found one behind the other"
            self.note(NoticeCode.TRUNCATED, message, start)
        else:
            grains = GrainMap(source, header, absent, title)
            locate, decode = grains.locate, grains.decode
        inherited = self.parent
        if inherited is not None and start:
            inherited = SliceSource(inherited, start, max(0, inherited.size - start))
        return BlockSource(
            locate,
            source,
            size=header.capacity * SECTOR,
            block_size=header.grain_size,
            title=title,
            decode=decode,
            parent=inherited,
        )


def _nowhere(block: int) -> int:
    """Locate a block of an extent that has no file: it is all zeros."""
    return Place.ZERO
