"""Rows from the remains of cells: values as far as they are there, and what is missing of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kaval.artefacts.sqlite.checking import text_bits
from kaval.artefacts.sqlite.concluding import UNSURE
from kaval.artefacts.sqlite.pages import State
from kaval.artefacts.sqlite.records import decode_value, signed, size_of, varint
from kaval.artefacts.sqlite.remains import Remains
from kaval.artefacts.sqlite.rows import Value
from kaval.artefacts.sqlite.shapes import Shape
from kaval.artefacts.sqlite.trees import INDEX_LEAF, TABLE_LEAF, local_size, read_chain

PageCheck = Callable[[int], bool]
_CONCLUDED_ROWID = 0.9


@dataclass(frozen=True, slots=True)
class Restored:
    """The values of a row in the order of its columns, and the columns that are lost wholly or in part."""

    values: tuple[Value, ...]
    rowid: int | None
    missing: tuple[str, ...]
    confidence: tuple[float, ...]


def rowid_of(block: bytes, remains: Remains) -> int | None:
    """Return the rowid of a cell whose beginning is whole."""
    if not remains.whole or remains.template.table.without_rowid:
        return None
    return signed(varint(block, varint(block, remains.start)[1])[0])


def local_payload(block: bytes, remains: Remains, usable_size: int) -> tuple[bytes, int]:
    """Return what of the payload lies in the page, and how much of it belongs there."""
    keyed = remains.template.table.without_rowid
    local = local_size(remains.size, usable_size, INDEX_LEAF if keyed else TABLE_LEAF)
    return block[remains.record : min(remains.record + local, remains.end, usable_size)], local


def restore(
    block: bytes,
    remains: Remains,
    state: State,
    codec: str,
    shape: Shape,
    usable: PageCheck,
    concluded: int | None = None,
) -> Restored:
    """Return the row; ``usable`` says whether an overflow page can still hold what the cell once put there.

    ``concluded`` is its rowid as the cells around it tell it, used where its own is lost.
    """
    payload, local = local_payload(block, remains, state.usable_size)
    if local < remains.size and len(payload) == local and not remains.cut:
        at = remains.record + local
        whole = payload + _rest(state, int.from_bytes(block[at : at + 4], "big"), remains.size - local, usable)
        payload = whole if _sound(whole, local, remains, codec) else payload
    values, lost, sure = _decode(payload, remains, codec)
    rowid = rowid_of(block, remains)
    if rowid is None and concluded is not None and remains.template.table.alias is not None:
        sure[remains.template.table.alias] = _CONCLUDED_ROWID
    return _in_columns(remains, values, lost, sure, concluded if rowid is None else rowid, shape)


def _sound(payload: bytes, local: int, remains: Remains, codec: str) -> bool:
    """Whether the texts that run over into other pages still are texts; if not, others use these pages by now."""
    place = remains.body - remains.record
    for serial_type in remains.types:
        end = place + (0 if serial_type is None else size_of(serial_type))
        if serial_type is not None and serial_type >= 13 and serial_type & 1 and local < end <= len(payload):
            try:
                text = payload[place:end].decode(codec)
            except UnicodeDecodeError:
                return False
            if "\0" in text:
                return False
        place = end
    return True


def _rest(state: State, first: int, size: int, usable: PageCheck) -> bytes:
    if not usable(first):
        return b""
    rest, chain, _ = read_chain(state, first, size)
    for number, page in enumerate(chain):
        if not usable(page):
            return rest[: number * (state.usable_size - 4)]
    return rest


def _decode(payload: bytes, remains: Remains, codec: str) -> tuple[list[Value], set[int], dict[int, float]]:
    """Return the values of the record, the places that are lost, and how sure the others are where it is not wholly."""
    unknown = 0
    if None in remains.types:
        known = sum(size_of(serial_type) for serial_type in remains.types if serial_type is not None)
        unknown = remains.size - (remains.body - remains.record) - known
    sure = dict(remains.concluded)
    values: list[Value] = []
    lost: set[int] = set()
    place = remains.body - remains.record
    for at, serial_type in enumerate(remains.types):
        if serial_type is None:
            values.append(None)
            lost.add(at)
            place, unknown = place + max(0, unknown), 0
            continue
        end = place + size_of(serial_type)
        if sure.get(at, 1.0) <= UNSURE:
            lost.add(at)
        if end <= len(payload):
            values.append(decode_value(payload, place, serial_type, codec))
        else:
            lost.add(at)
            values.append(_part(payload[place:], serial_type, codec))
            sure[at] = 0.5 if values[-1] is not None else 0.0
        place = end
    return values, lost, sure


def _part(part: bytes, serial_type: int, codec: str) -> Value:
    """Return what is left of a text or a blob whose end is lost."""
    if serial_type < 12 or not part:
        return None
    if not serial_type & 1:
        return part
    return part.decode(codec, "ignore") if text_bits(part, codec, cut=True) is not None else None


def _in_columns(
    remains: Remains, values: list[Value], lost: set[int], sure: dict[int, float], rowid: int | None, shape: Shape
) -> Restored:
    table = remains.template.table
    missing = {table.stored[at] for at in lost if at < len(table.stored)}
    confidence = [1.0] * len(table.columns)
    for at, figure in sure.items():
        if at < len(table.stored):
            confidence[table.stored[at]] = figure
    for at in lost:
        if at < len(table.stored) and values[at] is None:
            confidence[table.stored[at]] = 0.0
    fitted = shape.fit(values, rowid)
    if table.alias is not None and rowid is None:
        missing.add(table.alias)
        confidence[table.alias] = 0.0
    names = tuple(table.columns[at] for at in sorted(missing))
    return Restored(fitted, rowid, names, tuple(confidence))
