"""JPEG pictures."""

from __future__ import annotations

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

    def prepare(self) -> None:
        """Import the library and run it once."""
        import numpy as np

        from kaval.media.thumbnails import thumbnail_of_luma

        grey = np.full((128, 128), 127, dtype=np.uint8)
        self.decode(memoryview(thumbnail_of_luma(grey, 128)), "image/jpeg", MediaLimits())

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one picture."""
        from kaval.media.turbo import decode_jpeg

        return decode_jpeg(content, limits)
