"""TAR archives, plain or compressed: backups, file systems of phones, packages.

Read: the old form, ustar, GNU (long names, base-256 numbers, sparse files) and pax (names, sizes, times with fractions,
sparse files of all three forms). A compressed archive (gzip, bzip2, XZ, LZMA, Zstandard) is read as the archive it is,
from its decoded stream, never unpacked to disk; reading in stored order decodes it once. Members of a plain archive are
plain runs of bytes. Not told: extended attributes and access lists of pax headers. The content of a hard link is that
of the member it names, and is not given twice.
"""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.decoders import Codec, codec_of
from kaval.containers.inflate import CheckpointedSource
from kaval.containers.tar.headers import BLOCK, parse_header
from kaval.containers.tar.tree import TarTree, looks_like_tar
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, KavalError
from kaval.core.sources import ByteSource

_LZMA_NAMES = (".tar.lzma", ".tlz")


@CONTAINERS.register
class Tar:
    """TAR archive, plain or compressed."""

    name: ClassVar[str] = "tar"
    title: ClassVar[str] = "TAR archive"
    rank: ClassVar[int] = 210
    requires: ClassVar[tuple[str, ...]] = ("isal",)

    def probe(self, source: ByteSource, name: str) -> bool:
        head = source.read_at(0, BLOCK)
        if looks_like_tar(head):
            return True
        codec = _codec(head, name)
        if codec is None:
            return False
        try:
            return looks_like_tar(CheckpointedSource(source, codec).read_at(0, BLOCK))
        except KavalError:
            return False

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        head = source.read_at(0, BLOCK)
        codec = None if looks_like_tar(head) else _codec(head, name)
        packed = None
        facts = {}
        if codec is not None:
            packed = CheckpointedSource(source, codec, title=f"the {codec} stream")
            head = packed.read_at(0, BLOCK)
            facts["compression"] = str(codec)
        header = parse_header(head)
        if header is None:
            raise CorruptStructureError("the TAR archive", "it does not start with a header", 0)
        facts["form"] = "pax" if header.type in (b"x", b"g") else header.form
        return Opened(tree=TarTree(source, packed, facts), facts=facts)


def _codec(head: bytes, name: str) -> Codec | None:
    if name.lower().endswith(_LZMA_NAMES) and head[:1] == b"\x5d":
        return Codec.LZMA_ALONE
    return codec_of(head)
