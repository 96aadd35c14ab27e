"""7z archives, read by 7zFormat.txt and Methods.txt of the LZMA SDK, never unpacked to disk.

Header, folders and files are read by our own code, with every count checked; the methods that are unpacked are listed
in ``unpacking``. The CRC of a file is compared when it was read in order. Encrypted files are listed and told as
locked; where names are encrypted too the archive as a whole is locked. Not read: archives in several volumes,
self-extracting programs.
"""

from __future__ import annotations

import zlib
from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.sevenzip.headers import (
    ENCODED,
    MAXIMUM_HEADER,
    SIGNATURE,
    STRUCTURE,
    Folder,
    Listed,
    Reader,
    read_listed,
    read_start,
    read_streams,
)
from kaval.containers.sevenzip.tree import SevenZipTree
from kaval.containers.sevenzip.unpacking import is_encrypted, method_name, open_folder_stream
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LimitExceededError, LockedError
from kaval.core.sources import ByteSource

_MOST_LAYERS = 4


@CONTAINERS.register
class SevenZip:
    """7z archive."""

    name: ClassVar[str] = "sevenzip"
    title: ClassVar[str] = "7z archive"
    rank: ClassVar[int] = 230
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        return source.read_at(0, len(SIGNATURE)) == SIGNATURE

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        listed = _read(source)
        methods = {method_name(coder.method) for folder in listed.folders for coder in folder.coders}
        facts = {"files": str(listed.count), "methods": ", ".join(sorted(methods))}
        return Opened(tree=SevenZipTree(source, listed, facts), facts=facts)


def _read(source: ByteSource) -> Listed:
    """Return what the archive lists; its header may itself be packed, more than once."""
    content = read_start(source)
    for _ in range(_MOST_LAYERS):
        if not content:
            return Listed()
        if content[0] != ENCODED:
            return read_listed(content)
        folders, _ = read_streams(Reader(content[1:]))
        content = b"".join(_unpacked(source, folder) for folder in folders)
    raise CorruptStructureError(STRUCTURE, f"its header is packed more than {_MOST_LAYERS} times")


def _unpacked(source: ByteSource, folder: Folder) -> bytes:
    if is_encrypted(folder):
        raise LockedError(STRUCTURE, "even its names are encrypted; the passphrase it was made with is needed")
    if folder.size > MAXIMUM_HEADER:
        raise LimitExceededError("memory", MAXIMUM_HEADER, f"the header unpacks to {folder.size} bytes")
    content = open_folder_stream(source, folder).read_at(0, folder.size)
    if len(content) != folder.size or (folder.crc is not None and zlib.crc32(content) != folder.crc):
        raise CorruptStructureError(STRUCTURE, "the checksum of its unpacked header is wrong", folder.offset)
    return content
