"""Compressed streams: gzip (RFC 1952), bzip2, XZ, LZMA and Zstandard (RFC 8878), each holding one file.

The decoded stream is the one entry of a tree, so that it can be digested, told by its content and opened as a further
source where it is one. Its length stands nowhere reliably: it is decoded once to be listed, which checks its checksums
as well. Its address tells how many bytes of it there are (``0+4096``). A TAR inside is taken by the container ``tar``.
Not read: compress (.Z), LZ4, Brotli.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from kaval.containers import CONTAINERS
from kaval.containers.decoders import Codec, codec_of
from kaval.containers.inflate import CheckpointedSource
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, LocatorError
from kaval.core.records import NO_TIMES, ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode, Times
from kaval.core.sources import ByteSource, SliceSource

_ADDRESS = re.compile(r"0\+(0|[1-9][0-9]{0,18})", re.ASCII)
_HEAD_SIZE = 4096
_ENDINGS: Final = {
    ".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tlz": ".tar", ".tzst": ".tar",
    ".svgz": ".svg", ".emz": ".emf", ".wmz": ".wmf",
    ".gz": "", ".bz2": "", ".xz": "", ".lzma": "", ".zst": "", ".zstd": "",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What the head of a gzip stream says of the file in it (RFC 1952, 2.3)."""

    name: bytes = b""
    comment: bytes = b""
    times: Times = NO_TIMES


def read_label(head: bytes) -> Label:
    """Return what a gzip head says; what runs past the bytes given is not told."""
    if len(head) < 10 or head[:3] != b"\x1f\x8b\x08":
        return Label()
    flags = head[3]
    seconds = int.from_bytes(head[4:8], "little")
    times = Times(modified=seconds * 1_000_000_000, zone="utc", resolution="m=1s") if seconds else NO_TIMES
    place = 10
    if flags & 4:
        place += 2 + int.from_bytes(head[10:12], "little")
    texts = []
    for bit in (8, 16):
        end = head.find(b"\0", place) if flags & bit else -1
        texts.append(head[place:end] if end >= 0 else b"")
        place = end + 1 if end >= 0 else place
    return Label(name=texts[0], comment=texts[1], times=times)


class CompressedTree:
    """The one entry of a compressed stream."""

    def __init__(self, source: ByteSource, codec: Codec, name: str, label: Label, facts: Mapping[str, str]) -> None:
        self.facts = facts
        self._source = source
        self._codec = codec
        self._name = name
        self._label = label

    def entries(self) -> Iterator[Entry | Notice]:
        stream = self._stream()
        measured = stream.measure()
        address = f"0+{measured.size}"
        path, raw = self._path()
        yield Entry(
            address=address,
            path=path,
            kind=EntryKind.FILE,
            size=measured.size,
            state=EntryState.ALLOCATED,
            content=ContentState.INTACT if measured.error is None else ContentState.PARTIAL,
            times=self._label.times,
            path_raw=raw,
        )
        if measured.error is not None:
            yield _notice_of(measured.error, measured.size, address)
        elif stream.trailing_size:
            message = f"{stream.trailing_size} bytes behind the end of the stream belong to nothing; not looked at"
            yield Notice(code=NoticeCode.SKIPPED, message=message, offset=self._source.size - stream.trailing_size)

    def open_stream(self, address: str) -> ByteSource:
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise LocatorError(address, "the address in a compressed stream is 0+ and the number of decoded bytes")
        return SliceSource(self._stream(), 0, int(found[1]))

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _stream(self) -> CheckpointedSource:
        return CheckpointedSource(self._source, self._codec, title=f"the {self._codec} stream")

    def _path(self) -> tuple[str, bytes | None]:
        """Return the name as it is stored, else as it follows from that of the stream."""
        raw = self._label.name
        if not raw:
            return self._name, None
        try:
            path = raw.decode("utf-8")
        except UnicodeDecodeError:
            path = raw.decode("latin-1")
        shown = path.strip("/") or "_"
        return shown, None if shown.encode() == raw else raw


def _notice_of(error: KavalError, size: int, address: str) -> Notice:
    code = NoticeCode.DAMAGED if isinstance(error, CorruptStructureError) else NoticeCode.TRUNCATED
    if isinstance(error, LimitExceededError):
        code = NoticeCode.RATIO_LIMIT
    offset = getattr(error, "offset", None)
    return Notice(code=code, message=f"{error}; {size} bytes can be had", address=address, offset=offset)


def inner_name(name: str) -> str:
    """Return the name of the file in a stream that has no name of its own."""
    for ending, replacement in _ENDINGS.items():
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)] + replacement
    return f"{name}.decoded" if name else "decoded"


@CONTAINERS.register
class Compressed:
    """One compressed stream."""

    name: ClassVar[str] = "compressed"
    title: ClassVar[str] = "Compressed stream (gzip, bzip2, XZ, LZMA, Zstandard)"
    rank: ClassVar[int] = 220
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        return _codec(source.read_at(0, _HEAD_SIZE), name) is not None

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        head = source.read_at(0, _HEAD_SIZE)
        codec = _codec(head, name)
        if codec is None:
            raise CorruptStructureError("the compressed stream", "it does not start like one", 0)
        label = read_label(head) if codec is Codec.GZIP else Label()
        facts = {"compression": str(codec)}
        if label.comment:
            facts["comment"] = label.comment[:500].decode("latin-1")
        tree = CompressedTree(source, codec, inner_name(name), label, facts)
        return Opened(tree=tree, facts=facts)


def _codec(head: bytes, name: str) -> Codec | None:
    if head[:1] == b"\x5d" and name.lower().endswith((".lzma", ".tlz")):
        return Codec.LZMA_ALONE
    codec = codec_of(head)
    if codec is Codec.BZIP2 and head[4:10] not in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return None
    if codec is Codec.GZIP and (len(head) < 10 or head[3] & 0xE0):
        return None
    return codec
