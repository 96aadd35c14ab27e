"""Videos: key frames only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits

_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/x-matroska": "matroska",
    "video/webm": "matroska",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "video/x-ms-wmv": "asf",
    "video/x-flv": "flv",
}


@MEDIA.register
class Video:
    """Key frames of videos through FFmpeg's libraries, spread over the whole length."""

    name: ClassVar[str] = "video"
    title: ClassVar[str] = "Key frames of videos"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ("av", "PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = tuple(_DEMUXERS)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import the libraries."""
        from kaval.media.keyframes import example

        return [("video/x-msvideo", example())]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one video and of its key frames."""
        from kaval.media.keyframes import decode_video

        return decode_video(content, _DEMUXERS[media_type], limits)
