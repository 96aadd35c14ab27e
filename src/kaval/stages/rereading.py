"""Rereading: do artefacts and recovered rows on record still come out of the same bytes?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kaval.core.keys import Keyring
from kaval.folder.segments import Segment, UnitRecord
from kaval.folder.views import open_folder
from kaval.stages.artefacts import read_again
from kaval.stages.plan import Plan, Workplace
from kaval.stages.selection import Reading, artefact_units
from kaval.stages.verification import Check, StoredEntries

A_KIND = 4
"""Streams read again for each parser and each place that rows were recovered from, unless everything is asked for."""

_COMPARED = {
    "artefacts": ("place", "read_by", "kind", "who", "text", "url", "identity", "recovered"),
    "recovered_rows": ("place", "table_name", "stored_values", "recovered_from"),
}


def verify_artefacts(folder: Path, source: Path, keyring: Keyring, *, everything: bool) -> Iterator[Check]:
    """Yield a check for each stream that gave artefacts or recovered rows, or for a sample of them."""
    manifest, connection = open_folder(folder)
    plan = Plan.from_json({**manifest["plan"], "sets": []})
    workplace = Workplace(plan=plan, folder=folder, source_path=source, key_path=None, keyring=keyring)
    opener = StoredEntries(connection, source, manifest["exhibit"], keyring).opener
    wanted = _wanted(connection, everything)
    for reading in _readings(workplace, manifest, wanted) if wanted else ():
        rows = read_again(workplace, opener, reading)
        for table, columns in _COMPARED.items():
            found = Counter(tuple(row[name] for name in columns) for row in rows.rows(table))
            stored = Counter(_stored(connection, table, columns, reading.entry_id))
            if found or stored:
                yield _check(f"{table.replace('_', ' ')} of {reading.locator}", stored, found)


def _wanted(connection: Any, everything: bool) -> set[int]:
    limit = "" if everything else f"WHERE place <= {A_KIND}"
    rows = connection.execute(
        f"""
        SELECT DISTINCT entry_id FROM (
            SELECT entry_id, row_number() OVER (PARTITION BY kind ORDER BY entry_id) AS place FROM (
                SELECT DISTINCT entry_id, read_by || CASE WHEN recovered THEN ' recovered' ELSE '' END AS kind
                FROM artefacts_stored
                UNION ALL SELECT DISTINCT entry_id, 'from ' || recovered_from FROM recovered_rows_stored
            )
        ) {limit}
        """  # noqa: S608
    ).fetchall()
    return {entry_id for (entry_id,) in rows}


def _readings(workplace: Workplace, manifest: dict[str, Any], wanted: set[int]) -> Iterator[Reading]:
    """Yield how the wanted streams were read; layouts on the way are looked up in the folder."""
    segments = tuple(Segment(**segment) for segment in manifest["segments"])
    record = UnitRecord(unit="all", segments=segments, counts={}, facts={})
    for unit in artefact_units(workplace.folder, workplace.plan, [record], {}):
        yield from (reading for reading in unit.readings if reading.entry_id in wanted)


def _stored(connection: Any, table: str, columns: tuple[str, ...], entry_id: int) -> list[tuple[Any, ...]]:
    names = ", ".join(columns)
    rows: list[tuple[Any, ...]] = connection.execute(
        f"SELECT {names} FROM {table}_stored WHERE entry_id = ?",  # noqa: S608
        [entry_id],
    ).fetchall()
    return rows


def _check(what: str, stored: Counter[tuple[Any, ...]], found: Counter[tuple[Any, ...]]) -> Check:
    missing, added = (stored - found).total(), (found - stored).total()
    if not missing and not added:
        return Check(what=what, passed=True)
    reason = f"of {stored.total()} on record {missing} are not found now, {added} are found that are not on record"
    return Check(what=what, passed=False, reason=reason)
