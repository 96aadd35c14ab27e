"""Small neutral streams of every format the carvers know, made in code."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tempfile
import wave
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

WORDS = ("tarn", "lopel", "vindra", "osk", "mirul", "benta", "quor", "silde")


def picture(form: str, seed: int = 1, size: tuple[int, int] = (96, 64), **options: object) -> bytes:
    """Return a generated landscape of smooth noise."""
    register_heif_opener()
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def video(form: str, codec: str) -> bytes:
    """Return a second of moving noise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        with av.open(str(path), "w", format=form) as output:
            stream: Any = output.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(10):
                pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return path.read_bytes()


def sound(form: str, codec: str) -> bytes:
    """Return two seconds of a tone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        with av.open(str(path), "w", format=form) as output:
            stream: Any = output.add_stream(codec, rate=48_000)
            stream.layout = "mono"
            rate = 48_000
            for number in range(20):
                times = np.arange(number * rate // 10, (number + 1) * rate // 10) / rate
                samples = (np.sin(times * 2764) * 9000).astype(np.int16).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.sample_rate, frame.pts = rate, number * rate // 10
                for packet in stream.encode(frame):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
        return path.read_bytes()


def archive(*names: str) -> bytes:
    """Return a ZIP of generated texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(zipfile.ZipInfo(name), " ".join(WORDS * 40))
    return buffer.getvalue()


class _OneWay(io.RawIOBase):
    """A file that cannot be sought, so that a ZIP has to state sizes behind its members."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, block: object) -> int:
        self.content += bytes(memoryview(block))  # type: ignore[arg-type]
        return len(memoryview(block))  # type: ignore[arg-type]


def streamed_archive() -> bytes:
    """Return a ZIP that was written in one go, with data descriptors."""
    target = _OneWay()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("osk.txt", "quor.txt"):
            with packed.open(name, "w") as member:
                member.write(b" ".join(word.encode() for word in WORDS * 30))
    return bytes(target.content)


def document() -> bytes:
    """Return a small PDF with a cross-reference table."""
    parts = [b"%PDF-1.4\n"]
    places = []
    bodies = (b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")
    for number, body in enumerate(bodies, 1):
        places.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = sum(map(len, parts))
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 3\n0000000000 65535 f \n" + rows)
    parts.append(b"trailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)
    return b"".join(parts)


def database() -> bytes:
    """Return a SQLite database of invented words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        connection = sqlite3.connect(path)
        connection.execute("create table osk(a, b)")
        connection.executemany("insert into osk values(?, ?)", [(n, " ".join(WORDS)) for n in range(400)])
        connection.commit()
        connection.close()
        return path.read_bytes()


def tone() -> bytes:
    """Return a WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(8000)
        output.writeframes((np.sin(np.arange(4000) / 3) * 9000).astype("<i2").tobytes())
    return buffer.getvalue()


@cache
def samples() -> dict[str, bytes]:
    """Return one stream of each format, by the extension a carver gives it."""
    text = "\n".join(" ".join(WORDS[n % 8 :] + WORDS[: n % 8]) for n in range(40))
    return {
        "jpg": picture("JPEG", quality=90),
        "jpg progressive": picture("JPEG", quality=90, progressive=True),
        "png": picture("PNG"),
        "gif": picture("GIF"),
        "webp": picture("WEBP"),
        "bmp": picture("BMP"),
        "tif": picture("TIFF"),
        "tif packed": picture("TIFF", compression="tiff_lzw"),
        "heic": picture("HEIF"),
        "avif": picture("AVIF"),
        "mp4": video("mp4", "mpeg4"),
        "mov": video("mov", "mpeg4"),
        "avi": video("avi", "mpeg4"),
        "mkv": video("matroska", "mpeg4"),
        "webm": video("webm", "libvpx"),
        "mp3": sound("mp3", "libmp3lame"),
        "ogg": sound("ogg", "libopus"),
        "wav": tone(),
        "zip": archive("osk.txt", "quor/mirul.txt"),
        "zip streamed": streamed_archive(),
        "docx": archive("[Content_Types].xml", "word/document.xml"),
        "xlsx": archive("[Content_Types].xml", "xl/workbook.xml"),
        "pdf": document(),
        "sqlite": database(),
        "gz": gzip.compress(text.encode(), mtime=0),
        "txt": text.encode(),
        "txt malayalam": "വാക്ക് മറ്റൊരു വാക്ക് ".encode() * 20,
        "html": f"<!DOCTYPE html>\n<html><body>{text}</body></html>\n".encode(),
        "json": json.dumps([{"id": number, "line": WORDS} for number in range(9)]).encode(),
        "csv": "".join(f"{number},{WORDS[number % 8]} {WORDS[number % 5]}\n" for number in range(50)).encode(),
    }
