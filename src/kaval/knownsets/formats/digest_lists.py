"""Lists of digests, a line each: bare hexadecimal, md5sum style (coreutils), or BSD style.

A line starting with a backslash is coreutils' mark for an escaped name. Blank lines and lines starting with
``#``, ``%`` or ``;`` are remarks. File names are not kept: they say where a file once lay elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from kaval.knownsets.algorithms import BY_HEX_LENGTH
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, Sample

_HEX = r"(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})"
_LINE = re.compile(rf"\\?({_HEX})(?:[ \t]+[ *]?.*)?\Z|(?:MD5|SHA1|SHA256) ?\(.*\) ?= ?({_HEX})\Z")
_LINES_A_BATCH = 1 << 16


@SET_FORMATS.register
class DigestLists:
    """Plain, md5sum-style and BSD-style lists; the algorithm follows from the length of a digest."""

    name: ClassVar[str] = "digest-list"
    title: ClassVar[str] = "List of MD5, SHA-1 or SHA-256 digests, a line each (plain, md5sum, BSD)"
    rank: ClassVar[int] = 80
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, sample: Sample) -> bool:
        """Say yes where nearly every line is a digest."""
        lines = [line for line in sample.lines if not _is_remark(line)]
        found = sum(_LINE.match(line.rstrip()) is not None for line in lines)
        return bool(lines) and found >= 0.95 * len(lines)

    def read(self, path: Path) -> Iterator[Batch]:
        """Yield the digests; a line that is none is counted as skipped."""
        with path.open("rb") as file:
            while lines := file.readlines(_LINES_A_BATCH * 48):
                yield _batch(lines, file.tell())


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip()[0] in "#%;"


def _batch(lines: list[bytes], position: int) -> Batch:
    found: dict[str, list[str]] = {}
    skipped = 0
    for line in lines:
        text = line.decode("utf-8", "surrogateescape").removeprefix("\ufeff").rstrip()
        match = _LINE.match(text)
        if match is not None:
            digest = match[1] or match[2]
            found.setdefault(BY_HEX_LENGTH[len(digest)], []).append(digest)
        elif not _is_remark(text):
            skipped += 1
    columns = {}
    for algorithm, digests in found.items():
        flat = np.frombuffer(bytes.fromhex("".join(digests)), dtype=np.uint8)
        columns[algorithm] = Column(values=flat.reshape(len(digests), -1))
    count = sum(map(len, found.values()))
    told = {"line without a digest": skipped} if skipped else {}
    return Batch(entries=count, columns=columns, skipped=told, position=position)
