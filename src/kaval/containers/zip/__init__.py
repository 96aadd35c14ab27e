"""ZIP archives, and what is one under another name: office documents, books, Android packages, phone extractions.

Read by PKWARE's APPNOTE.TXT 6.3.10 and Info-ZIP's extra fields: ZIP64, data descriptors, names in UTF-8 or code page
437, times in UTC where a field stores them, Unix modes, owners and symbolic links. Nothing is unpacked to disk. A
stored member is a plain run of bytes, and so its CRC is not compared; of a compressed one it is, at its end. Listing
reads both headers of every member. Not read: encrypted members (told as locked), Deflate64, PPMd and other rare
methods, archives in several parts (told). Bytes between members are told only where there is no directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.zip.describing import STRUCTURE
from kaval.containers.zip.kinds import kind_of_archive
from kaval.containers.zip.layout import END, LOCAL, Directory, find_directory
from kaval.containers.zip.survey import members
from kaval.containers.zip.tree import ZipTree
from kaval.containers.zip.walking import Walked, walk
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LockedError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

_SPANNING = (b"PK\x07\x08", b"PK00")
_EXTENSIONS = (".zip", ".ufdr", ".ufdx", ".clbx", ".apk", ".jar", ".docx", ".xlsx", ".pptx", ".epub", ".odt")
_FIRST_MEMBERS = 400


@CONTAINERS.register
class Zip:
    """ZIP archive."""

    name: ClassVar[str] = "zip"
    title: ClassVar[str] = "ZIP archive"
    rank: ClassVar[int] = 200
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        head = source.read_at(0, 64)
        if head[:4] == LOCAL:
            return not is_aff4(source, head)
        if head[:4] == END or (head[:4] in _SPANNING and head[4:8] == LOCAL):
            return True
        return name.lower().endswith(_EXTENSIONS) and _has_directory(source)

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        directory = find_directory(source)
        if directory is None:
            return _without_directory(source, name)
        facts = _facts(source, directory, name)
        return Opened(tree=ZipTree(source, directory, facts), facts=facts)


def _has_directory(source: ByteSource) -> bool:
    try:
        return find_directory(source) is not None
    except (UnsupportedError, LockedError):
        return True


def is_aff4(source: ByteSource, head: bytes) -> bool:
    """Whether the ZIP is an AFF4 volume (AFF4 Standard 1.0, section 4): that is a disk image, not an archive."""
    if head[30:52].startswith(b"container.description"):
        return True
    tail = source.read_at(max(0, source.size - 1024), 1024)
    place = tail.rfind(END)
    return place >= 0 and tail[place + 22 : place + 29] == b"aff4://"


def _without_directory(source: ByteSource, name: str) -> Opened:
    found = islice((record for record in walk(source, {}) if isinstance(record, Walked)), 1)
    if not list(found):
        raise CorruptStructureError(STRUCTURE, "it has no directory, and no member was found in it", source.size)
    message = "it has no directory at its end: it is cut short; its members were found by walking from one to the next"
    notice = Notice(code=NoticeCode.TRUNCATED, message=message, offset=source.size, structure=STRUCTURE)
    facts = {"kind": kind_of_archive((), name), "directory": "missing"}
    return Opened(tree=ZipTree(source, None, facts), facts=facts, notices=(notice,))


def _facts(source: ByteSource, directory: Directory, name: str) -> dict[str, str]:
    facts = {
        "kind": kind_of_archive(_first_names(source, directory), name),
        "members": str(directory.count),
    }
    if directory.is_zip64:
        facts["zip64"] = "yes"
    if directory.shift:
        facts["bytes before the archive"] = str(directory.shift)
    if directory.trailing_size:
        facts["bytes behind the archive"] = str(directory.trailing_size)
    if directory.comment:
        facts["comment"] = directory.comment[:500].decode("utf-8", "replace")
    return facts


def _first_names(source: ByteSource, directory: Directory) -> Iterator[str]:
    try:
        for member in islice(members(source, directory), _FIRST_MEMBERS):
            yield member.name.decode("utf-8", "replace")
    except CorruptStructureError:
        return
