"""Project VIC: VICS JSON 1.x and 2.0, the list of media of a known set (``#Media``).

A category is kept as the set supplies it, 0 included: it is a recorded value, and absent is another thing.
What it means depends on the country in the header and is not known here. Picture bytes in a field are never
read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, Sample

_HEADER = re.compile(rb'"@?odata\.(?:context|metadata)"\s*:\s*"([^"]+)"')
_MODEL = re.compile(r"/DataModels/(\d+\.\d+)\.xml(?:/([A-Za-z]+)/\$metadata)?#(Cases|Media)$")
_ENTRIES_A_BATCH = 1 << 15


class _Other(msgspec.Struct):
    HashName: str | None = None
    HashValue: str | None = None


class _Media(msgspec.Struct):
    MD5: str | None = None
    SHA1: str | None = None
    Category: int | str | None = None
    AlternativeHashes: list[_Other] | None = None


class _Document(msgspec.Struct):
    value: list[_Media]


@SET_FORMATS.register
class Vics:
    """A VICS document whose header says ``#Media``."""

    name: ClassVar[str] = "vics"
    title: ClassVar[str] = "Project VIC (VICS JSON 1.x, 2.0), list of media"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("msgspec",)

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header names a VICS data model and media."""
        found = _HEADER.search(sample.head)
        model = _MODEL.search(found[1].decode("utf-8", "replace")) if found else None
        return model is not None and model[3] == "Media"

    def read(self, path: Path) -> Iterator[Batch]:
        """Yield the media."""
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        try:
            media = msgspec.json.decode(content, type=_Document).value
        except msgspec.DecodeError as error:
            raise CorruptStructureError(f"VICS document {path.name}", str(error), len(content)) from error
        for start in range(0, len(media), _ENTRIES_A_BATCH):
            yield _batch(media[start : start + _ENTRIES_A_BATCH], path.stat().st_size)


def _values(media: _Media) -> Iterator[tuple[str, bytes]]:
    others = {
        (other.HashName or "").lower().replace("-", ""): other.HashValue for other in media.AlternativeHashes or ()
    }
    for algorithm, text in (
        ("md5", media.MD5), ("sha1", media.SHA1), ("sha256", others.get("sha256")), ("pdq", others.get("pdq")),
    ):  # fmt: skip
        if text and len(text.strip()) == 2 * WIDTHS[algorithm]:
            try:
                yield algorithm, bytes.fromhex(text.strip())
            except ValueError:
                continue


def _batch(media: list[_Media], position: int) -> Batch:
    found: dict[str, tuple[list[bytes], list[int]]] = {}
    details: list[bytes] = []
    skipped = 0
    for one in media:
        values = list(_values(one))
        skipped += not values
        for algorithm, value in values:
            rows, owners = found.setdefault(algorithm, ([], []))
            rows.append(value)
            owners.append(len(details))
        said: dict[str, Any] = {} if one.Category in (None, "") else {"category": str(one.Category)}
        details.append(json.dumps(said).encode())
    columns = {
        algorithm: Column(
            values=np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1),
            owners=np.array(owners, dtype=np.uint32),
        )
        for algorithm, (rows, owners) in found.items()
    }
    told = {"entry without a digest": skipped} if skipped else {}
    return Batch(entries=len(media) - skipped, columns=columns, details=details, skipped=told, position=position)
