"""Kaval's own form of a set: JSON lines, one for each entry, so that nothing a set says is lost on the way.

The first line says what it is: ``{"kaval": "known-set", "format": 1, "made": {...}}``, where ``made`` tells who made
it, when, from what. Each further line is an entry: ``values`` by algorithm in hexadecimal (PhotoDNA as it came),
``category``, ``identity``, ``source``, ``size``, ``flags``, ``notes``, ``provenance``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.photodna import photodna_bytes
from kaval.knownsets.sources import line_blocks
from kaval.knownsets.statements import Feedback, Statement, answer, text_or_none, whole_number

KIND = "known-set"
FORMAT = 1


@SET_FORMATS.register
class Own:
    """JSON lines that begin with the line that says so."""

    name: ClassVar[str] = "kaval-set"
    title: ClassVar[str] = "Kaval known set (JSON lines)"
    rank: ClassVar[int] = 25
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the first line says so."""
        return _header(sample.head.split(b"\n", 1)[0]) is not None

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the entries; the first line is remarked."""
        structure = f"set {reading.path.name}"
        first = reading.start == 0
        for block, position in line_blocks(reading.path, reading.start):
            found = Gathering()
            remarks: tuple[str, ...] = ()
            at = position - len(block)
            if not block.endswith(b"\n"):
                raise CorruptStructureError(structure, "the file ends inside a line; it was cut off", position)
            for line in block.splitlines(keepends=True):
                if first:
                    header = _header(line)
                    if header is None or header.get("format") != FORMAT:
                        raise CorruptStructureError(structure, "its first line is of no format read here", at)
                    remarks = tuple(f"{name}: {value}" for name, value in _flat(header.get("made") or {}))
                else:
                    _add(found, line, structure, at, photodna=reading.photodna)
                first = False
                at += len(line)
            yield found.batch(position, remarks)

    def statement(self, detail: bytes) -> Statement:
        """Return what one entry says."""
        said: dict[str, Any] = json.loads(detail)
        notes = {str(name): str(text) for name, text in dict(said.get("notes") or {}).items()}
        notes |= {f"provenance: {name}": text for name, text in _flat(said.get("provenance") or {})}
        return Statement(
            category=text_or_none(said.get("category")),
            identity=text_or_none(said.get("identity")),
            source=text_or_none(said.get("source")),
            values={str(name): str(value) for name, value in dict(said["values"]).items()},
            flags={str(name): answer(value) for name, value in dict(said.get("flags") or {}).items()},
            size=whole_number(said.get("size")),
            updated_at=text_or_none(said.get("updated_at")),
            notes=notes,
            feedback=tuple(Feedback(**one) for one in said.get("feedback") or ()),
        )


def _header(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("kaval") == KIND else None


def _flat(said: object) -> Iterator[tuple[str, str]]:
    for name, value in said.items() if isinstance(said, dict) else ():
        if value is not None:
            yield str(name), str(value)


def _add(found: Gathering, line: bytes, structure: str, at: int, *, photodna: bool) -> None:
    try:
        said = json.loads(line)
        values = dict(said["values"])
        Own().statement(json.dumps(said).encode())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorruptStructureError(structure, f"a line is no entry ({error!r})", at) from error
    decoded = []
    for name, text in values.items():
        value = None
        if name == "photodna":
            value = photodna_bytes(str(text)) if photodna else None
        elif name in WIDTHS:
            value = decode_value(str(text), WIDTHS[name])
            if value is None:
                found.skip(f"{name} that is none")
        if value is not None:
            decoded.append((name, value))
    if not decoded:
        found.skip("entry without a digest")
    if said.get("category") is not None:
        found.tally(f"category {said['category']}")
    found.add(decoded, json.dumps(said, ensure_ascii=True).encode())


def header_line(made: Mapping[str, Any]) -> bytes:
    """Return the first line of a set."""
    return json.dumps({"kaval": KIND, "format": FORMAT, "made": dict(made)}, ensure_ascii=True).encode() + b"\n"


def entry_line(statement: Statement, provenance: Mapping[str, Any] | None = None) -> bytes:
    """Return the line of an entry."""
    said = {name: value for name, value in asdict(statement).items() if value not in (None, {}, ())}
    notes = {name: text for name, text in statement.notes.items() if not name.startswith("provenance: ")}
    kept = {
        name.removeprefix("provenance: "): text
        for name, text in statement.notes.items()
        if name.startswith("provenance: ")
    }
    said |= {"values": dict(statement.values)}
    said |= {"notes": notes} if notes else {}
    if not notes:
        said.pop("notes", None)
    if kept or provenance:
        said["provenance"] = kept | dict(provenance or {})
    return json.dumps(said, ensure_ascii=True).encode() + b"\n"
