"""EnCase hash sets (.hash): a header of 1152 bytes, then MD5 digests of 16 bytes with 2 more each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.sources import open_source
from kaval.knownsets.statements import Statement

SIGNATURE = b"HASH\r\n\xff\x00"
NAME_OFFSET, NAME_SIZE = 1032, 80
FIRST_RECORD, RECORD_SIZE = 1152, 18

_RECORDS_A_BATCH = 1 << 17


@SET_FORMATS.register
class EnCase:
    """A file that begins with ``HASH\\r\\n\\xff\\x00``."""

    name: ClassVar[str] = "encase"
    title: ClassVar[str] = "EnCase hash set (.hash)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the signature is there."""
        return sample.head.startswith(SIGNATURE)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests; the name the set gives itself is remarked."""
        with open_source(reading.path, 0) as file:
            head = file.read(FIRST_RECORD)
            if len(head) < FIRST_RECORD:
                raise CorruptStructureError(f"EnCase set {reading.path.name}", "its header is cut off", len(head))
            name = head[NAME_OFFSET : NAME_OFFSET + NAME_SIZE].decode("utf-16-le", "replace").partition("\0")[0]
            remarks: tuple[str, ...] = (f"the set calls itself {name!r}",) if name else ()
            position = max(FIRST_RECORD, reading.start)
            file.seek(position)
            while block := file.read(_RECORDS_A_BATCH * RECORD_SIZE):
                whole = len(block) // RECORD_SIZE
                position += whole * RECORD_SIZE
                rows = np.frombuffer(block[: whole * RECORD_SIZE], dtype=np.uint8).reshape(-1, RECORD_SIZE)
                column = Column(values=np.ascontiguousarray(rows[:, :16]))
                yield Batch(entries=whole, columns={"md5": column}, remarks=remarks, position=position)
                remarks = ()
                if len(block) % RECORD_SIZE:
                    raise CorruptStructureError(
                        f"EnCase set {reading.path.name}", "the file ends inside a record; it was cut off", position
                    )

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: the format holds digests only."""
        return Statement()
