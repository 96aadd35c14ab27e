"""PNG, GIF, WebP, BMP and TIFF pictures."""

from __future__ import annotations

import io
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits

_FORMATS = {
    "image/png": ("PNG", ("PNG",)),
    "image/gif": ("GIF", ("GIF",)),
    "image/webp": ("WebP", ("WEBP",)),
    "image/bmp": ("BMP", ("BMP", "DIB")),
    "image/tiff": ("TIFF", ("TIFF",)),
}


@MEDIA.register
class Pictures:
    """PNG, GIF, WebP, BMP and TIFF pictures through Pillow."""

    name: ClassVar[str] = "pictures"
    title: ClassVar[str] = "PNG, GIF, WebP, BMP and TIFF pictures"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ("PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = tuple(_FORMATS)

    def prepare(self) -> None:
        """Import Pillow's plug-ins and run each once."""
        from PIL import Image

        from kaval.media.pillow import prepare_pillow

        prepare_pillow()
        for media_type, (_, plugins) in _FORMATS.items():
            stream = io.BytesIO()
            Image.new("RGB", (8, 8)).save(stream, plugins[0])
            self.decode(memoryview(stream.getvalue()), media_type, MediaLimits())

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one picture."""
        from kaval.media.pillow import decode_with_pillow

        title, plugins = _FORMATS[media_type]
        return decode_with_pillow(content, plugins, title, limits)
