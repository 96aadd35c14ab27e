"""The tree of a UDF: living names in directory order, then those marked as deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, UnreadableError
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, ExtentSource
from kaval.filesystems.udf.structures import (
    DELETED,
    DIRECTORY_TYPE,
    MAXIMUM_ADDRESSES,
    PARENT,
    SYMLINK_TYPE,
    FileEntry,
    Identifier,
    LongAddress,
    file_entry,
    moment,
    parse_addresses,
    parse_identifier,
)
from kaval.filesystems.udf.volume import Volume

STRUCTURE = "UDF directory"
MAXIMUM_DIRECTORY_SIZE = 64 << 20
MAXIMUM_DEPTH = 256
RESOLUTION = "1us"
_KINDS = {4: EntryKind.DIRECTORY, 6: EntryKind.DEVICE, 7: EntryKind.DEVICE, 9: EntryKind.FIFO, 10: EntryKind.SOCKET,
          12: EntryKind.SYMLINK}  # fmt: skip


class Folder(NamedTuple):
    """A directory that is still to be walked."""

    path: str
    address: str | None
    icb: LongAddress
    depth: int


class UdfTree:
    """The tree of one volume; addresses are the bytes at which file identifiers lie."""

    def __init__(self, source: ByteSource, volume: Volume) -> None:
        self.source = source
        self.volume = volume
        facts = {"type": "UDF", "block size": str(volume.block_size), "partitions": str(len(volume.partitions))}
        self.facts: Mapping[str, str] = {**facts, "label": volume.label} if volume.label else facts

    def entries(self) -> Iterator[Entry | Notice]:
        deleted: list[tuple[Folder, Identifier, int]] = []
        visited: set[tuple[int, int]] = set()
        pending = [Folder("", None, self.volume.root, 0)]
        while pending:
            folder = pending.pop()
            key = (folder.icb.partition, folder.icb.block)
            if key in visited or folder.depth > MAXIMUM_DEPTH:
                message = f"the directory {folder.path} is one already listed; it is walked once"
                yield _notice(NoticeCode.LOOP, message, folder.address or "", None)
                continue
            visited.add(key)
            below: list[Folder] = []
            yield from self._folder(folder, below, deleted)
            pending.extend(reversed(below))
        for folder, identifier, offset in deleted:
            yield from self._entry(folder, identifier, offset, [], EntryState.DELETED)

    def _folder(
        self, folder: Folder, below: list[Folder], deleted: list[tuple[Folder, Identifier, int]]
    ) -> Iterator[Entry | Notice]:
        where = folder.path or "/"
        try:
            extents, size = self._stream(folder.icb)
            size = min(size, MAXIMUM_DIRECTORY_SIZE)
            block = ExtentSource(self.source, extents, size).read_at(0, size)
        except KavalError as error:
            code = NoticeCode.UNREADABLE if isinstance(error, UnreadableError) else NoticeCode.DAMAGED
            offset = getattr(error, "offset", None)
            yield _notice(code, f"the directory {where} cannot be read: {error}", folder.address or "", offset)
            return
        place = 0
        while place + 38 <= len(block):
            identifier, place = parse_identifier(block, place)
            if identifier is None:
                if any(block[place : place + 38]):
                    message = f"a name in the directory {where} makes no sense; what follows it is left out"
                    yield _notice(NoticeCode.DAMAGED, message, folder.address or "", _at(extents, place))
                return
            if identifier.characteristics & PARENT:
                continue
            offset = _at(extents, identifier.place)
            if identifier.characteristics & DELETED:
                deleted.append((folder, identifier, offset))
            else:
                yield from self._entry(folder, identifier, offset, below, EntryState.ALLOCATED)

    def _stream(self, icb: LongAddress) -> tuple[tuple[Extent, ...], int]:
        found = self._file(icb)
        if found is None:
            raise CorruptStructureError(STRUCTURE, f"block {icb.block} holds no file entry")
        return self._extents(icb, found), found.size

    def _file(self, icb: LongAddress) -> FileEntry | None:
        return file_entry(self.volume.read(self.source, icb, self.volume.block_size), icb.partition)

    def _extents(self, icb: LongAddress, found: FileEntry) -> tuple[Extent, ...]:
        """Return where a stream lies: in its file entry, or where its addresses say; what was set aside is sparse."""
        if found.embedded is not None:
            start, length = found.embedded
            offset, _ = next(self.volume.places(icb, self.volume.block_size))
            return (Extent(offset=offset + start, length=min(length, found.size)),) if found.size and length else ()
        extents: list[Extent] = []
        left = found.size
        for address in self._addresses(found):
            length = min(address.length, left)
            if length <= 0:
                break
            left -= length
            if address.recorded:
                extents.extend(self.volume.extents(address, length))
            else:
                extents.append(Extent(offset=0, length=length, sparse=True))
        return tuple(extents)

    def _addresses(self, found: FileEntry) -> Iterator[LongAddress]:
        """Yield the addresses of a stream, following those kept outside (ECMA-167 4/14.5)."""
        yield from found.addresses
        count, continued = len(found.addresses), found.continued
        seen: set[tuple[int, int]] = set()
        while continued is not None and count < MAXIMUM_ADDRESSES:
            key = (continued.partition, continued.block)
            if key in seen:
                raise CorruptStructureError(STRUCTURE, f"the addresses lead back to block {continued.block}")
            seen.add(key)
            block = self.volume.read(self.source, continued, self.volume.block_size)
            length = int.from_bytes(block[20:24], "little")
            area = block[24 : 24 + length]
            addresses, continued = parse_addresses(area, continued.partition, wide=found.wide)
            yield from addresses
            count += len(addresses)

    def _entry(
        self, folder: Folder, identifier: Identifier, offset: int, below: list[Folder], state: EntryState
    ) -> Iterator[Entry | Notice]:
        name = identifier.name.replace("/", "\N{FRACTION SLASH}").replace("\0", "\N{REPLACEMENT CHARACTER}")
        path = f"{folder.path}/{name}" if folder.path else name
        address = str(offset)
        found: FileEntry | None = None
        extents: tuple[Extent, ...] = ()
        content = ContentState.GONE
        try:
            found = self._file(identifier.icb) if identifier.icb.length else None
            if found is not None:
                extents = self._extents(identifier.icb, found)
                content = self._content(found, extents)
        except KavalError as error:
            if state is EntryState.ALLOCATED:
                yield _notice(NoticeCode.DAMAGED, f"{path}: {error}", address, offset)
        if found is None and state is EntryState.ALLOCATED:
            yield _notice(NoticeCode.DAMAGED, f"{path}: it has no file entry", address, offset)
        if state is EntryState.DELETED and content is ContentState.INTACT:
            content = ContentState.ASSUMED
        is_directory = found is not None and found.type == DIRECTORY_TYPE
        if is_directory:
            below.append(Folder(path, address, identifier.icb, folder.depth + 1))
        yield Entry(
            address=address,
            path=path,
            kind=_KINDS.get(found.type, EntryKind.FILE) if found is not None else EntryKind.UNKNOWN,
            size=found.size if found is not None else 0,
            state=state,
            content=content,
            parent=folder.address,
            times=_times(found) if found is not None else Times(),
            extents=extents,
            link_target=self._target(found, extents),
            owner=_number(found.owner) if found is not None else None,
            group=_number(found.group) if found is not None else None,
        )
        if content is ContentState.PARTIAL and state is EntryState.ALLOCATED:
            message = f"{path}: its addresses do not hold all of its bytes, or run past the end of the image"
            yield _notice(NoticeCode.TRUNCATED, message, address, offset)

    def _content(self, found: FileEntry, extents: tuple[Extent, ...]) -> ContentState:
        here = sum(extent.length for extent in extents)
        end = max((extent.offset + extent.length for extent in extents if not extent.sparse), default=0)
        return ContentState.INTACT if here >= found.size and end <= self.source.size else ContentState.PARTIAL

    def _target(self, found: FileEntry | None, extents: tuple[Extent, ...]) -> str | None:
        """Return the target of a symbolic link by its path components (ECMA-167 4/14.16)."""
        if found is None or found.type != SYMLINK_TYPE or found.size > 1 << 16:
            return None
        try:
            raw = ExtentSource(self.source, extents, found.size).read_at(0, found.size)
        except UnreadableError:
            return None
        parts = []
        place = 0
        while place + 4 <= len(raw):
            kind, length = raw[place], raw[place + 1]
            text = raw[place + 4 : place + 4 + length]
            parts.append({2: "", 3: "..", 4: "."}.get(kind) if kind != 5 else _component(text))
            place += 4 + length
        return "/".join(part for part in parts if part is not None)

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry: every one has extents, so this lists until it meets it."""
        for entry in self.entries():
            if isinstance(entry, Entry) and entry.address == address and entry.extents is not None:
                return ExtentSource(self.source, entry.extents, entry.size)
        raise LocatorError(address, "no entry lies there")

    def unallocated(self) -> Iterator[Extent]:
        """Yield the extents the space bitmaps call free, in order; nothing where a partition keeps none."""
        size = self.volume.block_size
        found: set[tuple[int, int]] = set()
        for partition in self.volume.partitions:
            place, length = partition.free
            if length < 24 or partition.table:
                continue
            block = self.source.read_at(place, min(length, 24 + partition.size // size // 8 + 1))
            bits = int.from_bytes(block[16:20], "little")
            found.update(_free_runs(block[24:], min(bits, partition.size // size), partition.offset, size))
        for offset, length in sorted(found):
            if offset < self.source.size:
                yield Extent(offset=offset, length=min(length, self.source.size - offset))


def _free_runs(bitmap: bytes, bits: int, offset: int, size: int) -> Iterator[tuple[int, int]]:
    first = -1
    for number in range(min(bits, len(bitmap) * 8)):
        free = bitmap[number >> 3] >> (number & 7) & 1
        if free and first < 0:
            first = number
        elif not free and first >= 0:
            yield offset + first * size, (number - first) * size
            first = -1
    if first >= 0:
        yield offset + first * size, (min(bits, len(bitmap) * 8) - first) * size


def _component(raw: bytes) -> str:
    return raw[1:].decode("utf-16-be" if raw[:1] == b"\x10" else "latin-1", "replace")


def _at(extents: tuple[Extent, ...], place: int) -> int:
    """Return the byte of the source at which a byte of a stream lies."""
    for extent in extents:
        if place < extent.length:
            return extent.offset + place
        place -= extent.length
    return 0


def _times(found: FileEntry) -> Times:
    """Return the times of a file entry in the zone they name alike; in UTC where they name several."""
    known = {name: moment(stamp) for name, stamp in found.stamps.items()}
    zones = {zone for value, zone in known.values() if value is not None}
    values = {name: value for name, (value, _) in known.items()}
    text = "unknown"
    if len(zones) == 1 and None not in zones:
        (zone,) = zones
        assert zone is not None
        text = f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02}:{abs(zone) % 60:02}"
    elif zones and None not in zones:
        text = "utc"
        values = {
            name: None if value is None else value - (zone or 0) * 60_000_000_000
            for name, (value, zone) in known.items()
        }
    return Times(
        modified=values.get("modified"),
        accessed=values.get("accessed"),
        changed=values.get("changed"),
        created=values.get("created"),
        zone=text,
        resolution=RESOLUTION,
    )


def _number(value: int) -> str | None:
    return None if value == 0xFFFFFFFF else str(value)


def _notice(code: NoticeCode, message: str, address: str, offset: int | None) -> Notice:
    return Notice(code=code, message=message, address=address, offset=offset, structure=STRUCTURE)
