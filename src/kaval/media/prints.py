"""Prints: a stranger's picture made anew in colour, upright, small enough to keep, without anything else of its file.

Not part of an examination, whose thumbnails are grey: the studio is asked to load this module where photographs are
taken in that people made themselves, of an exhibit or of a place.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.media import MEDIA, MediaFacts, MediaLimits

FORMATS = {"image/jpeg": ("JPEG", "JPEG"), "image/png": ("PNG", "PNG"), "image/webp": ("WebP", "WEBP")}
_PLUGINS = ("JpegImagePlugin", "PngImagePlugin", "WebPImagePlugin")
_QUALITIES = (88, 80, 70, 60, 45, 30)
_LARGEST = 1 << 20


@MEDIA.register
class Prints:
    """Prints of JPEG, PNG and WebP pictures; where it is loaded it comes before every other decoder."""

    name: ClassVar[str] = "prints"
    title: ClassVar[str] = "Prints of pictures in colour"
    rank: ClassVar[int] = 0
    requires: ClassVar[tuple[str, ...]] = ("PIL", "numpy", "simplejpeg")
    media_types: ClassVar[tuple[str, ...]] = tuple(FORMATS)

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Import Pillow's plug-ins."""
        from kaval.media.examples import by_pillow
        from kaval.media.pillow import prepare_pillow

        prepare_pillow("ImageOps", *_PLUGINS)
        return [(media_type, by_pillow(plugin)) for media_type, (_title, plugin) in FORMATS.items()]

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Return the facts of a picture, with its print in the place of the thumbnail."""
        from kaval.media.pillow import decode_with_pillow

        title, plugin = FORMATS[media_type]
        facts = decode_with_pillow(content, (plugin,), title, limits)
        if facts.problem is not None:
            raise CorruptStructureError(f"{title} picture", facts.problem)
        printed, size = _print(content, plugin, limits.thumbnail_edge)
        return replace(facts, width=size[0], height=size[1], frames=(replace(facts.frames[0], thumbnail=printed),))


def _print(content: memoryview, plugin: str, edge: int) -> tuple[bytes, tuple[int, int]]:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content), formats=(plugin,)) as picture:
        upright = ImageOps.exif_transpose(picture)
        plain = Image.new("RGB", upright.size, "white")
        opaque = upright.convert("RGBA")
        plain.paste(opaque, mask=opaque.getchannel("A"))
    plain.thumbnail((edge, edge))
    for quality in _QUALITIES:
        written = io.BytesIO()
        # No argument carries anything of the file over: neither profile nor Exif nor comment.
        plain.save(written, "JPEG", quality=quality)
        if written.tell() <= _LARGEST:
            return written.getvalue(), plain.size
    raise LimitExceededError("size", _LARGEST, "its print does not become small enough")
