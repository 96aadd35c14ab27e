"""TAR headers: ustar (POSIX.1-1988), pax (POSIX.1-2001), GNU and the old form before them; read, not interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnreadableError

BLOCK: int = 512
ZEROS = bytes(BLOCK)
MAXIMUM_EXTENSION = 1 << 20
"""Bytes a long name or a pax header may have."""

_MAXIMUM_HEADERS = 32
_MAXIMUM_RUNS = 100_000
_WITH_CONTENT = frozenset({b"0", b"\0", b"7", b"S"})
_WITHOUT_CONTENT = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*\Z")
_STRUCTURE = "the TAR archive"

Read = Callable[[int, int], bytes]
"""Gives bytes of the archive by offset and length, fewer only where it ends."""

Run = tuple[int, int]
"""Where in a sparse file stored bytes belong, and how many."""


class Header(NamedTuple):
    """One header block; ``form`` is ``gnu``, ``ustar`` or ``v7``; a number that is none is ``None``."""

    block: bytes
    form: str
    name: bytes
    mode: int | None
    user: int | None
    group: int | None
    size: int | None
    modified: int | None
    type: bytes
    link: bytes
    user_name: bytes
    group_name: bytes


class Member(NamedTuple):
    """One member with all its headers: ``offset`` is where the first of them stands, ``next_offset`` what follows.

    ``runs`` is given for a sparse file, whose bytes lie one run after the other from ``data_offset`` on.
    """

    offset: int
    header: Header
    name: bytes
    link: bytes
    pax: dict[str, bytes]
    data_offset: int
    stored_size: int
    size: int
    runs: tuple[Run, ...] | None
    next_offset: int


def parse_header(block: bytes) -> Header | None:
    """Return the header of a block, ``None`` where the checksum says that it is none."""
    if len(block) < BLOCK or not _is_right(block):
        return None
    magic = block[257:265]
    form = "gnu" if magic == b"ustar  \0" else "ustar" if magic[:5] == b"ustar" else "v7"
    name = _text(block[:100])
    prefix = _text(block[345:500]) if form == "ustar" else b""
    if prefix:
        name = prefix + b"/" + name
    return Header(
        block=block,
        form=form,
        name=name,
        mode=number(block[100:108]),
        user=number(block[108:116]),
        group=number(block[116:124]),
        size=number(block[124:136]),
        modified=number(block[136:148]),
        type=block[156:157],
        link=_text(block[157:257]),
        user_name=_text(block[265:297]) if form != "v7" else b"",
        group_name=_text(block[297:329]) if form != "v7" else b"",
    )


def _is_right(block: bytes) -> bool:
    """Whether the stored checksum is that of the block, its bytes taken as unsigned or (old writers) signed."""
    stored = number(block[148:156])
    if stored is None:
        return False
    plain = sum(block) - sum(block[148:156]) + 8 * 32
    if stored == plain:
        return stored != 8 * 32
    high = sum(byte > 127 for byte in block) - sum(byte > 127 for byte in block[148:156])
    return stored == plain - 256 * high


def number(field: bytes) -> int | None:
    """Return a number as octal digits, or in base 256 where its first bit is set (GNU)."""
    if field[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if field[0] == 0xFF else value
    text = field.strip(b" \0")
    if text.isdigit() and b"8" not in text and b"9" not in text:
        return int(text, 8)
    found = _OCTAL.match(field.split(b"\0", 1)[0] if field[:1] != b"\0" else field)
    return int(found[1] or b"0", 8) if found else None


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def padded(size: int) -> int:
    """Return a size rounded up to whole blocks."""
    return (size + BLOCK - 1) // BLOCK * BLOCK


def read_member(read: Read, offset: int) -> Member | None:
    """Return the member whose first header stands at ``offset``; ``None`` where a block of zeros does.

    Raises:
        CorruptStructureError: There is no header, or what it says is impossible.
        UnreadableError: The archive ends inside the headers.
    """
    start = offset
    pax: dict[str, bytes] = {}
    name = link = None
    for _ in range(_MAXIMUM_HEADERS):
        block = read(offset, BLOCK)
        if len(block) < BLOCK:
            raise UnreadableError(offset + len(block), BLOCK - len(block), "the archive ends inside a header")
        if block == ZEROS and offset == start:
            return None
        header = parse_header(block)
        if header is None:
            raise CorruptStructureError(_STRUCTURE, "there is no header where one is due", offset)
        size = header.size
        if size is None or size < 0:
            raise CorruptStructureError(_STRUCTURE, "a header gives no possible size", offset)
        offset += BLOCK
        if header.type not in (b"L", b"K", b"x", b"X", b"g"):
            return _member(read, start, header, offset, pax, name, link)
        content = _extension(read, offset, size)
        offset += padded(size)
        if header.type == b"L":
            name = _text(content)
        elif header.type == b"K":
            link = _text(content)
        elif header.type != b"g":
            pax.update(_pax_records(content))
    raise CorruptStructureError(_STRUCTURE, f"more than {_MAXIMUM_HEADERS} headers stand before one member", start)


def _extension(read: Read, offset: int, size: int) -> bytes:
    if size > MAXIMUM_EXTENSION:
        raise CorruptStructureError(_STRUCTURE, f"a name or attribute of {size} bytes", offset)
    content = read(offset, size)
    if len(content) < size:
        raise UnreadableError(offset + len(content), size - len(content), "the archive ends inside a header")
    return content


def _pax_records(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a pax header; one that is not well-formed ends them (POSIX pax, Extended Header).

    Runs of a sparse file in GNU's form 0.0, which repeats its keywords, come as the map of form 0.1.
    """
    place, runs = 0, []
    while place < len(content):
        digits, blank, _ = content[place : place + 12].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        if length < len(digits) + 3:
            break
        record = content[place + len(digits) + 1 : place + length - 1]
        keyword, equals, value = record.partition(b"=")
        if not blank or not equals or place + length > len(content) or content[place + length - 1] != 0x0A:
            break
        if keyword in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            runs.append(value)
        else:
            yield keyword.decode("utf-8", "replace"), value
        place += length
    if runs:
        yield "GNU.sparse.map", b",".join(runs)


def _member(
    read: Read, start: int, header: Header, offset: int, pax: dict[str, bytes], name: bytes | None, link: bytes | None
) -> Member:
    stored = _pax_number(pax, "size", header.size or 0, start)
    if header.type in _WITHOUT_CONTENT or (header.form == "v7" and header.name.endswith(b"/")):
        stored = 0
    size, runs, data = stored, None, offset
    if header.type == b"S":
        runs, data = _old_sparse(read, header, offset)
        size = number(header.block[483:495]) or 0
    elif "GNU.sparse.major" in pax or "GNU.sparse.map" in pax:
        runs, data = _pax_sparse(read, pax, offset, stored)
        size = _pax_number(pax, "GNU.sparse.realsize", _pax_number(pax, "GNU.sparse.size", stored, start), start)
        name = pax.get("GNU.sparse.name", name)
    after = (data if header.type == b"S" else offset) + padded(stored)
    if runs is not None:
        _check_runs(runs, size, offset + stored - data if header.type != b"S" else stored, start)
    return Member(
        offset=start,
        header=header,
        name=name or pax.get("path", header.name),
        link=link or pax.get("linkpath", header.link),
        pax=pax,
        data_offset=data,
        stored_size=stored,
        size=size,
        runs=runs,
        next_offset=after,
    )


def _pax_number(pax: dict[str, bytes], keyword: str, default: int, offset: int) -> int:
    value = pax.get(keyword)
    if value is None:
        return default
    if not value.isdigit() or len(value) > 19:
        raise CorruptStructureError(_STRUCTURE, f"the attribute {keyword} is no number", offset)
    return int(value)


def _old_sparse(read: Read, header: Header, offset: int) -> tuple[tuple[Run, ...], int]:
    """Return the runs of a sparse file of the old GNU form, and where its bytes start (tar.h, struct sparse_header)."""
    runs = list(_run_table(header.block[386:482]))
    extended = header.block[482]
    while extended:
        block = read(offset, BLOCK)
        if len(block) < BLOCK:
            raise UnreadableError(offset + len(block), BLOCK - len(block), "the archive ends inside a header")
        if len(runs) > _MAXIMUM_RUNS:
            raise LimitExceededError("count", _MAXIMUM_RUNS, "a sparse file has more runs")
        runs.extend(_run_table(block[:504]))
        extended = block[504]
        offset += BLOCK
    return tuple(runs), offset


def _run_table(table: bytes) -> Iterator[Run]:
    for place in range(0, len(table) - 23, 24):
        offset, length = number(table[place : place + 12]), number(table[place + 12 : place + 24])
        if offset is None or length is None:
            raise CorruptStructureError(_STRUCTURE, "the table of a sparse file holds no numbers")
        if offset or length:
            yield offset, length


def _pax_sparse(read: Read, pax: dict[str, bytes], offset: int, stored: int) -> tuple[tuple[Run, ...], int]:
    """Return the runs of a sparse file of the pax forms 0.0, 0.1 and 1.0, and where its bytes start (GNU tar, E.3)."""
    if pax.get("GNU.sparse.major") != b"1":
        return _pairs(pax.get("GNU.sparse.map", b"").split(b",")), offset
    blocks = [read(offset, BLOCK)]
    first = blocks[0].partition(b"\n")[0]
    count = int(first) if first.isdigit() and len(first) < 10 else -1
    if not 0 <= count <= _MAXIMUM_RUNS:
        raise CorruptStructureError(_STRUCTURE, "the table of a sparse file gives no possible count", offset)
    lines = blocks[0].count(b"\n")
    while lines < 2 * count + 1:
        block = read(offset + BLOCK * len(blocks), BLOCK)
        if len(block) < BLOCK or BLOCK * len(blocks) >= stored:
            raise CorruptStructureError(_STRUCTURE, "the table of a sparse file ends early", offset)
        blocks.append(block)
        lines += block.count(b"\n")
    return _pairs(b"".join(blocks).split(b"\n")[1 : 2 * count + 1]), offset + BLOCK * len(blocks)


def _pairs(numbers: list[bytes]) -> tuple[Run, ...]:
    if not all(text.isdigit() and len(text) <= 19 for text in numbers) or len(numbers) % 2:
        if numbers == [b""]:
            return ()
        raise CorruptStructureError(_STRUCTURE, "the table of a sparse file holds no numbers")
    values = [int(text) for text in numbers]
    return tuple(zip(values[::2], values[1::2], strict=True))


def _check_runs(runs: tuple[Run, ...], size: int, stored: int, offset: int) -> None:
    place = total = 0
    for start, length in runs:
        if start < place or length < 0:
            raise CorruptStructureError(_STRUCTURE, "the runs of a sparse file overlap", offset)
        place = start + length
        total += length
    if place > size or total > stored:
        raise CorruptStructureError(_STRUCTURE, "the runs of a sparse file are longer than the file", offset)
