"""hashlookup (CIRCL): JSON objects, one a line or in a list, with digests by name and what is known of the file.

After the expired Internet draft; ``CRC`` and ``CRC32`` are passed over. Nothing is ever asked of the public
service: that would tell it what lies on a seized device.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.sources import line_blocks
from kaval.knownsets.statements import Statement, answer, text_or_none, whole_number

_WHOLE_OBJECT = 1 << 24


class _Record(msgspec.Struct, rename={"sha1": "SHA-1", "sha256": "SHA-256", "md5": "MD5"}, gc=False):
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None
    FileName: Any = None
    FileSize: Any = None
    KnownMalicious: Any = None
    source: Any = None
    db: Any = None


_LIST = re.compile(rb'\s*\[\s*\{[^{}]*"(?:MD5|SHA-1|SHA-256)"\s*:')
_DECODER = msgspec.json.Decoder(_Record)


@SET_FORMATS.register
class HashLookup:
    """Lines of JSON objects with ``MD5`` or ``SHA-1``, or one such object alone."""

    name: ClassVar[str] = "hashlookup"
    title: ClassVar[str] = "hashlookup (CIRCL), JSON lines"
    rank: ClassVar[int] = 70
    requires: ClassVar[tuple[str, ...]] = ("msgspec",)
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where every line of the sample, or the file as a whole, is such an object."""
        if sample.head.lstrip()[:1] == b"[":
            return _LIST.match(sample.head) is not None
        if sample.head.lstrip()[:1] != b"{":
            return False
        lines = [line for line in sample.lines if line.strip()]
        texts = [sample.head] if sample.whole and len(lines) > 1 and lines[0].strip() == "{" else lines
        return bool(texts) and all(_record(text) is not None for text in texts)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the entries; a line that is none is counted as skipped."""
        pretty = b""
        for block, position in line_blocks(reading.path, reading.start):
            found = Gathering()
            lines = block.split(b"\n")
            if pretty or (reading.start == 0 and (lines[0].strip() == b"{" or block.lstrip()[:1] == b"[")):
                pretty += block
                if len(pretty) > _WHOLE_OBJECT:
                    raise CorruptStructureError(f"hashlookup file {reading.path.name}", "an object has no end", 0)
                continue
            for number, line in enumerate(lines):
                if line.strip() and not _add(found, line):
                    if number == len(lines) - 1:
                        raise CorruptStructureError(
                            f"hashlookup file {reading.path.name}",
                            "the file ends inside a line; it was cut off",
                            position - len(line),
                        )
                    found.skip("line without a digest")
            yield found.batch(position)
        if pretty:
            yield _of_whole(pretty, reading).batch(len(pretty))

    def statement(self, detail: bytes) -> Statement:
        """Return what one record says."""
        said: dict[str, Any] = json.loads(detail)
        notes = {name: text for name in ("name", "database") if (text := text_or_none(said.get(name)))}
        return Statement(
            source=text_or_none(said.get("source")),
            values={name: said[name] for name in WIDTHS if name in said},
            flags={"malicious": answer(said["malicious"])} if "malicious" in said else {},
            size=whole_number(said.get("size")),
            notes=notes,
        )


def _of_whole(text: bytes, reading: Reading) -> Gathering:
    """Return the entry of one object over several lines, or those of a list, as the service answers to many."""
    found = Gathering()
    try:
        items = msgspec.json.decode(text, type=list[msgspec.Raw]) if text.lstrip()[:1] == b"[" else [text]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptStructureError(
            f"hashlookup file {reading.path.name}", f"its list is not whole ({error})", 0
        ) from error
    for item in items:
        if not _add(found, bytes(item)):
            if len(items) == 1:
                raise CorruptStructureError(f"hashlookup file {reading.path.name}", "its object is not whole", 0)
            found.skip("object without a digest")
    return found


def _record(text: str | bytes) -> _Record | None:
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        record = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return record if record.md5 or record.sha1 or record.sha256 else None


def _add(found: Gathering, line: bytes) -> bool:
    """Add the record of a line; say whether there was one."""
    record = _record(line)
    if record is None:
        return False
    written = {"md5": record.md5, "sha1": record.sha1, "sha256": record.sha256}
    values = {
        algorithm: value
        for algorithm, text in written.items()
        if (value := decode_value(text, WIDTHS[algorithm])) is not None
    }
    if not values:
        return False
    said: dict[str, Any] = {algorithm: value.hex() for algorithm, value in values.items()}
    for name, told in (
        ("name", record.FileName), ("size", record.FileSize), ("source", record.source), ("database", record.db),
    ):  # fmt: skip
        if told is not None:
            said[name] = told
    if record.KnownMalicious is not None:
        said["malicious"] = True if isinstance(record.KnownMalicious, str) else record.KnownMalicious
        found.tally("known malicious")
    found.add(values.items(), json.dumps(said).encode())
    return True
