"""JPEG pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits


@MEDIA.register
class Jpeg:
    """JPEG pictures through libjpeg-turbo, damaged ones as far as they can be decoded."""

    name: ClassVar[str] = "jpeg"
    title: ClassVar[str] = "JPEG pictures"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ("simplejpeg", "PIL", "numpy")
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg",)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import the library."""
        from kaval.media import turbo
        from kaval.media.examples import by_pillow

        assert turbo.DECODER
        return [("image/jpeg", by_pillow("JPEG"))]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one picture."""
        from kaval.media.turbo import decode_jpeg

        return decode_jpeg(content, limits)
