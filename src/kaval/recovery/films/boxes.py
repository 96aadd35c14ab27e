"""The boxes of an index (ISO/IEC 14496-12, 8.3 to 8.7) as tables of samples: where each lies, and how large it is.

Not read: compressed indexes (``cmov``), films in fragments (``mvex``), sizes in half bytes (``stz2``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaval.core.sources import ByteSource

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

MAXIMUM_INDEX_SIZE = 32 << 20
LEAST_INDEX_SIZE = 200
MAXIMUM_BOXES = 64
MAXIMUM_TRACKS = 64
FIRST_CHILDREN = (b"mvhd", b"trak", b"udta", b"iods", b"meta", b"free")
_BEFORE_DATA = (b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pdin", b"junk", b"pnot", b"udta")
_LENGTH_SIZES = {b"avcC": 4, b"hvcC": 21}
_ENTRY_HEADER, _VISUAL_HEADER = 16, 86


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a film: where its data begin, and where they end by the size that is told of them."""

    data_offset: int
    data_end: int


@dataclass(frozen=True, slots=True)
class Track:
    """One track: the chunks its samples lie in, and the samples; those all of one size are not told one by one.

    ``length_size`` is the size of the length before each NAL unit, nought where the codec has none.
    """

    codec: bytes
    length_size: int
    chunk_offsets: NDArray[int64]
    chunk_sizes: NDArray[int64]
    sample_offsets: NDArray[int64]
    sample_sizes: NDArray[int64]


def head_of(view: ByteSource) -> Head | None:
    """Return where the data of a film lie that starts with the view, ``None`` where an index or nothing comes first."""
    offset = 0
    for _ in range(MAXIMUM_BOXES):
        header = view.read_at(offset, 16)
        size, kind, inside = int.from_bytes(header[:4], "big"), header[4:8], 8
        if size == 1 and len(header) == 16:
            size, inside = int.from_bytes(header[8:16], "big"), 16
        if kind == b"mdat" and inside < size < 1 << 48:
            return Head(offset + inside, offset + size)
        if kind not in _BEFORE_DATA or size < inside or offset + size > view.size:
            return None
        offset += size
    return None


def tracks_of(index: bytes) -> list[Track] | None:
    """Return the tracks of an index, its own header included; ``None`` where it cannot be read or holds no samples."""
    tracks: list[Track] = []
    for kind, start, end in _children(index, 8, len(index)):
        if kind in (b"cmov", b"mvex"):
            return None
        if kind == b"trak":
            track = _track(index, start, end)
            if track is None or len(tracks) >= MAXIMUM_TRACKS:
                return None
            tracks.append(track)
    return [track for track in tracks if len(track.chunk_offsets)] or None


def looks_like_index(start: bytes) -> bool:
    """Whether the first 16 bytes of a box are those of an index."""
    size, inner = int.from_bytes(start[:4], "big"), int.from_bytes(start[8:12], "big")
    is_index = start[4:8] == b"moov" and start[12:16] in FIRST_CHILDREN
    return is_index and LEAST_INDEX_SIZE <= size <= MAXIMUM_INDEX_SIZE and 8 <= inner <= size - 8


def _children(block: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, begin of content and end of the boxes of a range, as far as they are whole."""
    while start + 8 <= end:
        size, kind = int.from_bytes(block[start : start + 4], "big"), block[start + 4 : start + 8]
        if size < 8 or start + size > end:
            return
        yield kind, start + 8, start + size
        start += size


def _find(block: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for kind, inside, behind in _children(block, start, end):
        if kind == path[0]:
            return (inside, behind) if len(path) == 1 else _find(block, inside, behind, *path[1:])
    return None


def _track(index: bytes, start: int, end: int) -> Track | None:
    """Return a track, ``None`` where its tables disagree; one that refers to other files has no chunks here."""
    import numpy as np

    none = np.zeros(0, "<i8")
    table = _find(index, start, end, b"mdia", b"minf", b"stbl")
    parts = {} if table is None else {kind: index[a:b] for kind, a, b in _children(index, *table)}
    if not {b"stsd", b"stsz", b"stsc"} <= parts.keys() or not parts.keys() & {b"stco", b"co64"}:
        return None
    codec, length_size = _codec(parts[b"stsd"])
    width = 4 if b"stco" in parts else 8
    offsets = _numbers(parts[b"stco" if width == 4 else b"co64"], width)
    counts = _counts(_numbers(parts[b"stsc"], 4, columns=3), len(offsets))
    same, number = int.from_bytes(parts[b"stsz"][4:8], "big"), int.from_bytes(parts[b"stsz"][8:12], "big")
    if counts is None or int(offsets.max(initial=0)) >= 1 << 48 or int(offsets.min(initial=0)) < 0:
        return None
    if same:
        if int(counts.sum()) != number:
            return None
        return Track(codec, length_size, offsets, counts * same, none, none)
    sizes = _numbers(parts[b"stsz"][4:], 4)
    if len(sizes) != number or int(counts.sum()) != number:
        return None
    ends = np.concatenate([[0], np.cumsum(sizes)])
    firsts = np.concatenate([[0], np.cumsum(counts)])
    chunk_sizes = ends[firsts[1:]] - ends[firsts[:-1]]
    shift = np.repeat(offsets - ends[firsts[:-1]], counts)
    return Track(codec, length_size, offsets, chunk_sizes, ends[:-1] + shift, sizes)


def _numbers(box: bytes, width: int, columns: int = 1) -> NDArray[int64]:
    """Return the entries of a full box that counts them, as many as it holds; rows of several columns stay rows."""
    import numpy as np

    count = min(int.from_bytes(box[4:8], "big"), (len(box) - 8) // (width * columns)) if len(box) >= 8 else 0
    found = np.frombuffer(box, ">u4" if width == 4 else ">u8", count * columns, 8) if count else np.zeros(0)
    whole = found.astype("<i8")
    return whole.reshape(count, columns) if columns > 1 else whole


def _counts(runs: NDArray[int64], chunks: int) -> NDArray[int64] | None:
    """Return how many samples each chunk holds, by the table that tells it where the number changes."""
    import numpy as np

    if not chunks:
        return np.zeros(0, "<i8")
    if not len(runs) or runs[0, 0] != 1 or runs[-1, 0] > chunks or (np.diff(runs[:, 0]) <= 0).any():
        return None
    if (runs[:, 1] <= 0).any() or int(runs[:, 1].max()) > 1 << 24:
        return None
    return np.repeat(runs[:, 1], np.diff(np.append(runs[:, 0], chunks + 1)))


def _codec(box: bytes) -> tuple[bytes, int]:
    """Return the codec of the first description of samples, and the size of the length before its NAL units."""
    codec = box[12:16]
    size = int.from_bytes(box[8:12], "big")
    for kind, start, _ in _children(box, 8 + _VISUAL_HEADER, min(8 + size, len(box))):
        place = start + _LENGTH_SIZES.get(kind, 0)
        if kind in _LENGTH_SIZES and place < len(box):
            return codec, (box[place] & 3) + 1
    return codec, 0
