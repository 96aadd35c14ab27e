"""A picture that somebody hands in, decoded in a confined process and encoded anew; for the platform's uploads."""

from __future__ import annotations

from dataclasses import dataclass

from kaval.core.errors import KavalError
from kaval.core.records import Notice
from kaval.filetypes import HEAD_SIZE
from kaval.filetypes.identify import identify
from kaval.media import MediaLimits
from kaval.media.studio import Studio

# Loaded by the decoder process alone, so that the capabilities of an examination stay what they are.
_PRINTS = "kaval.media.prints"
_TAKEN = ("image/jpeg", "image/png", "image/webp")
_LIMITS = {"seconds": 20.0, "memory_size": 768 << 20, "pixels": 120_000_000, "frames": 1}


class PictureRefusedError(KavalError):
    """These bytes are no picture that can be made anew; ``reason`` says why, and quotes nothing of them."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The picture is refused: {reason}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture made here from decoded pixels: JPEG, upright, in colour, without Exif, profile or hidden bytes."""

    content: bytes
    media_type: str
    width: int
    height: int


def reencode(content: bytes, *, edge: int = 2048) -> Picture:
    """Return the picture made anew, at most ``edge`` each way.

    The format is told by the bytes, never by a name. The process that decodes has no network, no files and little time.

    Raises:
        PictureRefusedError: It is no JPEG, PNG or WebP, is damaged, or costs more than a photograph does.
    """
    found = identify(content[:HEAD_SIZE], len(content))
    if found is None or found.media_type not in _TAKEN:
        raise PictureRefusedError("it is no JPEG, PNG or WebP picture")
    limits = MediaLimits(thumbnail_edge=edge, **_LIMITS)  # type: ignore[arg-type]
    with Studio(limits, modules=(_PRINTS,)) as studio:
        studio.submit(content, found.media_type)
        answer = studio.result()
    if isinstance(answer, Notice):
        raise PictureRefusedError(f"it could not be decoded ({answer.code})")
    printed = answer.frames[0].thumbnail
    return Picture(content=printed, media_type="image/jpeg", width=answer.width, height=answer.height)
