"""HEIC pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits


@MEDIA.register
class Heic:
    """HEIC pictures through libheif, with its own security limits in force and one thread."""

    name: ClassVar[str] = "heic"
    title: ClassVar[str] = "HEIC pictures"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("pillow_heif", "PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = ("image/heic",)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import libheif and make it known to Pillow."""
        import pillow_heif

        from kaval.media.examples import HEIC
        from kaval.media.pillow import prepare_pillow

        prepare_pillow()
        pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
        return [("image/heic", HEIC)]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of the primary picture; it stands as the file itself says it is to be seen."""
        import pillow_heif

        from kaval.media.pillow import decode_with_pillow

        decoder = f"pillow-heif {pillow_heif.__version__} / libheif {pillow_heif.libheif_version()}"
        return decode_with_pillow(content, ("HEIF",), "HEIC", limits, decoder=decoder)
