"""Pictures from outside: made anew without anything of their file, or refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from casework.lib import pictures
from casework.lib.errors import RefusedError


def drawn(size: tuple[int, int] = (300, 200)) -> Image.Image:
    picture = Image.new("RGB", size, (20, 120, 60))
    picture.paste((220, 30, 30), (0, 0, size[0] // 2, size[1] // 2))
    return picture


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_made_anew_in_colour(kind: str) -> None:
    made = pictures.re_encode(saved(drawn(), kind))
    opened = Image.open(io.BytesIO(made.content))

    assert (made.kind, made.width, made.height) == ("image/jpeg", 300, 200)
    assert opened.size == (300, 200)
    red, green, _blue = opened.convert("RGB").getpixel((20, 20))  # type: ignore[misc]
    assert red > 180
    assert green < 80


def test_nothing_of_the_file_stays() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Nonsense Cameras"
    exif[0x0112] = 6
    content = saved(drawn(), "JPEG", exif=exif, comment=b"written by nobody") + b"<script>alert(1)</script>"
    made = pictures.re_encode(content)
    opened = Image.open(io.BytesIO(made.content))

    assert opened.size == (200, 300)
    assert dict(opened.getexif()) == {}
    for trace in (b"Nonsense", b"nobody", b"<script>", b"Exif"):
        assert trace in content
        assert trace not in made.content


def test_a_large_picture_is_made_smaller_and_a_transparent_one_laid_on_white() -> None:
    clear = Image.new("RGBA", (3000, 100), (0, 0, 0, 0))
    made = pictures.re_encode(saved(clear, "PNG"))
    opened = Image.open(io.BytesIO(made.content)).convert("RGB")

    assert opened.size == (2048, 68)
    assert opened.getpixel((5, 5)) == (255, 255, 255)


def bomb() -> bytes:
    """Return a small PNG that says it is 30,000 pixels each way."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(100),
        b"%PDF-1.7 " + bytes(100),
        saved(drawn(), "JPEG")[:400],
        saved(drawn(), "PNG")[:-40],
        bomb(),
        bytes(pictures.LARGEST + 1),
    ],
    ids=["empty", "text", "svg", "gif", "pdf", "cut jpeg", "cut png", "bomb", "too large"],
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError) as refusal:
        pictures.re_encode(content)

    assert refusal.value.rule == "picture"
