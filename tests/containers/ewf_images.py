"""Small EWF images made in code, version 1 and 2, so that every byte of them can be damaged on purpose."""

from __future__ import annotations

import bz2
import hashlib
import struct
import zlib
from collections.abc import Sequence

SECTORS_A_CHUNK = 16
CHUNK_SIZE = SECTORS_A_CHUNK * 512
CHUNKS_A_TABLE = 40
IDENTIFIER = bytes(range(16))


def _adler(block: bytes) -> bytes:
    return struct.pack("<I", zlib.adler32(block))


def _section(kind: bytes, offset: int, content: bytes, *, last: bool = False) -> bytes:
    end = offset if last else offset + 76 + len(content)
    head = struct.pack("<16sQQ40x", kind, end, 76 + len(content))
    return head + _adler(head) + content


def _store(chunk: bytes) -> tuple[bytes, bool]:
    packed = zlib.compress(chunk, 1)
    return (packed, True) if len(packed) < len(chunk) else (chunk + _adler(chunk), False)


def volume(size: int, identifier: bytes = IDENTIFIER) -> bytes:
    """Return the content of a volume section as EnCase 6 writes it."""
    chunks = -(-size // CHUNK_SIZE)
    head = struct.pack("<B3xIIIQ12xB27xB11x", 1, chunks, SECTORS_A_CHUNK, 512, size // 512, 3, 1)
    return (block := (head + identifier).ljust(1048, b"\0")) + _adler(block)


def _table(first: str, keys: str, *values: str) -> str:
    return "\n".join([first, "main", keys.replace(" ", "\t"), "\t".join(values), "", ""])


def header() -> bytes:
    """Return the content of a header2 section."""
    values = "the tarn disk", "case-7", "9", "Inga", "", "7.1", "Osk", "1700000000", "1700000001", "0"
    text = _table("3", "a c n e t av ov m u p", *values)
    return zlib.compress(text.encode("utf-16"))


def write_e01(
    content: bytes,
    *,
    segments: int = 1,
    bad_sectors: Sequence[tuple[int, int]] = (),
    base: int = 0,
) -> dict[str, bytes]:
    """Return the segment files of an image by name; ``base`` is what table offsets count from."""
    chunks = [content[start : start + CHUNK_SIZE] for start in range(0, len(content), CHUNK_SIZE)]
    share = -(-len(chunks) // segments)
    files = {}
    for number in range(1, segments + 1):
        part = chunks[(number - 1) * share : number * share]
        file = b"EVF\x09\x0d\x0a\xff\x00" + struct.pack("<BHH", 1, number, 0)
        first = ((b"header2", header()), (b"volume", volume(len(content))))
        for kind, stored in first if number == 1 else ((b"data", volume(len(content))),):
            file += _section(kind, len(file), stored)
        for start in range(0, len(part), CHUNKS_A_TABLE):
            file = _add_chunks(file, part[start : start + CHUNKS_A_TABLE], base)
        if number == segments:
            file = _add_end(file, content, bad_sectors)
        file += _section(b"done" if number == segments else b"next", len(file), b"", last=True)
        files[f"disk.E{number:02}"] = file
    return files


def _add_chunks(file: bytes, chunks: Sequence[bytes], base: int) -> bytes:
    stored = [_store(chunk) for chunk in chunks]
    offset = len(file) + 76 - base
    entries = b""
    for packed, compressed in stored:
        entries += struct.pack("<I", offset | (compressed << 31))
        offset += len(packed)
    file += _section(b"sectors", len(file), b"".join(packed for packed, _ in stored))
    head = struct.pack("<I4xQ4x", len(stored), base)
    table = head + _adler(head) + entries + _adler(entries)
    file += _section(b"table", len(file), table)
    return file + _section(b"table2", len(file), table)


def _add_end(file: bytes, content: bytes, bad_sectors: Sequence[tuple[int, int]]) -> bytes:
    if bad_sectors:
        head = struct.pack("<I", len(bad_sectors)).ljust(516, b"\0")
        entries = b"".join(struct.pack("<II", *sectors) for sectors in bad_sectors)
        file += _section(b"error2", len(file), head + _adler(head) + entries + _adler(entries))
    digests = (hashlib.md5(content).digest() + hashlib.sha1(content).digest()).ljust(76, b"\0")
    file += _section(b"digest", len(file), digests + _adler(digests))
    md5 = hashlib.md5(content).digest().ljust(32, b"\0")
    return file + _section(b"hash", len(file), md5 + _adler(md5))


class _Second:
    """A version 2 segment file while it is written."""

    def __init__(self, number: int, method: int) -> None:
        self.file = b"EVF2\x0d\x0a\x81\x00" + struct.pack("<BBHI", 2, 1, method, number) + IDENTIFIER
        self._previous = 0

    def add(self, kind: int, content: bytes, flags: int = 0) -> None:
        """Write a section: content, padding, descriptor."""
        padding = -len(content) % 16
        content += bytes(padding)
        digest = hashlib.md5(content).digest() if content and kind != 3 else bytes(16)
        flags |= 1 if any(digest) else 0
        offset = len(self.file) + len(content)
        head = struct.pack("<IIQQII16s12x", kind, flags, self._previous, len(content), 64, padding, digest)
        self.file += content + head + _adler(head)
        self._previous = offset


def write_ex01(
    content: bytes, *, segments: int = 1, method: int = 1, bad_sectors: Sequence[tuple[int, int]] = (), flags: int = 0
) -> dict[str, bytes]:
    """Return the segment files of a version 2 image by name; ``method`` 1 is deflate, 2 bzip2."""
    pack = bz2.compress if method == 2 else zlib.compress
    chunks = [content[start : start + CHUNK_SIZE] for start in range(0, len(content), CHUNK_SIZE)]
    share = -(-len(chunks) // segments)
    sizes = str(len(content) // 512), "", "", "f", "", "", "", "512", "1"
    device = _table("1", "sn md lb ts hs dc dt pid rs ls bp ph", "", "mirul", "", *sizes)
    case = "the tarn disk", "case-7", "9", "Inga", "", "7.1", "Osk", "1700000000", "1700000001"
    case_text = _table("1", "nm cn en ex nt av os tt at tb cp sb", *case, str(len(chunks)), "1", str(SECTORS_A_CHUNK))
    files = {}
    for number in range(1, segments + 1):
        writer = _Second(number, method)
        writer.add(1, pack(device.encode("utf-16")), flags)
        writer.add(2, pack(case_text.encode("utf-16")), flags)
        for start in range((number - 1) * share, min(number * share, len(chunks)), CHUNKS_A_TABLE):
            stop = min(start + CHUNKS_A_TABLE, number * share, len(chunks))
            _add_second(writer, chunks[start:stop], start, method)
        if number == segments:
            _end_second(writer, content, bad_sectors)
        writer.add(15 if number == segments else 13, b"")
        files[f"disk.Ex{number:02}"] = writer.file
    return files


def _add_second(writer: _Second, chunks: Sequence[bytes], first: int, method: int) -> None:
    entries, stored = b"", b""
    for chunk in chunks:
        packed = bz2.compress(chunk) if method == 2 else zlib.compress(chunk, 1)
        pattern = chunk[:8]
        if chunk == pattern * (len(chunk) // 8):
            entries += struct.pack("<8sII", pattern, 0, 5)
            continue
        part, flags = (packed, 1) if len(packed) < len(chunk) else (chunk + _adler(chunk), 2)
        entries += struct.pack("<QII", len(writer.file) + len(stored), len(part), flags)
        stored += part + bytes(-len(part) % 16)
    writer.add(3, stored)
    head = struct.pack("<QI4x", first, len(chunks))
    writer.add(4, head + _adler(head) + bytes(12) + entries + _adler(entries))


def _end_second(writer: _Second, content: bytes, bad_sectors: Sequence[tuple[int, int]]) -> None:
    if bad_sectors:
        head = struct.pack("<I12x", len(bad_sectors))
        entries = b"".join(struct.pack("<QI4x", *sectors) for sectors in bad_sectors)
        writer.add(5, head + _adler(head) + bytes(12) + entries + _adler(entries))
    for kind, digest in ((8, hashlib.md5(content).digest()), (9, hashlib.sha1(content).digest())):
        writer.add(kind, digest + _adler(digest))
