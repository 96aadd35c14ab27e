"""AVIF pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits


@MEDIA.register
class Avif:
    """AVIF pictures through Pillow, with one thread."""

    name: ClassVar[str] = "avif"
    title: ClassVar[str] = "AVIF pictures"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = ("image/avif",)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import Pillow's plug-in."""
        from PIL import AvifImagePlugin

        from kaval.media.examples import AVIF
        from kaval.media.pillow import prepare_pillow

        prepare_pillow()
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        return [("image/avif", AVIF)]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of the picture, of a sequence those of its first."""
        from kaval.media.pillow import decode_with_pillow

        return decode_with_pillow(content, ("AVIF",), "AVIF", limits)
