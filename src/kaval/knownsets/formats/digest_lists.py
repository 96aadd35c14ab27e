"""Lists of digests, a line each: bare hexadecimal, md5sum style (coreutils), BSD style, or with words around.

A line starting with a backslash is coreutils' mark for an escaped name. Blank lines and lines starting with
``#``, ``%`` or ``;`` are remarks, and so are the words that certutil and PowerShell put around. Quotes, blanks and
sizes before a digest (md5deep -z) are passed over. File names are not kept: they say where a file once lay elsewhere.
64 digits are SHA-256 unless they look like PDQ hashes, which a person then settles; what they were taken for is told.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import BY_HEX_LENGTH
from kaval.knownsets.batches import Batch, Column, Rows
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_at, is_hex_digit, sha256_or_pdq
from kaval.knownsets.sources import line_blocks
from kaval.knownsets.statements import Statement

_HEX = rb"(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})"
_SPACED = rb"(?:[0-9a-fA-F]{2} ){15}(?:(?:[0-9a-fA-F]{2} ){4}(?:(?:[0-9a-fA-F]{2} ){12})?)?[0-9a-fA-F]{2}"
_LINE = re.compile(
    rb"(?:\\?|\d{1,20}[ \t]+|(?:MD5|SHA-?1|SHA-?256)[ \t]+)?(" + _HEX + rb")(?:[ \t]+[ *]?.*)?\Z"
    rb"|\\?MD5 ?\(.*\) ?= ?([0-9a-fA-F]{32})\Z"
    rb"|\\?SHA-?1 ?\(.*\) ?= ?([0-9a-fA-F]{40})\Z"
    rb"|\\?SHA(?:2-)?-?256 ?\(.*\) ?= ?([0-9a-fA-F]{64})\Z"
    rb"|(" + _SPACED + rb")\Z",
    re.DOTALL,
)
_OTHER = re.compile(
    rb"\\?(?:[0-9a-fA-F]{56}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?:[ \t]+[ *]?.*)?\Z"
    rb"|\\?[A-Z][A-Za-z0-9/_-]{1,20} ?\(.*\) ?= ?[0-9a-fA-F]{8,256}\Z",
    re.DOTALL,
)
"""Digests of algorithms that are not matched here."""
_TITLE = re.compile(rb"[A-Za-z][A-Za-z0-9 _()/-]{0,60}\Z")
_WORDS = re.compile(rb"(?:MD5|SHA1|SHA256) hash of .*:\Z|CertUtil: |[- \t]+\Z|Algorithm[ \t]+Hash[ \t]+Path\Z")
_PARTIAL = re.compile(rb"\\?[0-9a-fA-F]{1,63}\Z|(?:MD5|SHA-?1|SHA(?:2-)?256) ?\(.*\Z", re.DOTALL)
_AROUND = b" \t\r\n\"',;"


@SET_FORMATS.register
class DigestLists:
    """Plain, md5sum-style and BSD-style lists; the algorithm follows from the length of a digest."""

    name: ClassVar[str] = "digest-list"
    title: ClassVar[str] = "List of MD5, SHA-1 or SHA-256 digests or PDQ hashes, a line each (plain, md5sum, BSD)"
    rank: ClassVar[int] = 80
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where nearly every line is a digest; one that is none may be among a few."""
        lines = [line.encode("utf-8", "surrogateescape").strip(_AROUND) for line in sample.lines]
        lines = [line for line in lines if not _is_remark(line)]
        if lines and _LINE.match(lines[0]) is None and _TITLE.match(lines[0]):
            del lines[0]
        found = sum(_LINE.match(line) is not None for line in lines)
        wrong = sum(_LINE.match(line) is None and _OTHER.match(line) is None for line in lines)
        return found > 0 and (wrong <= 0.05 * len(lines) or (wrong == 1 and found >= 3))

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests; a line that is none is counted as skipped."""
        usual = 0
        told = reading.start > 0 or reading.hex64 != "auto"
        for block, position in line_blocks(reading.path, reading.start):
            usual = usual or _usual_length(block)
            if not block.endswith(b"\n"):
                _refuse_cut_off(reading, block, position, usual)
            batch = _batch(block, position, reading)
            taken = [algorithm for algorithm in ("sha256", "pdq") if algorithm in batch.columns]
            if taken and not told:
                told = True
                batch = replace(
                    batch, remarks=("64 digits were taken for SHA-256; if they are PDQ hashes, say --values pdq",)
                )
            yield batch

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: a list says nothing of its entries."""
        return Statement()


def _refuse_cut_off(reading: Reading, block: bytes, position: int, usual: int) -> None:
    """Raise where the last line has no end and looks like the beginning of a longer one."""
    line = block[block.rfind(b"\n") + 1 :]
    match = _LINE.match(line.rstrip())
    shorter = match is not None and match[1] is not None and len(match[1]) < usual and len(match[1]) == len(line)
    if shorter or (match is None and _PARTIAL.match(line)):
        raise CorruptStructureError(
            f"list {reading.path.name}", "the file ends inside a digest; it was cut off", position - len(line)
        )


def _is_remark(line: bytes) -> bool:
    return not line or line[0] in b"#%;" or _WORDS.match(line) is not None


def _batch(block: bytes, position: int, reading: Reading) -> Batch:
    text = np.frombuffer(block, dtype=np.uint8)
    length = _usual_length(block)
    if length and len(block) % (length + 1) == 0:
        values = _uniform(block, length)
        if values is not None:
            column = {_algorithm(values, reading): Column(values=values)}
            return Batch(entries=len(values), columns=column, position=position)
    starts = np.concatenate(([0], np.flatnonzero(text == 10) + 1))
    starts = starts[starts < len(text)]
    values, taken = _at_line_starts(text, starts, length)
    ends = np.append(starts[1:], len(text))
    found, skipped = _line_by_line(block, starts[~taken], ends[~taken])
    columns = {}
    if len(values):
        found.setdefault(length, []).insert(0, values.tobytes())
    for digits, parts in found.items():
        rows = np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(-1, digits // 2)
        columns[_algorithm(rows, reading)] = Column(values=rows)
    count = sum(len(column.values) for column in columns.values())
    return Batch(entries=count, columns=columns, skipped=skipped, position=position)


def _uniform(block: bytes, length: int) -> Rows | None:
    """Return the digests of a block of lines that are all bare and of one length; nothing where they are not."""
    count = len(block) // (length + 1)
    ends = np.frombuffer(block, dtype=np.uint8)[length :: length + 1]
    if (ends != 10).any():
        return None
    try:
        decoded = binascii.unhexlify(block.replace(b"\n", b""))
    except binascii.Error:
        return None
    if len(decoded) * 2 != count * length:
        return None
    return np.frombuffer(decoded, dtype=np.uint8).reshape(count, length // 2)


def _algorithm(values: Rows, reading: Reading) -> str:
    digits = 2 * values.shape[1]
    return BY_HEX_LENGTH[digits] if digits < 64 else sha256_or_pdq(values, reading.hex64, reading.path.name)


def _usual_length(block: bytes) -> int:
    """Return how many digits the first line of digits at its start has; 0 where none of the block does."""
    found = re.search(rb"(?m)^(" + _HEX + rb")(?=[ \t\r\n]|\Z)", block)
    return len(found[1]) if found else 0


def _at_line_starts(text: NDArray[np.uint8], starts: NDArray[np.int64], length: int) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the digests of so many digits that begin lines, and which lines those are."""
    taken = np.zeros(len(starts), dtype=bool)
    if not length:
        return np.empty((0, 16), dtype=np.uint8), taken
    room = starts + length <= len(text)
    following = text[np.minimum(starts + length, len(text) - 1)]
    ended = (
        (starts + length == len(text)) | (following == 10) | (following == 13) | (following == 32) | (following == 9)
    )
    places = np.flatnonzero(room & ended & is_hex_digit(text[starts]))
    values, right = decode_at(text, starts[places], length)
    taken[places[right]] = True
    return values[right], taken


def _line_by_line(
    block: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[dict[int, list[bytes]], Counter[str]]:
    """Return the digests of lines of other shapes, by number of digits, and how many lines hold none, by reason."""
    found: dict[int, list[bytes]] = {}
    skipped: Counter[str] = Counter()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        line = block[start:end].strip(_AROUND)
        match = _LINE.match(line)
        if match is not None:
            digits = match[match.lastindex or 1].replace(b" ", b"")
            found.setdefault(len(digits), []).append(bytes.fromhex(digits.decode("ascii")))
        elif _OTHER.match(line):
            skipped["digest of an algorithm that is not matched here"] += 1
        elif not _is_remark(line):
            skipped["line without a digest"] += 1
    return found, skipped
