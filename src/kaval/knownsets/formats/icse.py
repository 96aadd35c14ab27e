"""ICSE-shaped CSV, as members of the INTERPOL baseline are known to receive it (semicolons, flags 0 and 1).

There is no public specification; the header is the one public readers know (facts 2.7). PhotoDNA values are passed
on with the entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample, take_sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.photodna import photodna_bytes
from kaval.knownsets.sources import MENDED, TableRows
from kaval.knownsets.statements import Statement, answer

_HEADER = ("md5", "sha1", "photodna")
_BEGINNING = re.compile(rb'"?md5"?([;,\t])"?sha1"?\1"?photodna"?\1', re.IGNORECASE)
_FLAGS = ("is distributed", "victim identified", "offender identified")
_NOTES = {"series name": "series", "number of submissions": "submissions", "media type": "media type",
          "baseline": "baseline"}  # fmt: skip
_ROWS_A_BATCH = 1 << 15


@SET_FORMATS.register
class Icse:
    """A CSV file with the header ``MD5;SHA1;PhotoDNA;...``."""

    name: ClassVar[str] = "icse"
    title: ClassVar[str] = "ICSE-shaped CSV (MD5;SHA1;PhotoDNA;...)"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header begins as it does."""
        return _BEGINNING.match(sample.head) is not None

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the rows; one without a digest is counted as skipped."""
        begun = _BEGINNING.match(take_sample(reading.path).head)
        separator = begun[1].decode("ascii") if begun else ";"
        table = TableRows(reading.path, separator, reading.start)
        titles: list[str] = []
        for run in TableRows(reading.path, separator).runs(1):
            titles = [title.strip().lower() for title in run[0]]
            break
        for run in table.runs(_ROWS_A_BATCH):
            if not table.ended and len(run[-1]) < len(titles):
                raise CorruptStructureError(
                    f"table {reading.path.name}", "the file ends inside a row; it was cut off", table.position
                )
            found = _gathered(run, titles, photodna=reading.photodna)
            found.tally(MENDED, table.take_mended())
            yield found.batch(table.position)

    def statement(self, detail: bytes) -> Statement:
        """Return what one row says."""
        said: dict[str, str] = json.loads(detail)
        return Statement(
            identity=said.get("image id"),
            values={name: said[name] for name in _HEADER if said.get(name)},
            flags={name.removeprefix("is "): answer(said[name]) for name in _FLAGS if name in said},
            notes={title: said[name] for name, title in _NOTES.items() if said.get(name)},
        )


def _gathered(rows: Sequence[Sequence[str]], titles: Sequence[str], *, photodna: bool) -> Gathering:
    found = Gathering()
    for row in rows:
        said = {title: text for title, text in zip(titles, map(str.strip, row), strict=False) if text}
        values = list(_values(said, photodna=photodna))
        if values:
            found.add(values, json.dumps(said).encode())
        elif said.get("md5", "").lower() != "md5":
            found.skip("row without a digest", int(bool(said)))
    return found


def _values(said: Mapping[str, str], *, photodna: bool) -> Iterator[tuple[str, bytes]]:
    for algorithm in ("md5", "sha1"):
        value = decode_value(said.get(algorithm), WIDTHS[algorithm])
        if value is not None:
            yield algorithm, value
    if photodna and (vector := photodna_bytes(said.get("photodna"))) is not None:
        yield "photodna", vector
