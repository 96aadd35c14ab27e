"""Opening a file as it was sent: plain or packed, in UTF-8 or UTF-16, without unpacking it to the disk.

Packed is what gzip, bzip2 or xz made of one file, or a ZIP archive with one file that matters. Text in UTF-16 or
UTF-32 is given out as UTF-8; bytes and positions are then those of the unpacked UTF-8 text.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from kaval.core.errors import CorruptStructureError, LimitExceededError, LockedError, UnsupportedError

BLOCK_SIZE = 1 << 20
LARGEST_RATIO = 200
LONGEST_LINE = 1 << 20
LARGEST_FIELD = 1 << 20
MENDED = "row whose quotes do not match"

_HEAD = 1 << 16
_ZIP = b"PK\x03\x04"
_PACKERS: Mapping[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be",
}  # fmt: skip
"""Byte order marks; the longer ones first, because a short one begins a long one."""
_WITHOUT_MARK = (
    (re.compile(rb"(?:[\t\r\n -~]\0){4}"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\r\n -~]){4}"), "utf-16-be"),
)
_BESIDE = re.compile(
    r"(?:\A|/)(?:__MACOSX/|\.|Thumbs\.db\Z)|(?:\A|/)(?:readme|licen[cs]e)[^/]*\Z|\.(?:pdf|html?|docx?)\Z", re.I
)
_PREFERRED = "nsrlfile.txt"


def open_source(path: Path, start: int = 0, *, transcoded: bool = True) -> BinaryIO:
    """Return the bytes of a file from a position on: unpacked, and text in UTF-16 or UTF-32 as UTF-8 if so wanted.

    Raises:
        UnsupportedError: A ZIP archive holds several files.
        LockedError: The archive is encrypted.
        LimitExceededError: The file is absurdly larger than what it was packed to.
        CorruptStructureError: What it is packed in is damaged.
    """
    file = path.open("rb", buffering=0)
    head = file.read(16)
    file.seek(0)
    opened = cast("BinaryIO", file)
    if _packer(head):
        file.close()
        opened = cast("BinaryIO", _Unpacked(path, head))
        head = opened.read(16)
        opened.seek(0)
    encoding = _encoding(head) if transcoded else None
    if encoding:
        opened = cast("BinaryIO", _Transcoded(opened, encoding))
    opened.seek(start)
    return opened


def is_wrapped(path: Path) -> bool:
    """Whether the bytes of a file are others than those that are read of it: it is packed, or not in UTF-8."""
    with path.open("rb") as file:
        head = file.read(16)
    return _packer(head) or _encoding(head) is not None


def member_read(path: Path) -> str | None:
    """Return the name of the file in a ZIP archive that is read; nothing where the file is no archive."""
    with path.open("rb") as file:
        if file.read(4) != _ZIP:
            return None
    with _archive(path) as archive:
        return _member(archive, path).filename


def _packer(head: bytes) -> bool:
    return head.startswith((_ZIP, *_PACKERS))


def _encoding(head: bytes) -> str | None:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    return next((encoding for pattern, encoding in _WITHOUT_MARK if pattern.match(head)), None)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError) as error:
        raise CorruptStructureError(f"ZIP archive {path.name}", str(error)) from error


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """Return the one file in an archive that matters; notes and the droppings of file managers do not."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > 1:
        members = [member for member in members if not _BESIDE.search(member.filename)]
    if len(members) > 1:
        named = [member for member in members if member.filename.lower().rpartition("/")[2] == _PREFERRED]
        members = named or members
    if len(members) != 1:
        raise UnsupportedError(f"ZIP archive {path.name}", f"it holds {len(members)} files; unpack the one meant")
    if members[0].flag_bits & 1:
        raise LockedError(f"ZIP archive {path.name}", "unpack it with its password")
    return members[0]


class _Unpacked:
    """The file that was packed; damage in it is an error of ours, and it closes what it opened."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._name = path.name
        self._most = LARGEST_RATIO * max(1 << 20, path.stat().st_size)
        self._archive: zipfile.ZipFile | None = None
        if head.startswith(_ZIP):
            self._archive = _archive(path)
            try:
                self._file = cast("BinaryIO", self._archive.open(_member(self._archive, path)))
            except NotImplementedError as error:
                raise UnsupportedError(f"ZIP archive {self._name}", f"{error}; unpack it") from error
            except zipfile.BadZipFile as error:
                raise CorruptStructureError(f"ZIP archive {self._name}", str(error)) from error
        else:
            packer = next(packer for magic, packer in _PACKERS.items() if head.startswith(magic))
            self._file = cast("BinaryIO", packer(path, "rb"))

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._file.read(size)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CorruptStructureError(
                f"packed file {self._name}", f"it is cut off or damaged ({error})", self._file.tell()
            ) from error
        if self._file.tell() > self._most:
            raise LimitExceededError("ratio of a packed file", LARGEST_RATIO, self._name)
        return block

    def readinto(self, target: memoryview) -> int:
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; going on reads what lies between."""
        here = self._file.tell()
        if whence or offset < here:
            return self._file.seek(offset, whence)
        while here < offset and (block := self.read(min(BLOCK_SIZE, offset - here))):
            here += len(block)
        return here

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        if self._archive is not None:
            self._archive.close()

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Transcoded:
    """Text of another encoding as UTF-8; what cannot be read of it becomes U+FFFD."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._rewind()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        self._waiting = b""
        self._at = 0
        self._over = False

    def read(self, size: int = -1) -> bytes:
        while not self._over and (size < 0 or len(self._waiting) < size):
            block = self._file.read(BLOCK_SIZE)
            self._over = not block
            text = self._decoder.decode(block, self._over)
            self._waiting += text.encode("utf-8", "replace")
        end = len(self._waiting) if size < 0 else size
        given, self._waiting = self._waiting[:end], self._waiting[end:]
        self._at += len(given)
        return given

    def readinto(self, target: memoryview) -> int:
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; going on reads what lies between, going back begins anew."""
        if whence:
            raise ValueError("a transcoded file is gone through from its beginning")
        if offset < self._at:
            self._rewind()
        while self._at < offset and self.read(min(BLOCK_SIZE, offset - self._at)):
            pass
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> _Transcoded:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def other_ending(head: bytes) -> bytes | None:
    """Return what ends the lines of a text without line feeds: a carriage return, or NUL (``md5sum --zero``)."""
    if b"\n" in head:
        return None
    return next((ending for ending in (b"\r", b"\0") if ending in head), None)


def line_blocks(path: Path, start: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield runs of whole lines and the position behind each; only the last run may lack the end of its line.

    A byte order mark at the beginning is passed over. Lines that end in another way are given out as if a line
    feed ended them.

    Raises:
        CorruptStructureError: A line is longer than any line of a list.
    """
    with open_source(path) as file:
        ending = other_ending(file.read(_HEAD))
        file.seek(start)
        position, rest = start, b""
        if start == 0:
            rest = file.read(3).removeprefix(b"\xef\xbb\xbf")
            position = file.tell() - len(rest)
        while more := file.read(BLOCK_SIZE):
            block = rest + more if rest else more
            if ending:
                block = block.replace(ending, b"\n")
            end = block.rfind(b"\n") + 1
            if not end and len(block) > LONGEST_LINE:
                raise CorruptStructureError(f"list {path.name}", "a line is longer than any line", position)
            rest = block[end:]
            position += end
            if end:
                yield block[:end], position
        if rest:
            yield rest.replace(ending, b"\n") if ending else rest, position + len(rest)


class TableRows:
    """The rows of a CSV file from a position on; a row may go over several lines.

    ``position`` is the byte behind the rows given out, ``ended`` whether a line ends there. Where the quotes of a row
    do not match, each of its lines is a row by itself, read as well as it goes; ``mended`` counts those.
    """

    def __init__(self, path: Path, separator: str, start: int = 0) -> None:
        self._path = path
        self._separator = separator
        self._pending: list[str] = []
        self.position = start
        self.ended = True
        self.mended = 0

    def runs(self, size: int) -> Iterator[list[list[str]]]:
        """Yield runs of rows.

        Raises:
            CorruptStructureError: The file ends inside a quoted value.
        """
        csv.field_size_limit(LARGEST_FIELD)
        waiting: list[list[str]] = []
        for row in self._rows():
            waiting.append(row)
            if len(waiting) == size:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def take_mended(self) -> int:
        """Return how many rows were mended since this was asked last."""
        mended, self.mended = self.mended, 0
        return mended

    def _rows(self) -> Iterator[list[str]]:
        lines = self._lines()
        over = False
        while not over:
            reader = csv.reader(lines, delimiter=self._separator, strict=True)
            try:
                for row in reader:
                    self._pending.clear()
                    yield row
                over = True
            except csv.Error as error:
                if not self.ended:
                    raise CorruptStructureError(f"table {self._path.name}", str(error), self.position) from error
                yield from self._mend()

    def _mend(self) -> Iterator[list[str]]:
        """Yield the lines of a row whose quotes do not match, each as a row."""
        lines, self._pending = self._pending, []
        for line in lines:
            self.mended += 1
            try:
                row = next(csv.reader([line], delimiter=self._separator), [])
            except csv.Error:
                row = [line]
            if row and row[-1].endswith(("\n", "\r")):
                row = [cell.strip().strip('"') for cell in line.split(self._separator)]
            yield row

    def _lines(self) -> Iterator[str]:
        for block, _ in line_blocks(self._path, self.position):
            for line in block.splitlines(keepends=True):
                self.position += len(line)
                self.ended = line.endswith((b"\n", b"\r"))
                text = line.decode("utf-8", "surrogateescape")
                self._pending.append(text)
                yield text
