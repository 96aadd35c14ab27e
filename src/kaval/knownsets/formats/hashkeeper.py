"""HashKeeper: a CSV file of twelve columns with one MD5 a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sources import MENDED, TableRows
from kaval.knownsets.statements import Statement

_ROWS_A_BATCH = 1 << 16
_HASH_COLUMN, _COLUMNS = 4, 12


@SET_FORMATS.register
class HashKeeper:
    """A file with the header ``"file_id","hashset_id",...``."""

    name: ClassVar[str] = "hashkeeper"
    title: ClassVar[str] = "HashKeeper CSV (.hsh)"
    rank: ClassVar[int] = 45
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header is the one of the format."""
        return sample.head.startswith(b'"file_id","hashset_id","file_name","directory","hash"')

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests."""
        table = TableRows(reading.path, ",", reading.start)
        for run in table.runs(_ROWS_A_BATCH):
            if not table.ended and len(run[-1]) < _COLUMNS:
                raise CorruptStructureError(
                    f"table {reading.path.name}", "the file ends inside a row; it was cut off", table.position
                )
            found = Gathering()
            for row in run:
                value = decode_value(row[_HASH_COLUMN], WIDTHS["md5"]) if len(row) > _HASH_COLUMN else None
                if value is not None:
                    found.add([("md5", value)])
                else:
                    found.skip("row without a digest", int(bool(row) and row[0] != "file_id"))
            found.tally(MENDED, table.take_mended())
            yield found.batch(table.position)

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: only digests are kept."""
        return Statement()
