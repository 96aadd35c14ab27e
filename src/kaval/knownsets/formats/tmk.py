"""TMK+PDQF: the feature file of one video (``.tmk``). Its header is read and told; comparing is not offered.

Layout: ``TMK1FVECPDQF``, then five little-endian int32: frames a second, periods, Fourier coefficients, dimension,
frames. Two videos are compared by whoever sent the file; a set of such files is kept and passed on.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.sources import BLOCK_SIZE, open_source
from kaval.knownsets.statements import Statement

SIGNATURE = b"TMK1FVECPDQF"
HEADER = struct.Struct("<5i")


@SET_FORMATS.register
class Tmk:
    """A file that begins with ``TMK1FVECPDQF``."""

    name: ClassVar[str] = "tmk"
    title: ClassVar[str] = "TMK+PDQF features of one video (header only)"
    rank: ClassVar[int] = 22
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the signature is there."""
        return sample.head.startswith(SIGNATURE)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield one entry without a value to match."""
        with open_source(reading.path) as file:
            head = file.read(len(SIGNATURE) + HEADER.size)
            size = len(head)
            while block := file.read(BLOCK_SIZE):
                size += len(block)
        structure = f"TMK file {reading.path.name}"
        if len(head) < len(SIGNATURE) + HEADER.size:
            raise CorruptStructureError(structure, "its header is cut off", len(head))
        rate, periods, coefficients, dimension, frames = HEADER.unpack_from(head, len(SIGNATURE))
        if min(rate, periods, coefficients, dimension, frames) < 0:
            raise CorruptStructureError(structure, "its header holds negative numbers", len(SIGNATURE))
        floats = dimension * (1 + 2 * periods * coefficients)
        expected = len(head) + 4 * (periods + coefficients + floats)
        if size != expected:
            reason = f"it should be {expected} bytes by its header and is {size}"
            raise CorruptStructureError(structure, reason, min(size, expected))
        found = Gathering()
        said = {"video": reading.path.name, "frames a second": rate, "frames": frames}
        found.add((), json.dumps(said).encode())
        yield found.batch(size, ("TMK features are passed on, not compared",))

    def statement(self, detail: bytes) -> Statement:
        """Return which video the features are of."""
        said = json.loads(detail)
        return Statement(identity=str(said["video"]), notes={name: str(value) for name, value in said.items()})
