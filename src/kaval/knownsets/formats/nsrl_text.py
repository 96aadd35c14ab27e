"""NSRL, the legacy text form (NSRLFile.txt, RDS 2.x and before), by the names in its header.

NSRL lists *known* software, hacking tools included: it is no list of harmless files, and the role is a person's to
name. Text is ISO 8859-1 or damaged UTF-8; only digests are kept. May come in a ZIP archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sources import MENDED, TableRows
from kaval.knownsets.statements import Statement

_NAMES = {"SHA-1": "sha1", "MD5": "md5", "SHA-256": "sha256"}
_ROWS_A_BATCH = 1 << 16


@SET_FORMATS.register
class NsrlText:
    """A file with the header ``"SHA-1",...``."""

    name: ClassVar[str] = "nsrl-text"
    title: ClassVar[str] = "NSRL RDS 2.x text (NSRLFile.txt)"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header begins with SHA-1 and names an MD5 column."""
        first = sample.head.split(b"\n", 1)[0]
        return first.startswith(b'"SHA-1",') and b'"MD5"' in first

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the digests."""
        titles: list[str] = []
        for run in TableRows(reading.path, ",").runs(1):
            titles = run[0]
            break
        columns = {titles.index(title): algorithm for title, algorithm in _NAMES.items() if title in titles}
        special = titles.index("SpecialCode") if "SpecialCode" in titles else None
        table = TableRows(reading.path, ",", reading.start)
        for run in table.runs(_ROWS_A_BATCH):
            if not table.ended and len(run[-1]) < len(titles):
                raise CorruptStructureError(
                    f"table {reading.path.name}", "the file ends inside a row; it was cut off", table.position
                )
            found = _gathered(run, columns, special)
            found.tally(MENDED, table.take_mended())
            yield found.batch(table.position)

    def statement(self, detail: bytes) -> Statement:
        """Return nothing: only digests are kept."""
        return Statement()


def _gathered(rows: Sequence[Sequence[str]], columns: Mapping[int, str], special: int | None) -> Gathering:
    found = Gathering()
    for row in rows:
        values = [
            (algorithm, value)
            for index, algorithm in columns.items()
            if index < len(row) and (value := decode_value(row[index], WIDTHS[algorithm])) is not None
        ]
        if not values:
            found.skip("row without a digest", int(bool(row) and row[0] != "SHA-1"))
            continue
        found.add(values)
        if special is not None and special < len(row) and row[special].strip():
            found.tally(f"special code {row[special].strip()[:8]}")
    return found
