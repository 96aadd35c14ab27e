"""Pictures through Pillow, each by the plug-in of its own format only.

Of an animation or a file of several pages the first picture is taken, and the number told. Transparent parts are
laid on white, palettes are resolved, 16 bits and more are scaled to 8. Colour profiles are not applied, nor is
the Exif orientation to what is hashed; the thumbnail is turned upright.
"""

from __future__ import annotations

import importlib
import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError, __version__

from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.media import MediaFacts, MediaLimits
from kaval.media.exif import NOTHING_TOLD, Taking, read_exif
from kaval.media.facts import picture_facts
from kaval.media.pdq import METHOD, pdq_of_luma, pdq_of_rgb
from kaval.media.thumbnails import thumbnail

DECODER = f"pillow {__version__}"

_DAMAGE = (
    OSError, SyntaxError, RuntimeError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    ZeroDivisionError, NotImplementedError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's plug-ins are known to raise on damaged files, beside MemoryError."""

_PARTIAL = frozenset({"JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF"})
"""Formats of which Pillow gives the part that is there; of others it may give an empty picture."""


def prepare_pillow(*plugins: str) -> None:
    """Import plug-ins and what Pillow imports late: once confined, it cannot."""
    for name in ("ImageCms", "ImageColor", "ImagePalette", *plugins):
        importlib.import_module(f"PIL.{name}")


def decode_with_pillow(
    content: memoryview, plugins: tuple[str, ...], title: str, limits: MediaLimits, decoder: str = DECODER
) -> MediaFacts:
    """Return the facts of a picture that one of the named Pillow plug-ins reads."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        picture = Image.open(io.BytesIO(content), formats=plugins)
    except UnidentifiedImageError as error:
        raise CorruptStructureError(f"{title} picture", "its header cannot be read") from error
    except Image.DecompressionBombError as error:
        raise LimitExceededError("pixels", limits.pixels, str(error)) from error
    except PermissionError:
        raise
    except _DAMAGE as error:
        raise CorruptStructureError(f"{title} picture", f"{type(error).__name__}: {error}") from error
    with picture:
        return _facts(picture, content, title, limits, decoder)


def _facts(picture: Image.Image, content: memoryview, title: str, limits: MediaLimits, decoder: str) -> MediaFacts:
    width, height = picture.size
    if width * height > limits.pixels:
        raise LimitExceededError("pixels", limits.pixels, f"the picture has {width} by {height}")
    count = _count(picture)
    problem = _load(picture, title)
    taking = _taking(picture, content)
    stored_mode = picture.mode
    plain, treatment = _plain(picture)
    pixels = np.asarray(plain)
    return picture_facts(
        pdq_of_luma(pixels) if plain.mode == "L" else pdq_of_rgb(pixels),
        thumbnail(pixels, limits.thumbnail_edge, taking.orientation),
        taking,
        kind=f"{title} {stored_mode}" + (f", first of {count}" if count > 1 else ""),
        size=(width, height),
        decoder=decoder,
        pdq_method="; ".join((METHOD, f"{plain.mode} full resolution", *treatment, decoder)),
        problem=problem,
    )


def _count(picture: Image.Image) -> int:
    """Return the number of frames or pages the file says it has; one where that cannot be told."""
    try:
        return int(getattr(picture, "n_frames", 1))
    except PermissionError:
        raise
    except _DAMAGE:
        return 1


def _load(picture: Image.Image, title: str) -> str | None:
    """Decode the pixels, of a cut or damaged file as many as there are; return what was wrong."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture.load()
    except PermissionError:
        raise
    except _DAMAGE as error:
        complaint = f"{type(error).__name__}: {error}"
    else:
        return None
    if picture.format not in _PARTIAL:
        raise CorruptStructureError(f"{title} picture", complaint)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        picture.load()
    except PermissionError:
        raise
    except _DAMAGE as error:
        raise CorruptStructureError(f"{title} picture", f"{type(error).__name__}: {error}") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return f"{complaint}; decoded as far as its bytes go, the rest is filler"


def _taking(picture: Image.Image, content: memoryview) -> Taking:
    if picture.format == "TIFF":
        return read_exif(content)
    stored = picture.info.get("exif")
    return read_exif(stored) if isinstance(stored, bytes) else NOTHING_TOLD


def _plain(picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Return the picture as 8-bit grey or RGB, and what was done to that end."""
    if picture.mode in ("L", "RGB"):
        return picture, ()
    if picture.mode == "1":
        return picture.convert("L"), ()
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return Image.fromarray(_eight_bits(np.asarray(picture))), ("scaled to 8 bits",)
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        ground = Image.new("RGB", opaque.size, "white")
        ground.paste(opaque, mask=opaque.getchannel("A"))
        return ground, ("transparency on white",)
    return picture.convert("RGB"), ()


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return 16-bit values divided by 256; wider and floating ones stretched from their least to their greatest."""
    if values.dtype.kind in "ui" and values.dtype.itemsize == 2:
        return (values.astype(np.uint16, copy=False) >> 8).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    return ((finite - low) * (255.0 / (high - low or 1.0))).astype(np.uint8)
