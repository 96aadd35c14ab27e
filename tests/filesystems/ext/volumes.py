"""The ext volumes the tests read: two that a kernel made, and any that mke2fs and debugfs make on the spot."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kaval.core.records import Entry, Notice
from kaval.core.sources import ByteSource, BytesSource, ExtentSource
from kaval.filesystems.ext.tree import ExtTree

IMAGES = Path(__file__).parent / "images"


@cache
def kept_image(name: str) -> bytes:
    """Return the bytes of an image that ``make_images.py`` made; they are what it made."""
    content = lzma.decompress((IMAGES / f"{name}.img.xz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == truth_of(name)["sha256"]
    return content


@cache
def truth_of(name: str) -> dict[str, Any]:
    """Return what is true of a kept image."""
    truth: dict[str, Any] = json.loads((IMAGES / "truth.json").read_text())[name]
    return truth


def make_volume(path: Path, *options: str, size: str = "4M", commands: str = "", content: Path | None = None) -> bytes:
    """Return a volume made by mke2fs, with the files of a folder in it, and changed by debugfs."""
    for tool in ("mke2fs", "debugfs"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian package e2fsprogs)")
    folder = ["-d", str(content)] if content else []
    subprocess.run(["mke2fs", "-q", "-F", *folder, *options, str(path), size], check=True, capture_output=True)
    if commands:
        subprocess.run(
            ["debugfs", "-w", "-f", "-", str(path)], input=commands.encode(), check=True, capture_output=True
        )
    return path.read_bytes()


def split(records: list[Entry | Notice]) -> tuple[dict[str, Entry], list[Notice]]:
    """Return entries by address, and notices; no address occurs twice."""
    entries = [record for record in records if isinstance(record, Entry)]
    by_address = {entry.address: entry for entry in entries}
    assert len(by_address) == len(entries)
    return by_address, [record for record in records if isinstance(record, Notice)]


def listed(content: bytes) -> tuple[dict[str, Entry], list[Notice]]:
    """Return the entries of an image by path, and the notices."""
    entries, notices = split(list(open_tree(content).entries()))
    return {entry.path: entry for entry in entries.values()}, notices


def open_tree(content: bytes) -> ExtTree:
    from kaval.filesystems.ext.tree import open_tree as open_source

    return open_source(BytesSource(content))


def stream(source: ByteSource, entry: Entry) -> bytes:
    """Return the bytes of an entry, by its extents alone."""
    assert entry.extents is not None
    return ExtentSource(source, entry.extents, entry.size).read_at(0, entry.size)


def digest(source: ByteSource, entry: Entry) -> str:
    return hashlib.sha256(stream(source, entry)).hexdigest()
