"""The live rows of one table in one state of the database."""

from __future__ import annotations

from collections.abc import Iterator

from kaval.artefacts.sqlite.pages import State
from kaval.artefacts.sqlite.records import decode_cut, decode_record
from kaval.artefacts.sqlite.rows import Row, Table, Value
from kaval.artefacts.sqlite.shapes import Shape
from kaval.artefacts.sqlite.trees import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_INTERIOR,
    TABLE_LEAF,
    Tell,
    TreePage,
    read_cell,
    walk,
)
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode

KINDS = {False: (TABLE_INTERIOR, TABLE_LEAF), True: (INDEX_INTERIOR, INDEX_LEAF)}


def live_rows(state: State, table: Table, codec: str, tell: Tell) -> Iterator[Row]:
    """Yield the rows of a table; a damaged page or cell ends in a notice, and the others go on.

    Cells do not overlap and chains share no page; where so many are named that they must, the rest is left out.
    """
    shape = Shape(table)
    name, columns, fit = table.name, table.columns, shape.fit
    chains = 2 * state.pages * state.usable_size
    for page, pointers in walk(state, table.root_page, KINDS[table.without_rowid], tell):
        number, within = page.number, page.placed.within
        room = 2 * state.usable_size
        for pointer in pointers:
            try:
                cell = _plain_cell(page, pointer, state.usable_size)
                rowid, payload = cell or _long_cell(state, table, page, pointer, tell)
                values = decode_record(payload, codec)
            except CorruptStructureError as error:
                cut = _cut_values(state, table, page, pointer, codec, tell, error)
                if cut is None:
                    room -= 4
                    continue
                rowid, values, payload = cut
            room -= len(payload)
            if room < 0:
                chains += min(room, 0)
                room = 0
            if chains < 0:
                tell(_notice(table, page, pointer, "the cells before it overlap", NoticeCode.COUNT_LIMIT))
                return
            yield Row(name, columns, fit(values, rowid), rowid, number, pointer, within)


def _plain_cell(page: TreePage, pointer: int, usable_size: int) -> tuple[int | None, bytes] | None:
    """Return the rowid and payload of a cell that lies whole in a leaf, behind short numbers, as most do."""
    block = page.block
    if page.kind != TABLE_LEAF or pointer + 6 > len(block) or pointer < page.start + 8:
        return None
    size, place = block[pointer], pointer + 1
    if size >= 0x80:
        byte = block[place]
        if byte >= 0x80:
            return None
        size, place = (size & 0x7F) << 7 | byte, place + 1
    rowid = block[place]
    if rowid >= 0x80:
        rowid &= 0x7F
        for byte in block[place + 1 : place + 4]:
            place += 1
            rowid = rowid << 7 | byte & 0x7F
            if byte < 0x80:
                break
        else:
            return None
    place += 1
    if size > usable_size - 35 or place + size > len(block):
        return None
    return rowid, block[place : place + size]


def _long_cell(state: State, table: Table, page: TreePage, pointer: int, tell: Tell) -> tuple[int | None, bytes]:
    cell = read_cell(state, page, pointer)
    if cell.cut:
        tell(_notice(table, page, pointer, f"its end is lost, {cell.cut}", NoticeCode.TRUNCATED))
    return cell.rowid, cell.payload


def _cut_values(
    state: State, table: Table, page: TreePage, pointer: int, codec: str, tell: Tell, error: CorruptStructureError
) -> tuple[int | None, list[Value], bytes] | None:
    """Return what can be read of a row that is not whole, or ``None`` with a notice."""
    try:
        cell = read_cell(state, page, pointer)
        values, _ = decode_cut(cell.payload, codec)
    except CorruptStructureError as worse:
        tell(_notice(table, page, pointer, worse.reason, NoticeCode.DAMAGED))
        return None
    if not cell.cut:
        tell(_notice(table, page, pointer, error.reason, NoticeCode.DAMAGED))
    return cell.rowid, values, cell.payload


def _notice(table: Table, page: TreePage, pointer: int, reason: str, code: NoticeCode) -> Notice:
    within = f"{page.placed.within} " if page.placed.within else ""
    message = f"The row of {table.name!r} at {within}page {page.number} offset {pointer} is not whole: {reason}."
    return Notice(code=code, message=message, offset=page.placed.offset + pointer, structure="cell")
