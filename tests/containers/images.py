"""What the tests of containers share: a small FAT image made in code, siblings in memory, mutation, the tools."""

from __future__ import annotations

import hashlib
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kaval.core.contracts import Siblings
from kaval.core.errors import KavalError
from kaval.core.sources import ByteSource, BytesSource, FileSource, iterate_blocks

SIZE = 3 << 20

EXT2_SHA256 = "a6c2f0e39afe6c6ab432ca5465349fcefe8dc944398e97b2d957d3f89dbb5d80"
"""The ext2 volume that dfvfs keeps in many containers."""


def disk(size: int = SIZE, seed: int = 7) -> bytes:
    """Return a disk of zeros, noise and repeating text in turn, with a FAT12 boot sector, not a multiple of 64 KiB."""
    source = random.Random(seed)
    parts = [_boot_sector(size)]
    length = 512
    while length < size:
        kind = source.randrange(4)
        run = min(size - length, 512 * source.randrange(1, 700))
        if kind == 0:
            part = source.randbytes(run)
        elif kind == 1:
            part = (b"tarn lopel vindra %06d " % length * (run // 20 + 1))[:run]
        else:
            part = bytes(run)
        parts.append(part)
        length += run
    return b"".join(parts)


def _boot_sector(size: int) -> bytes:
    head = b"\xeb\x3c\x90KAVAL   " + struct.pack(
        "<HBHBHHBHHHII", 512, 8, 1, 2, 512, size // 512, 0xF8, 3, 63, 255, 0, 0
    )
    return (head + b"\x80\x00\x29\x12\x34\x56\x78NONAME     FAT12   ").ljust(510, b"\0") + b"\x55\xaa"


def beside(files: Mapping[str, bytes]) -> Siblings:
    """Return siblings that lie in memory."""

    def find(name: str) -> ByteSource | None:
        return BytesSource(files[name]) if name in files else None

    return find


def beside_path(path: Path) -> Siblings:
    """Return the siblings of a file on disk, as the opener gives them."""

    def find(name: str) -> ByteSource | None:
        other = path.parent / name
        return FileSource(other) if Path(name).name == name and other.is_file() else None

    return find


def no_siblings(name: str) -> ByteSource | None:
    """There is nothing beside it."""
    return None


def content_of(source: ByteSource, block_size: int = 1 << 20) -> bytes:
    """Return all bytes of a source, read block by block."""
    return b"".join(iterate_blocks(source, block_size))


def sha256_of(source: ByteSource) -> str:
    """Return the SHA-256 of a source."""
    return hashlib.sha256(content_of(source)).hexdigest()


def tool(name: str) -> str:
    """Return the path of a program, or skip the test with a plain message."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"the program {name} is absent")
    return path


def run(*arguments: object) -> None:
    """Run a program that must succeed."""
    subprocess.run([str(argument) for argument in arguments], check=True, capture_output=True, timeout=120)


def mutations(content: bytes, count: int, seed: int, *, hot: int = 4096) -> Iterator[bytes]:
    """Yield damaged copies: bytes changed (most near the ends, where headers are), runs cleared, ends cut off."""
    source = random.Random(seed)
    for number in range(count):
        copy = bytearray(content)
        for _ in range(source.choice((1, 1, 2, 8, 64))):
            place = source.randrange(len(copy)) if source.random() < 0.3 else source.randrange(min(hot, len(copy)))
            if source.random() < 0.25:
                place = len(copy) - 1 - min(place, len(copy) - 1)
            copy[place] = source.choice((0, 0xFF, 0x7F, 0x80, source.randrange(256)))
        if number % 7 == 3:
            place = source.randrange(len(copy))
            copy[place : place + 512] = bytes(min(512, len(copy) - place))
        if number % 5 == 4:
            del copy[source.randrange(len(copy)) :]
        yield bytes(copy)


def read_everything(source: ByteSource, block_size: int = 1 << 18, limit: int = 16 << 20) -> int:
    """Read a source block by block, past its errors; return how many bytes came. Our own errors are the only ones."""
    came = 0
    for offset in range(0, min(source.size, limit), block_size):
        wanted = min(block_size, source.size - offset)
        try:
            block = source.read_at(offset, block_size)
        except KavalError:
            continue
        assert len(block) == wanted, (offset, len(block), wanted)
        came += len(block)
    return came


def stays_inside(source: ByteSource, content: bytes) -> None:
    """Check the contract of a source against the bytes it must give, at edges and at random."""
    assert source.size == len(content)
    size = len(content)
    assert source.read_at(-1, 10) == b""
    assert source.read_at(0, 0) == b""
    assert source.read_at(size, 1) == b""
    assert source.read_at(size + 10, 10) == b""
    assert source.read_at(size - 3, 100) == content[-3:]
    numbers = random.Random(3)
    for _ in range(200):
        offset = numbers.randrange(size)
        length = numbers.choice((1, 511, 512, 513, 4096, 65537, 1 << 20, 3 << 20))
        assert source.read_at(offset, length) == content[offset : offset + length], (offset, length)
