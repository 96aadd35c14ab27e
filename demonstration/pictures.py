"""Pictures: landscapes made of noise, gradients, shapes; nothing else is ever shown. A seed gives the same pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

Size = tuple[int, int]

_HALVED = 480


class Motif(StrEnum):
    """What a picture shows; grammar: one noun."""

    LANDSCAPE = "landscape"
    GRADIENT = "gradient"
    SHAPES = "shapes"


class Form(StrEnum):
    """The format a picture is stored in; the value is its extension."""

    JPEG = "jpg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"
    BMP = "bmp"
    TIFF = "tif"
    HEIC = "heic"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a picture is made: the same recipe gives the same bytes.

    ``size`` is the size it is painted in; ``shown`` the one it is stored in, where that differs (a smaller copy).
    """

    seed: int
    motif: Motif = Motif.LANDSCAPE
    size: Size = (1024, 768)
    shown: Size | None = None
    form: Form = Form.JPEG
    quality: int = 88
    mirrored: bool = False
    taken_at: str | None = None


def encode(recipe: Recipe) -> bytes:
    """Return the bytes of the picture."""
    picture = paint(recipe)
    if recipe.shown:
        picture = picture.resize(recipe.shown, Image.Resampling.LANCZOS)
    if recipe.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    target = io.BytesIO()
    match recipe.form:
        case Form.JPEG:
            picture.save(target, "JPEG", quality=recipe.quality, exif=_exif(recipe))
        case Form.WEBP:
            picture.save(target, "WEBP", quality=recipe.quality, method=2)
        case Form.GIF:
            picture.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(target, "GIF")
        case Form.TIFF:
            picture.save(target, "TIFF", compression="tiff_lzw")
        case Form.HEIC:
            _save_heic(picture, target, recipe.quality)
        case Form.PNG:
            picture.save(target, "PNG", compress_level=3)
        case Form.BMP:
            picture.save(target, "BMP")
    return target.getvalue()


def paint(recipe: Recipe) -> Image.Image:
    """Return the pixels in the size they are painted in."""
    chance = np.random.default_rng(recipe.seed)
    match recipe.motif:
        case Motif.LANDSCAPE:
            return _landscape(chance, recipe.size)
        case Motif.GRADIENT:
            return _gradient(chance, recipe.size)
        case Motif.SHAPES:
            return _shapes(chance, recipe.size)


def _clouds(chance: np.random.Generator, size: Size, coarse: Size) -> NDArray[np.float32]:
    """Return smooth noise of three scales, about -1 to 1."""
    width, height = size
    total: NDArray[np.float32] = np.zeros((height, width), dtype=np.float32)
    share = np.float32(1)
    for octave in range(3):
        few = chance.normal(size=(coarse[1] << octave, coarse[0] << octave)).astype(np.float32)
        total += share * np.asarray(Image.fromarray(few).resize(size, Image.Resampling.BICUBIC))
        share = np.float32(share / 2)
    return (total / 2).astype(np.float32)


def _landscape(chance: np.random.Generator, size: Size) -> Image.Image:
    """Return a sky of noise over four ridges, with the grain a sensor has; painted at half size where it is large."""
    width, height = (size[0] // 2, size[1] // 2) if size[0] > _HALVED else size
    sky = chance.integers(90, 230, 3).astype(np.float32)
    pixels = sky + 40 * _clouds(chance, (width, height), (5, 3))[..., np.newaxis]
    rows = np.arange(height, dtype=np.float32)[:, np.newaxis]
    for ridge in range(4):
        few = chance.normal(size=(1, 5 + 6 * ridge)).astype(np.float32)
        line = np.asarray(Image.fromarray(few).resize((width, 1), Image.Resampling.BICUBIC))[0]
        edge = height * (0.3 + 0.17 * ridge) + line * height * 0.13
        ground = chance.integers(10, 200, 3).astype(np.float32)
        pattern = 28 * _clouds(chance, (width, height), (7 + 5 * ridge, 4 + 3 * ridge))[..., np.newaxis]
        pixels = np.where((rows > edge)[..., np.newaxis], ground + pattern, pixels)
    painted = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    grain = Image.fromarray(chance.integers(122, 134, (size[1], size[0]), dtype=np.uint8))
    return ImageChops.add(painted, Image.merge("RGB", (grain,) * 3), offset=-128)


def _gradient(chance: np.random.Generator, size: Size) -> Image.Image:
    width, height = size
    corners = chance.integers(0, 256, (3, 3, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    bands = np.sin(np.arange(width, dtype=np.float32) * float(chance.uniform(0.01, 0.05)))
    return Image.fromarray(np.clip(smooth + 18 * bands[np.newaxis, :, np.newaxis], 0, 255).astype(np.uint8))


def _shapes(chance: np.random.Generator, size: Size) -> Image.Image:
    width, height = size
    picture = _gradient(chance, size)
    brush = ImageDraw.Draw(picture)
    for _ in range(int(chance.integers(8, 24))):
        left, top = int(chance.integers(0, width)), int(chance.integers(0, height))
        box = (left, top, left + int(chance.integers(8, width // 3)), top + int(chance.integers(8, height // 3)))
        colour = tuple(int(part) for part in chance.integers(0, 256, 3))
        (brush.ellipse if chance.random() < 0.5 else brush.rectangle)(box, fill=colour)
    return picture


def _exif(recipe: Recipe) -> Image.Exif:
    """Return EXIF of an invented camera; its position lies in the open sea."""
    exif = Image.Exif()
    if recipe.taken_at:
        exif[0x010F], exif[0x0110] = "Nilavu", "N-1"
        exif[0x0132] = recipe.taken_at
        exif.get_ifd(0x8769)[0x9003] = recipe.taken_at
        exif.get_ifd(0x8825).update({1: "N", 2: (9.0, 30.0, 0.0), 3: "E", 4: (68.0, 15.0, 0.0)})
    return exif


def _save_heic(picture: Image.Image, target: io.BytesIO, quality: int) -> None:
    import pillow_heif

    pillow_heif.from_pillow(picture).save(target, quality=quality)
