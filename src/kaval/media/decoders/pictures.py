"""PNG, GIF, WebP, BMP and TIFF pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kaval.media import MEDIA, MediaFacts, MediaLimits

_FORMATS = {
    "image/png": ("PNG", ("PNG",)),
    "image/gif": ("GIF", ("GIF",)),
    "image/webp": ("WebP", ("WEBP",)),
    "image/bmp": ("BMP", ("BMP", "DIB")),
    "image/tiff": ("TIFF", ("TIFF",)),
}
_PLUGINS = ("PngImagePlugin", "GifImagePlugin", "WebPImagePlugin", "BmpImagePlugin", "TiffImagePlugin")


@MEDIA.register
class Pictures:
    """PNG, GIF, WebP, BMP and TIFF pictures through Pillow."""

    name: ClassVar[str] = "pictures"
    title: ClassVar[str] = "PNG, GIF, WebP, BMP and TIFF pictures"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ("PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = tuple(_FORMATS)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import Pillow's plug-ins."""
        from kaval.media.examples import by_pillow
        from kaval.media.pillow import prepare_pillow

        prepare_pillow("JpegImagePlugin", *_PLUGINS)
        return [(media_type, by_pillow(plugins[0])) for media_type, (_, plugins) in _FORMATS.items()]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of one picture."""
        from kaval.media.pillow import decode_with_pillow

        title, plugins = _FORMATS[media_type]
        return decode_with_pillow(content, plugins, title, limits)
