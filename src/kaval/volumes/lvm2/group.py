"""A volume group of LVM2 as one of its physical volumes shows it: what each logical volume is made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes.lvm2.metadata import PhysicalLabel, Section, Value
from kaval.volumes.ranges import VolumeSlice

_SECTOR = 512
_MAXIMUM_SEGMENTS = 4096
_MAXIMUM_SIZE = 1 << 62


@dataclass(frozen=True, kw_only=True)
class _Stripe:
    """One stripe: where it starts on this physical volume, or the name of the one it lies on."""

    offset: int | None
    holder: str


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """A run of a logical volume: ``start`` and ``size`` in bytes, dealt out over stripes."""

    start: int
    size: int
    stripes: tuple[_Stripe, ...]
    stripe_size: int

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges (start, end) of this physical volume it takes."""
        for stripe in self.stripes:
            if stripe.offset is not None:
                yield stripe.offset, stripe.offset + self.size // len(self.stripes)

    def place(self, offset: int) -> tuple[_Stripe, int, int]:
        """Return the stripe an offset falls on, where in it, and how many bytes follow there."""
        if len(self.stripes) == 1:
            return self.stripes[0], offset, self.size - offset
        row, within = divmod(offset, self.stripe_size * len(self.stripes))
        number, rest = divmod(within, self.stripe_size)
        return self.stripes[number], row * self.stripe_size + rest, self.stripe_size - rest


class LogicalSource:
    """A logical volume laid out over its segments; what lies on another physical volume is unreadable."""

    def __init__(self, source: ByteSource, segments: list[_Segment]) -> None:
        self._inner = source
        self._segments = segments
        self._starts = [segment.start for segment in segments]
        self._size = segments[-1].start + segments[-1].size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        end = min(offset + length, self._size)
        blocks = []
        while offset < end:
            segment = self._segments[bisect_right(self._starts, offset) - 1]
            stripe, within, available = segment.place(offset - segment.start)
            take = min(end - offset, available, segment.start + segment.size - offset)
            blocks.append(self._read(stripe, within, take))
            offset += take
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _read(self, stripe: _Stripe, within: int, length: int) -> bytes:
        if stripe.offset is None:
            raise UnreadableError(within, length, f"they lie on the physical volume {stripe.holder}, which is not here")
        place = stripe.offset + within
        block = self._inner.read_at(place, length)
        if len(block) < length:
            raise UnreadableError(place + len(block), length - len(block), "the physical volume ends before them")
        return block


@dataclass(frozen=True, kw_only=True)
class VolumeGroup:
    """A volume group seen from one physical volume; sizes in bytes."""

    source: ByteSource
    name: str
    section: Section
    extent_size: int
    own: str
    data_offset: int
    data_size: int

    def logical_volumes(self) -> Iterator[tuple[str, Section]]:
        """Yield name and section of the volumes a person sees."""
        for name, section in _sections(self.section.get("logical_volumes")):
            status = section.get("status")
            if isinstance(status, list) and "VISIBLE" in status:
                yield name, section

    def volume(self, name: str, section: Section, taken: list[tuple[int, int]]) -> Iterator[Volume | Notice]:
        """Yield a logical volume, with what of it is missing; adds the ranges it takes."""
        count = _number(section, "segment_count")
        if not 0 < count <= _MAXIMUM_SEGMENTS:
            message = f"volume {name} is to have {count} segments, and 1 to {_MAXIMUM_SEGMENTS} are read"
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, address=name, structure="LVM2 metadata")
            return
        segments = []
        for number in range(1, count + 1):
            segment = section.get(f"segment{number}")
            if not isinstance(segment, dict):
                raise CorruptStructureError("LVM2 metadata", f"segment {number} of volume {name} is not there")
            kind = segment.get("type")
            if kind not in ("striped", "linear"):
                message = f"volume {name} of group {self.name} is of the type {kind}, which is not read here;"
                message += " activate the group read-only on a copy and give the image of the volume"
                yield Notice(code=NoticeCode.UNSUPPORTED, message=message, address=name, structure="LVM2 metadata")
                return
            segments.append(self._segment(segment, name))
        segments.sort(key=lambda segment: segment.start)
        self._check(segments, name)
        taken += [piece for segment in segments for piece in segment.ranges()]
        yield from self._missing(name, segments)
        yield self._described(name, section, segments)

    def _segment(self, segment: Section, name: str) -> _Segment:
        size = _number(segment, "extent_count") * self.extent_size
        stripes = []
        stored = segment.get("stripes")
        if not isinstance(stored, list) or len(stored) % 2 or not stored:
            raise CorruptStructureError("LVM2 metadata", f"the stripes of volume {name} are no list of pairs")
        for holder, extent in zip(stored[::2], stored[1::2], strict=True):
            if not isinstance(extent, int) or extent < 0:
                raise CorruptStructureError("LVM2 metadata", f"a stripe of volume {name} starts at extent {extent!r}")
            offset = self.data_offset + extent * self.extent_size if holder == self.own else None
            stripes.append(_Stripe(offset=offset, holder=str(holder)))
        stripe_size = _number(segment, "stripe_size") * _SECTOR if len(stripes) > 1 else size
        if stripe_size <= 0 or size % len(stripes):
            raise CorruptStructureError("LVM2 metadata", f"volume {name} cannot be dealt out over its stripes")
        start = _number(segment, "start_extent") * self.extent_size
        return _Segment(start=start, size=size, stripes=tuple(stripes), stripe_size=stripe_size)

    def _check(self, segments: list[_Segment], name: str) -> None:
        """Hold the segments to lying end to end."""
        position = 0
        for segment in segments:
            if segment.start != position or segment.size <= 0:
                raise CorruptStructureError("LVM2 metadata", f"the segments of volume {name} do not lie end to end")
            position += segment.size
        if not 0 < position < _MAXIMUM_SIZE:
            raise CorruptStructureError("LVM2 metadata", f"volume {name} is to take {position} bytes")

    def _missing(self, name: str, segments: list[_Segment]) -> Iterator[Notice]:
        absent: dict[str, int] = {}
        cut = 0
        for segment in segments:
            each = segment.size // len(segment.stripes)
            for stripe in segment.stripes:
                if stripe.offset is None:
                    absent[stripe.holder] = absent.get(stripe.holder, 0) + each
                else:
                    cut += min(each, max(0, stripe.offset + each - self.source.size))
        for holder, size in absent.items():
            message = f"{size} bytes of volume {name} lie on the physical volume {holder} of group {self.name},"
            message += " which is not here; they are unreadable. Activate the whole group read-only on copies"
            yield Notice(code=NoticeCode.UNREADABLE, message=message, address=name, structure="LVM2 metadata")
        if cut:
            message = f"{cut} bytes of volume {name} lie behind the end of the physical volume; the image is cut"
            yield Notice(code=NoticeCode.TRUNCATED, message=message, address=name, offset=self.source.size)

    def _described(self, name: str, section: Section, segments: list[_Segment]) -> Volume:
        facts = {"group": self.name, "volume id": str(section.get("id", "")), "segments": str(len(segments))}
        if len(segments) == 1 and len(segments[0].stripes) == 1:
            offset = segments[0].stripes[0].offset
            if offset is not None and offset + segments[0].size <= self.source.size:
                plain = VolumeSlice(self.source, offset, segments[0].size)
                return Volume(address=name, source=plain, title=f"Logical volume {name}", offset=offset, facts=facts)
        source = LogicalSource(self.source, segments)
        return Volume(address=name, source=source, title=f"Logical volume {name}", facts=facts)


def read_group(source: ByteSource, label: PhysicalLabel, root: Section) -> VolumeGroup:
    """Return the volume group of a text, seen from the physical volume with that label."""
    groups = list(_sections(dict(root)))
    if len(groups) != 1:
        raise CorruptStructureError("LVM2 metadata", f"they describe {len(groups)} volume groups", label.offset)
    name, section = groups[0]
    for own, volume in _sections(section.get("physical_volumes")):
        if str(volume.get("id", "")).replace("-", "") == label.identifier:
            return VolumeGroup(
                source=source,
                name=name,
                section=section,
                extent_size=_number(section, "extent_size") * _SECTOR,
                own=own,
                data_offset=_number(volume, "pe_start") * _SECTOR,
                data_size=_number(volume, "pe_count") * _number(section, "extent_size") * _SECTOR,
            )
    raise CorruptStructureError("LVM2 metadata", "they do not know this physical volume", label.offset)


def _sections(value: Value | None) -> Iterator[tuple[str, Section]]:
    if isinstance(value, dict):
        for name, section in value.items():
            if isinstance(section, dict):
                yield name, section


def _number(section: Section, name: str) -> int:
    value = section.get(name)
    if not isinstance(value, int) or value < 0:
        raise CorruptStructureError("LVM2 metadata", f"{name} is {value!r}, which is no count")
    return value


def free_space(source: ByteSource, group: VolumeGroup, taken: list[tuple[int, int]]) -> Iterator[Volume]:
    """Yield the space of the data area that no volume read here takes."""
    position = group.data_offset
    end = min(source.size, group.data_offset + group.data_size)
    for start, stop in (*sorted(taken), (end, end)):
        size = min(start, end) - position
        if size > 0:
            yield Volume(
                address=f"gap-{position}",
                source=VolumeSlice(source, position, size),
                title="Space of no logical volume read here",
                offset=position,
                facts={"state": "unallocated"},
            )
        position = max(position, stop)
