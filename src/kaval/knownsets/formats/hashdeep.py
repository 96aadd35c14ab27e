"""hashdeep: lines of size, digests and file name, under a header that says which digests they are.

``%%%% HASHDEEP-1.0``, then ``%%%% size,md5,sha256,filename``, then remarks beginning with ``##``. The name comes last
and is not quoted, so commas in it mean nothing; it is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import EXACT, WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample, take_sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sources import line_blocks
from kaval.knownsets.statements import Statement

_SIGNATURE = b"%%%% HASHDEEP-1."


@SET_FORMATS.register
class HashDeep:
    """A file that begins with ``%%%% HASHDEEP-1.``."""

    name: ClassVar[str] = "hashdeep"
    title: ClassVar[str] = "hashdeep list"
    rank: ClassVar[int] = 55
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header is the one of the format."""
        return sample.head.startswith(_SIGNATURE)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests; a line without one is counted as skipped."""
        names = _names(reading)
        for block, position in line_blocks(reading.path, reading.start):
            found = Gathering()
            lines = block.splitlines()
            for line in lines:
                if line.strip() and not line.startswith((b"%%%%", b"##")):
                    _add(found, line.split(b",", len(names)), names)
            if not block.endswith(b"\n") and lines[-1].count(b",") < len(names):
                reason = "the file ends inside a line; it was cut off"
                raise CorruptStructureError(f"list {reading.path.name}", reason, position - len(lines[-1]))
            yield found.batch(position)

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: only digests are kept."""
        return Statement()


def _names(reading: Reading) -> Sequence[str]:
    """Return what the columns before the file name hold.

    Raises:
        CorruptStructureError: No header says so.
    """
    for line in take_sample(reading.path).lines[1:]:
        if line.startswith("%%%%") and "," in line:
            return [name.strip().lower() for name in line[4:].split(",")][:-1]
    raise CorruptStructureError(f"list {reading.path.name}", "no line says what its columns are", 0)


def _add(found: Gathering, parts: Sequence[bytes], names: Sequence[str]) -> None:
    values = [
        (name, value)
        for name, part in zip(names, parts, strict=False)
        if name in EXACT and (value := decode_value(part.decode("ascii", "replace"), WIDTHS[name])) is not None
    ]
    if values:
        found.add(values)
    else:
        found.skip("line without a digest")
