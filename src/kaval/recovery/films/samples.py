"""Whether a sample stands where an index says, by its own form: the chain of NAL units, start codes, frame headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from kaval.core.sources import ByteSource
from kaval.recovery.films.boxes import Track

MAXIMUM_UNITS = 4096
_AMR_SIZES = (13, 14, 16, 18, 20, 21, 27, 32, 6)
_PRORES = frozenset({b"apch", b"apcn", b"apcs", b"apco", b"ap4h", b"ap4x"})
_JPEG = frozenset({b"jpeg", b"mjpa", b"mjpb"})
_HEVC = frozenset({b"hvc1", b"hev1", b"dvh1", b"dvhe"})

_SPEAKS = frozenset({0, 1, 4, 5, 6})
"""What an AAC frame begins with: one channel, a pair, data, a program, a filling."""

Stands = Callable[[ByteSource, int, int], bool]
"""Tells of a place and a size whether such a sample stands there."""


class Form(NamedTuple):
    """How samples of a track are known, and how many bits of proof one that stands in its place is."""

    stands: Stands
    bits: float


def form_of(track: Track) -> Form | None:
    """Return what knows the samples of a track, ``None`` where they have no form that could be told."""
    stands = _strict(track)
    if stands is not None:
        return Form(stands, 8.0)
    return Form(_is_aac, 0.5) if track.codec == b"mp4a" else None


def _strict(track: Track) -> Stands | None:
    if track.length_size:
        return lambda source, place, size: _units(source, place, size, track.length_size, track.codec in _HEVC)
    if track.codec in _JPEG:
        return lambda source, place, size: source.read_at(place, 3) == b"\xff\xd8\xff"
    if track.codec in _PRORES:
        return lambda source, place, size: source.read_at(place, 8)[4:] == b"icpf"
    if track.codec == b"mp4v":
        return lambda source, place, size: source.read_at(place, 3) == b"\0\0\1"
    if track.codec in (b"s263", b"h263"):
        return lambda source, place, size: _is_h263(source.read_at(place, 3))
    return _speech if track.codec == b"samr" else None


def _units(source: ByteSource, place: int, size: int, width: int, is_hevc: bool) -> bool:
    """Whether a sample is a chain of NAL units that ends where the sample does."""
    end = place + size
    for _ in range(MAXIMUM_UNITS):
        head = source.read_at(place, width + 1)
        length = int.from_bytes(head[:width], "big")
        if len(head) <= width or not 0 < length <= end - place - width or head[width] & 0x80:
            return False
        kind = head[width] >> 1 if is_hevc else head[width] & 31
        if kind > 47 or (not is_hevc and not 0 < kind < 24):
            return False
        place += width + length
        if place == end:
            return True
    return False


def _is_h263(head: bytes) -> bool:
    return len(head) == 3 and head[:2] == b"\0\0" and head[2] & 0xFC == 0x80


def _is_aac(source: ByteSource, place: int, size: int) -> bool:
    head = source.read_at(place, min(size, 4))
    return any(head) and head[0] >> 5 in _SPEAKS


def _speech(source: ByteSource, place: int, size: int) -> bool:
    """Whether a sample is made of whole AMR frames."""
    if size > 1 << 16:
        return False
    block = source.read_at(place, size)
    done = 0
    while done < len(block):
        kind = block[done] >> 3 & 15
        if block[done] & 0x83 or not (kind < len(_AMR_SIZES) or kind == 15):
            return False
        done += _AMR_SIZES[kind] if kind < len(_AMR_SIZES) else 1
    return done == size == len(block)


def known_samples(tracks: Iterable[Track]) -> Iterator[tuple[int, int, Form]]:
    """Yield offset, size and form of every sample whose form can be told."""
    for track in tracks:
        form = form_of(track)
        if form is not None:
            for offset, size in zip(track.sample_offsets.tolist(), track.sample_sizes.tolist(), strict=True):
                if size:
                    yield offset, size, form
