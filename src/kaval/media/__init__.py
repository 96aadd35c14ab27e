"""Media: pictures and video key frames, decoded in a confined process, told as facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One decoded picture, or one key frame of a video.

    ``pdq`` holds the eight dihedral PDQ hashes of 32 bytes, the unturned one first, in the order
    original, rotate 90, rotate 180, rotate 270, flip x, flip y, flip plus 1, flip minus 1;
    ``quality`` is the PDQ quality, 0 to 100. ``thumbnail`` is a JPEG made here from the pixels, never
    bytes of the file.
    """

    index: int
    at_ms: int | None
    pdq: tuple[bytes, ...]
    quality: int
    thumbnail: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFacts:
    """What a decoder could tell of one stream.

    ``decoder`` and ``pdq_method`` name libraries and versions, because two decoders may differ by some bits.
    ``taken_at`` is the EXIF text as stored, with no zone attached. ``problem`` says how far a damaged
    picture was decoded.
    """

    format: str
    width: int
    height: int
    decoder: str
    pdq_method: str
    frames: tuple[Frame, ...]
    duration_ms: int | None = None
    taken_at: str | None = None
    make: str | None = None
    model: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaLimits:
    """What one stream may cost: seconds of wall time, bytes of memory, pixels, key frames."""

    seconds: float = 30.0
    memory_size: int = 1 << 30
    pixels: int = 250_000_000
    frames: int = 64
    thumbnail_edge: int = 256


class MediaDecoder(Capability, Protocol):
    """Decodes one family of formats; runs inside the confined process only."""

    media_types: ClassVar[tuple[str, ...]]

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import and warm all that decoding needs: no file can be opened once the process is confined.

        Returns small files with their types (``kaval.media.examples``) that it must be able to decode when confined.
        """
        ...

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one stream.

        Raises:
            CorruptStructureError: The stream cannot be decoded.
            LimitExceededError: It would cost more than the limits allow.
        """
        ...


MEDIA: Registry[MediaDecoder] = Registry("kaval.media.decoders")
