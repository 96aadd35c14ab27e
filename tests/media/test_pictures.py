"""Pictures through the real studio: facts, hashes beside the oracle, damage, bombs."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from kaval.core.records import Notice, NoticeCode
from kaval.media import MediaFacts, MediaLimits
from kaval.media.studio import Studio
from tests.media.oracle import pdqhash
from tests.media.scenes import Pixels, landscape, shapes, stored

SCENE = landscape(420, 300)

_JPEG_DISTANCE = 4
"""Luma as the JPEG stores it, beside that of clipped, rounded RGB: mostly 0 bits apart, on colourful noise up to 4."""


@pytest.fixture(name="studio", scope="module")
def _studio() -> Iterator[Studio]:
    with Studio(MediaLimits(seconds=10.0)) as studio:
        yield studio


def facts(studio: Studio, content: bytes, media_type: str) -> MediaFacts:
    studio.submit(content, media_type)
    answer = studio.result()
    assert isinstance(answer, MediaFacts), answer
    return answer


def refusal(studio: Studio, content: bytes, media_type: str) -> Notice:
    studio.submit(content, media_type)
    answer = studio.result()
    assert isinstance(answer, Notice), answer
    return answer


def distance_to_pdqhash(told: MediaFacts, pixels: Pixels) -> int:
    bits, quality = pdqhash().compute(np.ascontiguousarray(pixels))
    expected = np.packbits(bits.astype(np.uint8)).tobytes()
    assert told.frames[0].quality == quality
    return (int.from_bytes(told.frames[0].pdq[0]) ^ int.from_bytes(expected)).bit_count()


def by_pillow(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def heic(pixels: Pixels) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(stream, quality=80)
    return stream.getvalue()


FILES = {
    "image/jpeg": stored(SCENE, "JPEG", quality=92),
    "image/png": stored(SCENE, "PNG"),
    "image/gif": stored(SCENE, "GIF"),
    "image/webp": stored(SCENE, "WEBP"),
    "image/bmp": stored(SCENE, "BMP"),
    "image/tiff": stored(SCENE, "TIFF"),
    "image/avif": stored(SCENE, "AVIF"),
    "image/heic": heic(SCENE),
}


@pytest.mark.parametrize("media_type", FILES)
def test_every_format_is_decoded_confined_and_hashed_as_its_pixels_are(studio: Studio, media_type: str) -> None:
    content = FILES[media_type]
    told = facts(studio, content, media_type)
    expected = np.asarray(pillow_heif.read_heif(content)) if media_type == "image/heic" else by_pillow(content)

    assert (told.width, told.height) == (420, 300)
    assert told.problem is None
    assert distance_to_pdqhash(told, expected) <= (_JPEG_DISTANCE if media_type == "image/jpeg" else 0)
    with Image.open(io.BytesIO(told.frames[0].thumbnail)) as small:
        assert small.format == "JPEG"
        assert small.size == (210, 150)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_compressed_tiff_pictures_are_decoded(studio: Studio, compression: str) -> None:
    content = stored(SCENE, "TIFF", compression=compression)

    assert distance_to_pdqhash(facts(studio, content, "image/tiff"), by_pillow(content)) == 0


def test_progressive_grey_and_cmyk_jpegs_are_decoded(studio: Studio) -> None:
    grey = stored(SCENE[:, :, 0], "JPEG")
    progressive = stored(SCENE, "JPEG", progressive=True)
    stream = io.BytesIO()
    Image.fromarray(SCENE).convert("CMYK").save(stream, "JPEG")
    cmyk = stream.getvalue()

    assert distance_to_pdqhash(facts(studio, grey, "image/jpeg"), by_pillow(grey)) == 0
    assert distance_to_pdqhash(facts(studio, progressive, "image/jpeg"), by_pillow(progressive)) <= _JPEG_DISTANCE
    assert distance_to_pdqhash(facts(studio, cmyk, "image/jpeg"), by_pillow(cmyk)) == 0
    assert facts(studio, cmyk, "image/jpeg").format == "JPEG CMYK"


def test_transparent_parts_are_laid_on_white(studio: Studio) -> None:
    clear = np.dstack([SCENE, np.full(SCENE.shape[:2], 255, dtype=np.uint8)])
    clear[50:200, 100:300, 3] = 0
    expected = SCENE.copy()
    expected[50:200, 100:300] = 255
    for plugin, media_type in (("PNG", "image/png"), ("TIFF", "image/tiff")):
        told = facts(studio, stored(clear, plugin), media_type)

        assert distance_to_pdqhash(told, expected) == 0
        assert "transparency on white" in told.pdq_method


def test_sixteen_bits_are_scaled_to_eight(studio: Studio) -> None:
    deep = SCENE[:, :, 1].astype(np.uint16) * 256 + 99
    expected = np.repeat(SCENE[:, :, 1:2], 3, axis=2)
    for plugin, media_type in (("PNG", "image/png"), ("TIFF", "image/tiff")):
        told = facts(studio, stored(deep, plugin), media_type)

        assert distance_to_pdqhash(told, expected) == 0
        assert "scaled to 8 bits" in told.pdq_method


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "I", "F", "CMYK", "YCbCr", "LAB"])
def test_every_mode_of_a_tiff_or_png_gives_facts(studio: Studio, mode: str) -> None:
    picture = Image.fromarray(SCENE)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(picture, *profiles, outputMode="LAB")
        assert converted is not None
        picture = converted
    elif mode == "PA":
        picture = picture.convert("P").convert("PA")
    else:
        picture = picture.convert("L").convert(mode) if mode in ("I", "F", "LA") else picture.convert(mode)
    stream = io.BytesIO()
    plugin, media_type = ("PNG", "image/png") if mode in ("PA",) else ("TIFF", "image/tiff")
    if mode == "PA":
        picture = picture.convert("RGBA")
    picture.save(stream, plugin)

    assert facts(studio, stream.getvalue(), media_type).frames[0].quality > 0


def test_an_animation_tells_its_number_of_frames_and_gives_the_first(studio: Studio) -> None:
    frames = [Image.fromarray(landscape(120, 90, seed)) for seed in range(3)]
    for plugin, media_type in (("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")):
        stream = io.BytesIO()
        frames[0].save(stream, plugin, save_all=True, append_images=frames[1:])
        content = stream.getvalue()
        told = facts(studio, content, media_type)

        assert "first of 3" in told.format
        assert distance_to_pdqhash(told, by_pillow(content)) == 0


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff"])
def test_a_cut_picture_is_decoded_as_far_as_it_goes_and_says_so(studio: Studio, media_type: str) -> None:
    told = facts(studio, FILES[media_type][: len(FILES[media_type]) * 2 // 3], media_type)

    assert told.problem is not None
    assert told.frames[0].quality > 0


def test_a_cut_jpeg_says_down_to_which_line_it_was_decoded(studio: Studio) -> None:
    told = facts(studio, FILES["image/jpeg"][: len(FILES["image/jpeg"]) // 2], "image/jpeg")
    assert told.problem is not None
    line = int(told.problem.partition("as far as line ")[2].split()[0])

    assert 100 < line < 200


@pytest.mark.parametrize("media_type", ["image/webp", "image/avif", "image/heic"])
def test_a_cut_picture_that_cannot_be_decoded_in_part_is_damaged_not_blank(studio: Studio, media_type: str) -> None:
    notice = refusal(studio, FILES[media_type][: len(FILES[media_type]) * 2 // 3], media_type)

    assert notice.code is NoticeCode.DAMAGED


@pytest.mark.parametrize("media_type", FILES)
def test_what_is_no_picture_at_all_is_damaged(studio: Studio, media_type: str) -> None:
    assert refusal(studio, b"no picture at all, but a text", media_type).code is NoticeCode.DAMAGED


def png_of(width: int, height: int, body: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_picture_of_absurd_size_is_refused_at_once(studio: Studio) -> None:
    squeezer = zlib.compressobj(9)
    body = b"".join(squeezer.compress(bytes(60_001)) for _ in range(100)) + squeezer.flush()
    begun = time.monotonic()
    notice = refusal(studio, png_of(60_000, 60_000, body), "image/png")

    assert notice.code is NoticeCode.MEMORY_LIMIT
    assert "3600000000 pixels" in notice.message
    assert time.monotonic() - begun < 5


def test_a_jpeg_of_absurd_size_is_refused_at_once(studio: Studio) -> None:
    content = bytearray(FILES["image/jpeg"])
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"

    assert refusal(studio, bytes(content), "image/jpeg").code is NoticeCode.MEMORY_LIMIT


def test_a_picture_within_the_pixels_but_beyond_the_memory_is_refused() -> None:
    body = zlib.compress(bytes(9001 * 3 * 9000), 1)
    header = struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)
    content = png_of(9000, 9000, body).replace(png_of(9000, 9000, body)[16:33], header + zlib_crc(header))
    with Studio(MediaLimits(memory_size=200 << 20)) as studio:
        notice = refusal(studio, content, "image/png")

    assert notice.code is NoticeCode.MEMORY_LIMIT


def zlib_crc(header: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(b"IHDR" + header))


def test_regular_pictures_keep_their_bits_through_a_lossless_file(studio: Studio) -> None:
    for name, pixels in shapes(200, 150).items():
        told = facts(studio, stored(pixels, "PNG"), "image/png")

        assert distance_to_pdqhash(told, pixels) == 0, name
