"""Opening a file as it was sent: plain, or as the one file in a ZIP archive, without unpacking it to the disk."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from kaval.core.errors import CorruptStructureError, LimitExceededError, LockedError, UnsupportedError

BLOCK_SIZE = 1 << 20
LARGEST_RATIO = 200
LONGEST_LINE = 1 << 20
LARGEST_FIELD = 1 << 20

_ZIP = b"PK\x03\x04"


def open_source(path: Path, start: int = 0) -> BinaryIO:
    """Return the bytes of a file from a position on; of a ZIP archive those of the one file in it.

    Raises:
        UnsupportedError: The archive holds several files.
        LockedError: The archive is encrypted.
        LimitExceededError: The file in the archive is absurdly larger than the archive.
        CorruptStructureError: The archive is damaged.
    """
    file = path.open("rb", buffering=0)
    if file.read(4) == _ZIP:
        file.close()
        opened = _open_member(path)
    else:
        opened = cast("BinaryIO", file)
    opened.seek(start)
    return opened


def is_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive."""
    with path.open("rb") as file:
        return file.read(4) == _ZIP


def _open_member(path: Path) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(path)
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        if len(members) != 1:
            raise UnsupportedError(f"ZIP archive {path.name}", f"it holds {len(members)} files; unpack the one meant")
        if members[0].flag_bits & 1:
            raise LockedError(f"ZIP archive {path.name}", "unpack it with its password")
        if members[0].file_size > LARGEST_RATIO * max(1 << 20, path.stat().st_size):
            raise LimitExceededError("ratio of a ZIP archive", LARGEST_RATIO, path.name)
        return _Member(archive, members[0])  # type: ignore[return-value]
    except NotImplementedError as error:
        raise UnsupportedError(f"ZIP archive {path.name}", f"{error}; unpack it") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise CorruptStructureError(f"ZIP archive {path.name}", str(error)) from error


class _Member:
    """The one file in an archive; damage in it is an error of ours, and it closes what it opened."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._name = archive.filename
        self._file = archive.open(member)

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise CorruptStructureError(f"ZIP archive {self._name}", str(error), self._file.tell()) from error

    def readinto(self, target: memoryview) -> int:
        block = self.read(len(target))
        target[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        self._archive.close()

    def __enter__(self) -> _Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def line_blocks(path: Path, start: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield runs of whole lines and the position behind each; only the last run may lack the end of its line.

    A byte order mark at the beginning is passed over.

    Raises:
        CorruptStructureError: A line is longer than any line of a list.
    """
    with open_source(path, start) as file:
        position, rest = start, b""
        if start == 0:
            rest = file.read(3).removeprefix(b"\xef\xbb\xbf")
            position = file.tell() - len(rest)
        while more := file.read(BLOCK_SIZE):
            block = rest + more if rest else more
            end = block.rfind(b"\n") + 1
            if not end and len(block) > LONGEST_LINE:
                raise CorruptStructureError(f"list {path.name}", "a line is longer than any line", position)
            rest = block[end:]
            position += end
            if end:
                yield block[:end], position
        if rest:
            yield rest, position + len(rest)


class TableRows:
    """The rows of a CSV file from a position on; a row may go over several lines.

    ``position`` is the byte behind the rows given out, ``ended`` whether a line ends there.
    """

    def __init__(self, path: Path, separator: str, start: int = 0) -> None:
        self._path = path
        self._separator = separator
        self.position = start
        self.ended = True

    def runs(self, size: int) -> Iterator[list[list[str]]]:
        """Yield runs of rows.

        Raises:
            CorruptStructureError: The quotes of a row do not match.
        """
        csv.field_size_limit(LARGEST_FIELD)
        reader = csv.reader(self._lines(), delimiter=self._separator, strict=True)
        waiting: list[list[str]] = []
        try:
            for row in reader:
                waiting.append(row)
                if len(waiting) == size:
                    yield waiting
                    waiting = []
        except csv.Error as error:
            raise CorruptStructureError(f"table {self._path.name}", str(error), self.position) from error
        if waiting:
            yield waiting

    def _lines(self) -> Iterator[str]:
        for block, _ in line_blocks(self._path, self.position):
            for line in block.splitlines(keepends=True):
                self.position += len(line)
                self.ended = line.endswith((b"\n", b"\r"))
                yield line.decode("utf-8", "surrogateescape")
